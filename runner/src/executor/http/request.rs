//! From a call to a request, without any I/O.

use std::fmt;

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::template::{Filling, Template, Text};
use crate::call::Failure;

/// All but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Headers that no template sets: they carry credentials, steer the connection, or describe the message.
const FORBIDDEN_HEADERS: [&str; 17] = [
    "host",
    "authorization",
    "proxy-authorization",
    "proxy-connection",
    "cookie",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
];

/// A request that is ready but for its credential.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// The URL may hold a secret, so only its origin is shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Fills `template` below `base` with `arguments`.
    pub(super) fn build(base: &Url, template: &Template, arguments: &Value) -> Result<Self, Failure> {
        let mut url = place(base, &template.path, arguments)?;
        query(&mut url, template, arguments)?;
        let mut headers = headers(template, arguments)?;
        let body = template
            .body(arguments)?
            .map(|body| body.to_string().into_bytes());
        if body.is_some() {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("application/json"));
        }
        Ok(Self {
            method: template.method.into(),
            url,
            headers,
            body,
        })
    }
}

/// The URL of the template's path: each value is within one segment, and no segment is a dot segment or empty.
fn place(base: &Url, path: &str, arguments: &Value) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::invalid(format!("the tool's execution: path {path:?} {why}"));
    let below = path
        .strip_prefix('/')
        .ok_or_else(|| wrong("must begin with a slash"))?;
    let mut full = base.path().trim_end_matches('/').to_owned();
    for source in segments(below) {
        let text = Text::parse(source)?;
        full.push('/');
        match text.fill(arguments)? {
            Filling::Full(segment) if text.has_pointers() => full.push_str(&encoded(&segment)?),
            Filling::Full(segment) => full.push_str(&segment),
            Filling::Absent(pointer) => {
                return Err(Failure::invalid(format!(
                    "the argument {pointer} is missing; the path needs it"
                )));
            }
        }
    }
    let mut url = base.clone();
    url.set_path(&full);
    // The URL's own parser has the last word: it must have found nothing to fold, cut or resolve.
    if url.path() != full || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("is not in its normal form"));
    }
    Ok(url)
}

/// Splits at slashes that are not a pointer's own.
pub(super) fn segments(path: &str) -> Vec<&str> {
    let mut inside = false;
    let mut previous = ' ';
    path.split(|character: char| {
        let opens = previous == '{' && character == '/';
        inside = (inside || opens) && character != '}';
        previous = character;
        character == '/' && !inside
    })
    .collect()
}

/// Percent-encodes the text of a segment that holds values.
fn encoded(segment: &str) -> Result<String, Failure> {
    if segment.is_empty() || segment == "." || segment == ".." {
        return Err(Failure::refused(format!(
            "{segment:?} can't be a segment of a path"
        )));
    }
    if segment.chars().any(char::is_control) {
        return Err(Failure::refused(
            "a segment of a path can't hold control characters",
        ));
    }
    Ok(utf8_percent_encode(segment, SEGMENT).to_string())
}

fn query(url: &mut Url, template: &Template, arguments: &Value) -> Result<(), Failure> {
    for (name, source) in &template.query {
        if let Filling::Full(value) = Text::parse(source)?.fill(arguments)? {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    Ok(())
}

fn headers(template: &Template, arguments: &Value) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, source) in &template.headers {
        let header = HeaderName::try_from(name)
            .ok()
            .filter(|header| !FORBIDDEN_HEADERS.contains(&header.as_str()))
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "the tool's execution: {name:?} is no header that it can set"
                ))
            })?;
        if let Filling::Full(value) = Text::parse(source)?.fill(arguments)? {
            headers.insert(header, header_value(name, &value)?);
        }
    }
    Ok(headers)
}

/// Visible characters, spaces and tabs only, so that a value can't begin another header.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, Failure> {
    if value
        .chars()
        .any(|character| character.is_control() && character != '\t')
    {
        return Err(Failure::refused(format!(
            "the value of the header {name:?} holds a control character"
        )));
    }
    HeaderValue::from_str(value)
        .map_err(|_| Failure::refused(format!("the value of the header {name:?} can't be sent")))
}

#[cfg(test)]
mod tests;
