//! Answers sent to the callback address, signed like the requests that came in.

use std::time::Duration;

use monstrum_egress::{Access, Egress};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::key::Key;
use super::settings::access;
use super::signature;
use crate::platform::{Answer, Undelivered, Unsent};
use crate::settings::webhook::Webhook as Settings;

const TIMEOUT: Duration = Duration::from_secs(15);

/// Where callbacks go.
#[derive(Debug)]
pub(super) struct Target {
    egress: Egress,
    url: Url,
    access: Access,
}

impl Target {
    /// Of these settings, if callbacks go anywhere; its address is judged now, and each time that it is called.
    pub(super) fn of(settings: &Settings, egress: Egress) -> Result<Option<Self>, String> {
        let Some(url) = settings.callback_url.as_deref() else {
            return Ok(None);
        };
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let access = access(settings)?;
        egress.check(&url, &access).map_err(|error| error.to_string())?;
        Ok(Some(Self { egress, url, access }))
    }

    /// Posts the answer to the message `id`.
    pub(super) async fn post(
        &self,
        keys: &[Key],
        id: &str,
        answer: &Result<Answer, Undelivered>,
    ) -> Result<(), Unsent> {
        let later = Unsent::Later;
        let key = keys
            .first()
            .ok_or_else(|| later("no signing secret".to_owned()))?;
        let (id, body) = (format!("answer_{id}"), body(id, answer).to_string());
        // Each attempt is signed anew, like those that come in.
        let timestamp = jiff::Timestamp::now().as_second();
        let client = self.egress.client(&self.url, &self.access).await;
        let client = client.map_err(|error| later(error.to_string()))?;
        let response = client
            .post(self.url.clone())
            .timeout(TIMEOUT)
            .header("content-type", "application/json")
            .header(signature::ID, &id)
            .header(signature::TIMESTAMP, timestamp.to_string())
            .header(
                signature::SIGNATURE,
                signature::sign(key, &id, timestamp, body.as_bytes()),
            )
            .body(body)
            .send()
            .await
            .map_err(|error| later(error.without_url().to_string()))?;
        taken(response.status())
    }
}

fn taken(status: StatusCode) -> Result<(), Unsent> {
    let reason = || format!("status {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        // Nothing is ever wanted there again (Standard Webhooks), or only elsewhere.
        status if status == StatusCode::GONE || status.is_redirection() => Err(Unsent::Refused(reason())),
        // A route that is not there yet, a secret that is being rotated: an answer is not lost for that.
        _ => Err(Unsent::Later(reason())),
    }
}

fn body(id: &str, answer: &Result<Answer, Undelivered>) -> Value {
    match answer {
        Ok(answer) => json!({ "inReplyTo": id, "session": answer.session, "text": answer.text }),
        Err(failure) => {
            json!({ "inReplyTo": id, "error": { "code": failure.code, "message": failure.message } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn target(url: &str, more: &Value) -> Result<Option<Target>, String> {
        let mut settings = json!({
            "mode": "Callback", "callbackUrl": url, "toleranceSeconds": 300, "maxBodyBytes": 1000, "routes": {}
        });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Target::of(&serde_json::from_value(settings).unwrap(), Egress::new())
    }

    #[rstest]
    #[case::loopback("http://127.0.0.1/x")]
    #[case::loopback_decimal("http://2130706433/x")]
    #[case::loopback_octal("http://0177.0.0.1/x")]
    #[case::loopback_v6("http://[::1]/x")]
    #[case::mapped("http://[::ffff:127.0.0.1]/x")]
    #[case::metadata("http://169.254.169.254/latest")]
    #[case::cloud_host("http://168.63.129.16/machine")]
    #[case::cloud_host_hexadecimal("http://0xa83f8110/machine")]
    #[case::credentials("https://user:pass@hooks.example.com/")]
    #[case::file("file:///etc/passwd")]
    #[case::nonsense("hooks")]
    fn such_an_address_is_refused_at_the_start(#[case] url: &str) {
        for more in [json!({}), json!({ "allowedAddresses": ["0.0.0.0/0", "::/0"] })] {
            assert!(target(url, &more).is_err(), "{more}");
        }
    }

    #[rstest]
    #[case::public("https://hooks.example.com/", json!({}))]
    #[case::private("http://10.1.2.3/", json!({ "allowedAddresses": ["10.1.2.3/32"] }))]
    #[case::proxied("https://hooks.example.com/", json!({ "proxy": { "url": "http://10.20.0.5:3128", "allowedAddresses": ["10.20.0.0/16"] } }))]
    fn such_a_one_is_taken(#[case] url: &str, #[case] more: Value) {
        target(url, &more).unwrap();
    }

    #[rstest]
    #[case::not_named(json!({ "url": "http://10.20.0.5:3128" }))]
    #[case::loopback(json!({ "url": "http://127.0.0.1:3128", "allowedAddresses": ["127.0.0.0/8"] }))]
    #[case::secret(json!({ "url": "http://user:pass@proxy.example:3128" }))]
    fn such_a_proxy_is_refused_at_the_start(#[case] proxy: Value) {
        assert!(target("https://hooks.example.com/", &json!({ "proxy": proxy })).is_err());
    }
}
