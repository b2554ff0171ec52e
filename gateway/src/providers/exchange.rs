//! One question to a model over HTTP: the attempts, their time limits, and the answer as it streams in.

use std::future::Future;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::StreamExt as _;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use monstrum_egress::Egress;
use monstrum_scrub::Scrubber;
use monstrum_wire::policy::{Dialect, Model};
use reqwest::{Response, Url};
use tokio::time::Instant;

use super::access::{access, undialled};
use super::conversation::{Answer, ModelRequest};
use super::sse::Events;
use super::{Decoder, ModelError, ModelProvider, provider, retry};

/// The largest answer that is read.
const MAX_ANSWER: usize = 16 << 20;
/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 16 << 10;
/// How much of an error's text is kept.
const MAX_ERROR_TEXT: usize = 400;
/// For one request when the policy names none.
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_mins(2);

/// Takes text as the model says it.
pub trait TextSink: Send {
    /// Called in order; may wait for a slow reader.
    fn text(&mut self, text: &str) -> impl Future<Output = ()> + Send;
}

/// The models, over the guarded way out.
#[derive(Debug, Default)]
pub struct Models {
    egress: Egress,
}

/// What a question that got no answer left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The last attempt's error.
    pub error: ModelError,
    /// What the user has already seen.
    pub said: String,
    /// How many requests were made.
    pub attempts: u32,
    /// Whether the provider may charge for one of them.
    pub may_have_cost: bool,
}

impl Models {
    /// Over `egress`.
    pub fn new(egress: Egress) -> Self {
        Self { egress }
    }

    /// Asks until there is an answer, the error is final, the attempts are used up, or `deadline` is too near.
    /// After text has reached the user nothing is asked again: it would be said twice. Nor is a metered request that the provider
    /// may charge for: only one was reserved.
    pub async fn ask<S: TextSink>(
        &self,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
        scrubber: &Scrubber,
        deadline: Instant,
        sink: &mut S,
    ) -> Result<(Answer, u32), Unanswered> {
        let mut said = String::new();
        let mut attempts = 0_u32;
        let mut may_have_cost = false;
        loop {
            attempts = attempts.saturating_add(1);
            let outcome = self
                .attempt(request, key, scrubber, deadline, &mut said, sink)
                .await;
            let error = match outcome {
                Ok(answer) => return Ok((answer, attempts)),
                Err(error) => error,
            };
            may_have_cost |= error.may_have_cost() || !said.is_empty();
            let spent = request.metered && may_have_cost;
            let pause = retry::pause(attempts, error.retry_after(), retry::random());
            let in_time = Instant::now().checked_add(pause).is_some_and(|at| at < deadline);
            if spent
                || !said.is_empty()
                || !error.is_transient()
                || attempts >= retry::MAX_ATTEMPTS
                || !in_time
            {
                return Err(Unanswered {
                    error,
                    said,
                    attempts,
                    may_have_cost,
                });
            }
            tracing::info!(attempts, code = error.code(), error = %error, "asking the model again");
            tokio::time::sleep(pause).await;
        }
    }

    /// How many bytes the request has, as it is sent.
    pub fn size(request: &ModelRequest<'_>) -> Result<usize, ModelError> {
        let dialect = Dialect::try_from(request.model.dialect).unwrap_or(Dialect::Unspecified);
        let body = serde_json::to_vec(&provider(dialect)?.body(request));
        body.map(|body| body.len())
            .map_err(|error| ModelError::Configuration(error.to_string()))
    }

    async fn attempt<S: TextSink>(
        &self,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
        scrubber: &Scrubber,
        deadline: Instant,
        said: &mut String,
        sink: &mut S,
    ) -> Result<Answer, ModelError> {
        let dialect = Dialect::try_from(request.model.dialect).unwrap_or(Dialect::Unspecified);
        let provider = provider(dialect)?;
        let limit = Some(u64::from(request.model.request_timeout_seconds)).filter(|seconds| *seconds > 0);
        let limit = limit.map_or(DEFAULT_REQUEST_TIMEOUT, Duration::from_secs);
        let until = Instant::now()
            .checked_add(limit)
            .map_or(deadline, |until| until.min(deadline));
        let whole = async {
            let response = self.send(provider, request, key).await?;
            let response = accepted(response, scrubber).await?;
            read(response, provider.decoder(), scrubber, said, sink).await
        };
        tokio::time::timeout_at(until, whole)
            .await
            .unwrap_or(Err(ModelError::Timeout))
    }

    async fn send(
        &self,
        provider: &dyn ModelProvider,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
    ) -> Result<Response, ModelError> {
        let url = url(&request.model.base_url, provider.path())?;
        let client = self.egress.client(&url, &access(request.model)?).await;
        let client = client.map_err(|error| undialled(&error))?;
        let body = serde_json::to_vec(&provider.body(request))
            .map_err(|error| ModelError::Configuration(error.to_string()))?;
        client
            .post(url)
            .headers(headers(provider, request.model, key)?)
            .body(body)
            .send()
            .await
            .map_err(|error| unreachable(&error))
    }
}

/// Appends to the path and keeps the base's query, which Azure-style endpoints need (`?api-version=…`).
fn url(base: &str, path: &[&str]) -> Result<Url, ModelError> {
    let invalid = |why: &str| ModelError::Configuration(format!("base URL {base:?}: {why}"));
    let mut url = Url::parse(base).map_err(|error| invalid(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("only http and https are spoken"));
    }
    url.path_segments_mut()
        .map_err(|()| invalid("it has no path"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

fn headers(provider: &dyn ModelProvider, model: &Model, key: Option<&[u8]>) -> Result<HeaderMap, ModelError> {
    let invalid =
        |name: &str| ModelError::Configuration(format!("request header {name:?} has no valid name or value"));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    for (name, value) in provider.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for header in &model.headers {
        let name: HeaderName = header.name.parse().map_err(|_| invalid(&header.name))?;
        headers.insert(name, header.value.parse().map_err(|_| invalid(&header.name))?);
    }
    if let Some(key) = key {
        let (name, prefix) = key_header(provider, model);
        let secret = zeroize::Zeroizing::new([prefix.as_bytes(), key].concat());
        let mut value = HeaderValue::from_bytes(&secret).map_err(|_| invalid(&name))?;
        value.set_sensitive(true);
        headers.insert(
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(&name))?,
            value,
        );
    }
    Ok(headers)
}

fn key_header(provider: &dyn ModelProvider, model: &Model) -> (String, &'static str) {
    if model.auth_header.is_empty() {
        let (name, prefix) = provider.key_header();
        return (name.to_owned(), prefix);
    }
    let name = model.auth_header.to_ascii_lowercase();
    let (own, prefix) = provider.key_header();
    let prefix = if name == own { prefix } else { "" };
    (name, prefix)
}

/// Passes a stream on; turns everything else into an error.
async fn accepted(response: Response, scrubber: &Scrubber) -> Result<Response, ModelError> {
    let status = response.status();
    if !status.is_success() {
        let retry_after = retry::asked(response.headers(), SystemTime::now());
        let message = scrubber.text(&error_message(response).await);
        return Err(ModelError::from_status(status.as_u16(), message, retry_after));
    }
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return Err(ModelError::Unreadable(format!(
            "content type {kind:?} is no event stream"
        )));
    }
    Ok(response)
}

/// The provider's own words, from the usual place in the body or its beginning.
async fn error_message(response: Response) -> String {
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR_BODY {
            body.truncate(MAX_ERROR_BODY);
            break;
        }
    }
    let parsed: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let said = parsed.as_ref().and_then(|value| {
        let places = ["/error/message", "/message", "/error", "/detail"];
        places
            .iter()
            .find_map(|place| value.pointer(place).and_then(serde_json::Value::as_str))
    });
    let text = said.map_or_else(|| String::from_utf8_lossy(&body).into_owned(), str::to_owned);
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_ERROR_TEXT)
        .collect()
}

async fn read<S: TextSink>(
    response: Response,
    mut decoder: Box<dyn Decoder>,
    scrubber: &Scrubber,
    said: &mut String,
    sink: &mut S,
) -> Result<Answer, ModelError> {
    let mut events = Events::default();
    let mut stream = response.bytes_stream();
    let mut size = 0_usize;
    let mut last = false;
    while !last {
        let chunk = match stream.next().await {
            None => break,
            Some(Ok(chunk)) => chunk,
            // A connection that breaks may have brought a reason to stop before; the decoder knows.
            Some(Err(error)) => {
                tracing::debug!(error = %chain(&error), "the model's stream broke");
                break;
            }
        };
        size = size.saturating_add(chunk.len());
        if size > MAX_ANSWER {
            return Err(ModelError::TooLarge(MAX_ANSWER));
        }
        let (text, ended) = decode(&mut events, decoder.as_mut(), &chunk, scrubber)?;
        last = ended;
        say(&text, said, sink).await;
    }
    let mut rest = String::new();
    events.finish(|data| {
        rest.push_str(&decoder.event(data)?.text.unwrap_or_default());
        Ok(())
    })?;
    say(&rest, said, sink).await;
    decoder.finish()
}

fn decode(
    events: &mut Events,
    decoder: &mut dyn Decoder,
    chunk: &Bytes,
    scrubber: &Scrubber,
) -> Result<(String, bool), ModelError> {
    let mut text = String::new();
    let mut last = false;
    let outcome = events.push(chunk, |data| {
        if last {
            return Ok(());
        }
        let meant = decoder.event(data)?;
        text.push_str(&meant.text.unwrap_or_default());
        last = meant.last;
        Ok(())
    });
    outcome.map_err(|error| scrubbed(error, scrubber))?;
    Ok((text, last))
}

fn scrubbed(error: ModelError, scrubber: &Scrubber) -> ModelError {
    match error {
        ModelError::Busy { message, retry_after } => ModelError::Busy {
            message: scrubber.text(&message),
            retry_after,
        },
        ModelError::Failed {
            status,
            message,
            retry_after,
        } => ModelError::Failed {
            status,
            message: scrubber.text(&message),
            retry_after,
        },
        ModelError::Refused { status, message } => ModelError::Refused {
            status,
            message: scrubber.text(&message),
        },
        ModelError::NotConnected(_)
        | ModelError::Unreachable(_)
        | ModelError::Timeout
        | ModelError::Cut
        | ModelError::Unreadable(_)
        | ModelError::TooLarge(_)
        | ModelError::Configuration(_) => error,
    }
}

async fn say<S: TextSink>(text: &str, said: &mut String, sink: &mut S) {
    if !text.is_empty() {
        said.push_str(text);
        sink.text(text).await;
    }
}

fn unreachable(error: &reqwest::Error) -> ModelError {
    if error.is_timeout() {
        return ModelError::Timeout;
    }
    if error.is_connect() {
        return ModelError::NotConnected(chain(error));
    }
    ModelError::Unreachable(chain(error))
}

/// An error and its causes in one line; reqwest's own text would repeat the URL, so its causes are taken.
fn chain(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.is_empty() {
        "the request failed".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::policy::Header;
    use rstest::rstest;

    #[rstest]
    #[case::plain("http://m/v1", "http://m/v1/chat/completions")]
    #[case::trailing_slash("http://m/v1/", "http://m/v1/chat/completions")]
    #[case::query(
        "https://x/openai/d?api-version=1",
        "https://x/openai/d/chat/completions?api-version=1"
    )]
    fn the_path_is_appended(#[case] base: &str, #[case] expected: &str) {
        assert_eq!(url(base, &["chat", "completions"]).unwrap().as_str(), expected);
    }

    #[rstest]
    #[case("file:///etc/passwd")]
    #[case("mailto:x")]
    #[case("nonsense")]
    fn other_urls_are_refused(#[case] base: &str) {
        assert!(matches!(url(base, &["x"]), Err(ModelError::Configuration(_))));
    }

    #[rstest]
    #[case::openai(Dialect::Openai, "", "authorization", "Bearer k")]
    #[case::anthropic(Dialect::Anthropic, "", "x-api-key", "k")]
    #[case::azure(Dialect::Openai, "Api-Key", "api-key", "k")]
    #[case::own_header_named(Dialect::Openai, "Authorization", "authorization", "Bearer k")]
    #[case::bare(Dialect::Anthropic, "Authorization", "authorization", "k")]
    fn the_key_has_its_header(
        #[case] dialect: Dialect,
        #[case] auth_header: &str,
        #[case] name: &str,
        #[case] expected: &str,
    ) {
        let model = Model {
            auth_header: auth_header.to_owned(),
            ..Model::default()
        };
        let headers = headers(provider(dialect).unwrap(), &model, Some(b"k")).unwrap();
        assert_eq!(headers.get(name).unwrap(), expected);
        assert!(headers.get(name).unwrap().is_sensitive());
    }

    #[test]
    fn a_header_with_a_line_break_is_refused() {
        let header = Header {
            name: "x-team".to_owned(),
            value: "a\r\nb: c".to_owned(),
        };
        let model = Model {
            headers: vec![header],
            ..Model::default()
        };
        assert!(headers(provider(Dialect::Openai).unwrap(), &model, None).is_err());
    }
}
