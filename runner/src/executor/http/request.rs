//! From a call to a request, without any I/O.

use std::fmt;

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use monstrum_contract::headers;
use monstrum_contract::http::{self as contract, path};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::template::{Filling, Text, body};
use crate::call::Failure;

/// All but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

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
    pub(super) fn build(
        base: &Url,
        template: &contract::Request,
        arguments: &Value,
    ) -> Result<Self, Failure> {
        let mut url = place(base, &template.path, arguments)?;
        query(&mut url, template, arguments)?;
        let mut headers = filled(template, arguments)?;
        let body = template.body.as_ref();
        let body = body
            .map(|body| body::fill(body, arguments))
            .transpose()?
            .flatten();
        let body = body.map(|body| body.to_string().into_bytes());
        if body.is_some() {
            headers
                .entry(CONTENT_TYPE)
                .or_insert(HeaderValue::from_static("application/json"));
        }
        Ok(Self {
            method: method(template.method),
            url,
            headers,
            body,
        })
    }
}

fn method(method: contract::Method) -> Method {
    match method {
        contract::Method::Get => Method::GET,
        contract::Method::Head => Method::HEAD,
        contract::Method::Post => Method::POST,
        contract::Method::Put => Method::PUT,
        contract::Method::Patch => Method::PATCH,
        contract::Method::Delete => Method::DELETE,
    }
}

/// The URL of the template's path: each value is within one segment, and no segment is a dot segment or empty.
fn place(base: &Url, template: &str, arguments: &Value) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::invalid(format!("the tool's execution: path {template:?} {why}"));
    let below = template
        .strip_prefix('/')
        .ok_or_else(|| wrong("must begin with a slash"))?;
    let mut full = base.path().trim_end_matches('/').to_owned();
    for source in path::segments(below) {
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
    path::below(base, &full).ok_or_else(|| wrong("is not in its normal form"))
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

fn query(url: &mut Url, template: &contract::Request, arguments: &Value) -> Result<(), Failure> {
    for (name, source) in &template.query {
        if let Filling::Full(value) = Text::parse(source)?.fill(arguments)? {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    Ok(())
}

fn filled(template: &contract::Request, arguments: &Value) -> Result<HeaderMap, Failure> {
    let mut filled = HeaderMap::new();
    for (name, source) in &template.headers {
        let header = HeaderName::try_from(name)
            .ok()
            .filter(|header| headers::is_settable(header.as_str()))
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "the tool's execution: {name:?} is no header that it can set"
                ))
            })?;
        if let Filling::Full(value) = Text::parse(source)?.fill(arguments)? {
            filled.insert(header, header_value(name, &value)?);
        }
    }
    Ok(filled)
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
