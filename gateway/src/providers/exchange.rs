//! One question to a model over HTTP: the attempts, their time limits, and the answer as it streams in.

use std::time::{Duration, SystemTime};

use futures::StreamExt as _;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use monstrum_egress::Egress;
use monstrum_scrub::{End, Scrubber, Tainted};
use monstrum_wire::policy::{Dialect, Model};
use reqwest::{Response, Url};
use tokio::time::Instant;

use super::access::{access, undialled};
use super::answer::{Fault, Reader};
use super::conversation::{Answer, ModelRequest};
use super::speaker::{Speaker, TextSink};
use super::{ModelError, ModelProvider, provider, retry};

/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 64 << 10;
/// How long an answer that has its reason to stop is waited for: for the counts, and for the end that some servers forget.
const GRACE: Duration = Duration::from_secs(2);
/// For one request when the policy names none.
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_mins(2);

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
        // What is asked holds no secret that an error could tell.
        let provider = provider(dialect).map_err(|error| error.clean(&Scrubber::default()))?;
        let body = serde_json::to_vec(&provider.body(request));
        body.map(|body| body.len())
            .map_err(|error| ModelError::Configuration(error.to_string()))
    }

    /// One attempt. Whatever comes of it passes the scrubber here: text on its way to the user, the answer, every error.
    async fn attempt<S: TextSink>(
        &self,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
        scrubber: &Scrubber,
        deadline: Instant,
        said: &mut String,
        sink: &mut S,
    ) -> Result<Answer, ModelError> {
        let mut speaker = Speaker::new(scrubber, said, sink);
        let outcome = self.exchange(request, key, deadline, &mut speaker).await;
        let end = if outcome.is_ok() { End::Whole } else { End::Cut };
        speaker.end(end).await;
        match outcome {
            Ok(answer) => Ok(answer.clean(said, scrubber)),
            Err(error) => Err(error.clean(scrubber)),
        }
    }

    async fn exchange<S: TextSink>(
        &self,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
        deadline: Instant,
        speaker: &mut Speaker<'_, S>,
    ) -> Result<Answer, ModelError<Tainted>> {
        let dialect = Dialect::try_from(request.model.dialect).unwrap_or(Dialect::Unspecified);
        let provider = provider(dialect)?;
        let limit = Some(u64::from(request.model.request_timeout_seconds)).filter(|seconds| *seconds > 0);
        let limit = limit.map_or(DEFAULT_REQUEST_TIMEOUT, Duration::from_secs);
        let until = Instant::now()
            .checked_add(limit)
            .map_or(deadline, |until| until.min(deadline));
        let begun = async { accepted(self.send(provider, request, key).await?).await };
        let response = tokio::time::timeout_at(until, begun).await;
        let response = response.unwrap_or(Err(ModelError::Timeout))?;
        read(response, Reader::new(provider), until, speaker).await
    }

    async fn send(
        &self,
        provider: &dyn ModelProvider,
        request: &ModelRequest<'_>,
        key: Option<&[u8]>,
    ) -> Result<Response, ModelError<Tainted>> {
        let url = url(&request.model.base_url, provider.path())?;
        let client = self.egress.client(&url, &access(request.model)?).await;
        let client = client.map_err(|error| undialled(&error))?;
        let body = serde_json::to_vec(&provider.body(request))
            .map_err(|error| ModelError::Configuration(error.to_string().into()))?;
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
fn url(base: &str, path: &[&str]) -> Result<Url, ModelError<Tainted>> {
    let invalid = |why: &str| ModelError::Configuration(format!("base URL {base:?}: {why}").into());
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

fn headers(
    provider: &dyn ModelProvider,
    model: &Model,
    key: Option<&[u8]>,
) -> Result<HeaderMap, ModelError<Tainted>> {
    let invalid = |name: &str| {
        ModelError::Configuration(format!("request header {name:?} has no valid name or value").into())
    };
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
        let (name, prefix) = key_header(provider, model, key);
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

/// In `Authorization` a key without a scheme is no credential, whatever the dialect: relays of Anthropic's want a bearer's there.
fn key_header(provider: &dyn ModelProvider, model: &Model, key: &[u8]) -> (String, &'static str) {
    if model.auth_header.is_empty() {
        let (name, prefix) = provider.key_header();
        return (name.to_owned(), prefix);
    }
    let name = model.auth_header.to_ascii_lowercase();
    let (own, prefix) = provider.key_header();
    let prefix = match name.as_str() {
        name if name == own => prefix,
        "authorization" if !key.contains(&b' ') => "Bearer ",
        _ => "",
    };
    (name, prefix)
}

/// Passes on what may be an answer; turns everything else into an error.
async fn accepted(response: Response) -> Result<Response, ModelError<Tainted>> {
    let encoding = response.headers().get(CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok());
    let foreign = encoding
        .filter(|name| !name.eq_ignore_ascii_case("identity"))
        .map(str::to_owned);
    let status = response.status();
    if status.is_success() {
        return match foreign {
            Some(name) => Err(ModelError::Unreadable(
                format!("it is compressed with {name:?}, which nobody asked for").into(),
            )),
            None => Ok(response),
        };
    }
    let retry_after = retry::asked(response.headers(), SystemTime::now());
    let (body, is_cut) = if let Some(elsewhere) = elsewhere(&response) {
        (elsewhere, false)
    } else if foreign.is_some() {
        (
            "its words are compressed, which nobody asked for".to_owned(),
            false,
        )
    } else {
        error_body(response).await
    };
    let fault = Fault::of_status(status.as_u16(), &body, retry_after);
    let fault = if is_cut { fault.cut(body) } else { fault };
    Err(ModelError::Provider(fault.into_error()))
}

/// Where a redirect leads, which is not followed: a request with a key in it goes where its administrator said, and nowhere else.
fn elsewhere(response: &Response) -> Option<String> {
    let location = response
        .headers()
        .get(LOCATION)
        .filter(|_| response.status().is_redirection())?;
    let mut url = response.url().join(location.to_str().ok()?).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(format!(
        "it redirects to {url}, which is not followed (write that address into baseUrl of the ModelProvider if it is right)"
    ))
}

/// As much of it as is read, and whether there is more.
async fn error_body(response: Response) -> (String, bool) {
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    let mut is_cut = false;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else {
            is_cut = true;
            break;
        };
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BODY {
            body.truncate(MAX_ERROR_BODY);
            is_cut = true;
            break;
        }
    }
    (String::from_utf8_lossy(&body).into_owned(), is_cut)
}

/// Reads the answer, text going out as it comes. One that has its reason to stop is whole, whatever the connection does then.
async fn read<S: TextSink>(
    response: Response,
    mut reader: Reader,
    until: Instant,
    speaker: &mut Speaker<'_, S>,
) -> Result<Answer, ModelError<Tainted>> {
    let mut stream = response.bytes_stream();
    let mut settled_until = None;
    while !reader.has_ended() {
        let next = tokio::time::timeout_at(settled_until.unwrap_or(until), stream.next()).await;
        let chunk = match next {
            Err(_) if reader.is_settled() => break,
            Err(_) => return Err(ModelError::Timeout),
            Ok(None) => break,
            Ok(Some(Ok(chunk))) => chunk,
            // A connection that breaks may have brought a reason to stop before; the reader knows.
            Ok(Some(Err(error))) => {
                tracing::debug!(
                    is_timeout = error.is_timeout(),
                    "the model's answer stopped coming"
                );
                break;
            }
        };
        let text = reader.push(&chunk)?;
        let saying = tokio::time::timeout_at(until, speaker.say(&text)).await;
        if saying.is_err() && !reader.is_settled() {
            return Err(ModelError::Timeout);
        }
        settled_until = if reader.is_settled() {
            settled_until.or_else(|| Some(until.min(Instant::now().checked_add(GRACE)?)))
        } else {
            None
        };
    }
    let (rest, outcome) = reader.finish();
    if outcome.is_ok() {
        speaker.say(&rest).await;
    }
    outcome
}

fn unreachable(error: &reqwest::Error) -> ModelError<Tainted> {
    if error.is_timeout() {
        return ModelError::Timeout;
    }
    if error.is_connect() {
        return ModelError::NotConnected(chain(error).into());
    }
    ModelError::Unreachable(chain(error).into())
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
mod secrecy;

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
    #[case::bearer(Dialect::Anthropic, "Authorization", "authorization", "Bearer k")]
    #[case::bare(Dialect::Anthropic, "api-key", "api-key", "k")]
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
    fn a_key_that_brings_its_scheme_keeps_it() {
        let model = Model {
            auth_header: "Authorization".to_owned(),
            ..Model::default()
        };
        let headers = headers(provider(Dialect::Anthropic).unwrap(), &model, Some(b"Basic dTpw")).unwrap();
        assert_eq!(headers.get("authorization").unwrap(), "Basic dTpw");
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
