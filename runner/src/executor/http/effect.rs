//! One call performed: request, guard, connection, redirects.

use http::HeaderMap;
use monstrum_contract::Presentation;
use monstrum_contract::http::{self as contract, Config};
use monstrum_egress::{Access, EgressError};
use monstrum_scrub::{Scrubber, Tainted};
use reqwest::{Client, Response};
use serde_json::Value;
use url::Url;

use super::Http;
use super::answer::Reading;
use super::extraction::Plan;
use super::request::Request;
use super::{config, presentation, redirect};
use crate::call::{Call, Facts, Failure, Outcome};

/// Performs `call`. All that can be wrong without the network is found before anything is sent.
pub(super) async fn perform(http: &Http, call: &Call) -> Outcome {
    let config: Config = call.config()?;
    let template: contract::Request = call.execution()?;
    let plan = template.response.as_ref().map(Plan::new).transpose()?;
    let shown: Option<Presentation> = call.presentation()?;
    let scrubber = match &shown {
        Some(shown) => presentation::scrubber(shown, &call.credential),
        None => call.scrubber.clone(),
    };
    let exchange = Exchange {
        http,
        call,
        config: &config,
        access: config::access(&config)?,
        base: config::base(&config)?,
        template: &template,
        presentation: shown,
        scrubber: &scrubber,
    };
    let request = Request::build(&exchange.base, &template, &call.arguments)?;
    let response = exchange.run(request).await?;
    let reading = Reading {
        plan: plan.as_ref(),
        limit: call.max_result_bytes,
        image: call.max_image_bytes,
        parsing: &http.parsing,
        scrubber: &scrubber,
    };
    reading.read(response).await
}

struct Exchange<'a> {
    http: &'a Http,
    call: &'a Call,
    config: &'a Config,
    access: Access,
    base: Url,
    template: &'a contract::Request,
    presentation: Option<Presentation>,
    scrubber: &'a Scrubber,
}

impl Exchange<'_> {
    /// Sends `request` and follows redirects as far as the resource allows.
    async fn run(&self, mut request: Request) -> Result<Response, Failure> {
        for _ in 0..=redirect::MOST {
            let asked = request.url.clone();
            let method = request.method.clone();
            let response = self.send(request).await?;
            if !redirect::is_redirect(&response) {
                return Ok(response);
            }
            request = self.follow(&asked, &method, &response).await?;
        }
        Err(Failure::refused(format!(
            "{} redirected more than {} times",
            self.host(),
            redirect::MOST
        )))
    }

    /// What a redirect asks for, if the resource follows redirects and the Guardian permits the call that it amounts to.
    async fn follow(
        &self,
        asked: &Url,
        method: &http::Method,
        response: &Response,
    ) -> Result<Request, Failure> {
        let told = |failure: Failure| failure.with_facts(facts(response));
        if !self.config.follow_redirects {
            return Err(told(Failure::refused(format!(
                "{} answered {} with a redirect, and this resource follows none",
                self.host(),
                response.status()
            ))));
        }
        if !matches!(*method, http::Method::GET | http::Method::HEAD) {
            return Err(told(Failure::refused(format!(
                "{} answered a {method} with a redirect; only GET and HEAD are redirected",
                self.host()
            ))));
        }
        let next = redirect::next(asked, response, self.scrubber).map_err(told)?;
        let permitted = redirect::permitted(self.call, &self.base, self.template, &next).await;
        permitted.map_err(|failure| {
            let mut facts = facts(response);
            // The query may hold a secret, and the rest of what was asked for is in the record already.
            let place = format!("{}{}", next.origin().ascii_serialization(), next.path());
            facts.insert("refusedRedirect".to_owned(), self.scrubber.text(&place).into());
            failure.with_facts(facts)
        })
    }

    /// One hop: the credential is added, the host resolved and checked, and exactly what was checked connected to.
    async fn send(&self, mut request: Request) -> Result<Response, Failure> {
        if let Some(shown) = &self.presentation {
            // A proxy reads what it passes on, where the resource says whom to trust at its end.
            if let Some(proxy) = &self.access.proxy {
                self.call.credential.towards(&proxy.url)?;
            }
            presentation::apply(shown, &self.call.credential, &mut request)?;
        }
        let client = self.client(&request.url).await?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let Request {
            method,
            url,
            headers,
            body,
        } = request;
        let mut builder = client.request(method, url).headers(headers);
        if let Some(body) = body {
            builder = builder.body(body);
        }
        builder
            .send()
            .await
            .map_err(|error| unanswered(&host, error, self.scrubber))
    }

    async fn client(&self, url: &Url) -> Result<Client, Failure> {
        let client = self.http.egress.client(url, &self.access).await;
        client.map_err(|error| undialled(&error))
    }

    fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }
}

fn undialled(error: &EgressError) -> Failure {
    if error.is_refusal() {
        Failure::refused(error.to_string())
    } else if error.is_transient() {
        Failure::unreachable(error.to_string())
    } else {
        Failure::invalid(format!("the resource's config: {error}"))
    }
}

/// The URL is left out: it may hold a credential.
fn unanswered(host: &str, error: reqwest::Error, scrubber: &Scrubber) -> Failure {
    let connecting = error.is_connect();
    let why = Tainted::error(&error.without_url()).text(scrubber);
    if connecting {
        Failure::unreachable(format!("{host} can't be reached: {why}"))
    } else {
        Failure::unreachable(format!(
            "{host} gave no answer; it may have received the request: {why}"
        ))
    }
}

/// Status and address, for the record.
pub(super) fn facts(response: &Response) -> Facts {
    let mut facts = Facts::new();
    facts.insert("status".to_owned(), Value::from(response.status().as_u16()));
    if let Some(address) = response.remote_addr() {
        facts.insert("address".to_owned(), Value::from(address.to_string()));
    }
    facts
}

/// A header's value as text.
pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
