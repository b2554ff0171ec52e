//! A provider's errors, in every shape and in every place in which they come: as the body of a status, in place of an answer,
//! inside of one, as JSON, as JSON inside of JSON, as a web page, as plain words.

mod class;
mod words;

use std::time::Duration;

use monstrum_scrub::Tainted;
use serde_json::Value;

use super::json::{Document, Json};
use crate::providers::error::ProviderError;
use words::Words;

/// An error, before it is known where it came from.
#[derive(Debug, Clone)]
pub(in crate::providers) struct Fault(ProviderError<Tainted>);

impl Fault {
    /// From the body of a status that is no success.
    pub(in crate::providers) fn of_status(status: u16, body: &str, retry_after: Option<Duration>) -> Self {
        let mut words = Words::default();
        words.read(body, 0);
        words.retry_after = retry_after.or(words.retry_after);
        Self::of(words, status)
    }

    /// That the end of its words was left out.
    pub(in crate::providers) fn cut(mut self, text: String) -> Self {
        self.0.message = text.into();
        self.0.message.cut();
        self
    }

    /// From plain words, or JSON of whatever form, in place of an answer.
    pub(in crate::providers) fn of_text(text: &str) -> Self {
        let mut words = Words::default();
        words.read(text, 0);
        Self::of(words, 0)
    }

    /// From a web page with a status of success, in place of an answer.
    pub(in crate::providers) fn of_page(text: &str) -> Self {
        let mut words = Words::default();
        words.say("a web page came in place of an answer, as from a wrong baseUrl of the ModelProvider");
        words.read(text, 0);
        Self::of(words, 0)
    }

    /// From an event that is said to be an error, whatever is in it.
    pub(in crate::providers) fn of_json(json: Json<'_>) -> Self {
        let mut words = Words::default();
        words.gather(json, 0);
        Self::of(words, 0)
    }

    /// That the answer had begun.
    pub(in crate::providers) fn inside(mut self, began: bool) -> Self {
        self.0.began = began;
        self
    }

    pub(in crate::providers) fn into_error(self) -> ProviderError<Tainted> {
        self.0
    }

    fn of(words: Words, status: u16) -> Self {
        Self(ProviderError {
            class: class::of(&words, status),
            status: if status == 0 {
                words.code.unwrap_or(0)
            } else {
                status
            },
            retry_after: words.retry_after,
            began: false,
            message: words.told().into(),
        })
    }
}

/// The error that JSON is, though it may have the form of an answer besides.
pub(in crate::providers) fn certain(json: Json<'_>) -> Option<Fault> {
    let [
        choices,
        error,
        kind,
        object,
        error_type,
        error_message,
        error_msg,
        errors,
    ] = json.fields([
        "choices",
        "error",
        "type",
        "object",
        "error_type",
        "error_message",
        "error_msg",
        "errors",
    ]);
    let says_so = |field: Option<Json<'_>>| field.and_then(Json::string).is_some_and(|text| text == "error");
    let certain = [error, error_type, error_message, error_msg, errors]
        .into_iter()
        .any(is_said)
        || says_so(kind)
        || says_so(object);
    if certain {
        return Some(Fault::of_json(json));
    }
    // Relays put it beside the half answer.
    let mut within = None;
    let found = choices?.each(|choice| {
        within = choice.field("error").filter(|error| is_said(Some(*error)));
        within.map_or(Ok(()), |_| Err(()))
    });
    found.err().and(within).map(Fault::of_json)
}

/// The error that JSON is most likely, if it is no answer.
pub(in crate::providers) fn likely(json: Json<'_>) -> Option<Fault> {
    if json.is_list() {
        let mut found = None;
        let first = |item| {
            found = certain(item).or_else(|| likely(item));
            if found.is_some() { Err(()) } else { Ok(()) }
        };
        return json.each(first).err().and(found);
    }
    if json.is_string() {
        return json.string().map(|text| Fault::of_text(&text));
    }
    let names = [
        "type",
        "message",
        "msg",
        "Message",
        "detail",
        "code",
        "status",
        "statusCode",
        "base_resp",
        "fault",
    ];
    let [
        kind,
        message,
        msg,
        capital,
        detail,
        code,
        status,
        status_code,
        base_resp,
        fault,
    ] = json.fields(names);
    // Dialects grow: an event of a kind that is not known yet is no error for that.
    let kind = kind
        .and_then(Json::string)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !kind.is_empty()
        && !["error", "exception", "invalid"]
            .iter()
            .any(|word| kind.contains(word))
    {
        return None;
    }
    let has_words = [message, msg, capital, detail, base_resp, fault]
        .into_iter()
        .any(is_said);
    let has_code = [code, status, status_code].into_iter().flatten();
    let is_failure = |code: Json<'_>| {
        code.number().map_or_else(
            || {
                code.string()
                    .is_some_and(|word| word.eq_ignore_ascii_case("error"))
            },
            |number| number >= 400,
        )
    };
    (has_words || has_code.into_iter().any(is_failure)).then(|| Fault::of_json(json))
}

/// Whether there is something in a field: good answers carry `"error": null`, `{}`, `""`, or an object whose every field is such.
fn is_said(field: Option<Json<'_>>) -> bool {
    let parsed = |field: Json<'_>| serde_json::from_str::<Value>(field.written());
    field.is_some_and(|field| !parsed(field).is_ok_and(|value| is_nothing(&value)))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(said) => !said,
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

/// Whether a text is a web page.
pub(in crate::providers) fn is_page(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// The JSON in a text, if it is any.
fn with_json<T>(text: &str, read: impl FnOnce(Json<'_>) -> T) -> Option<T> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    Document::of(text).root().ok().map(read)
}

#[cfg(test)]
mod tests;
