//! What an error says, collected from wherever its words stand.

use std::time::Duration;

use super::super::json::Json;
use super::{is_page, with_json};
use crate::providers::retry;

/// JSON in strings of JSON is opened this often.
const DEEPEST: usize = 5;
/// More messages than this are not collected.
const MOST: usize = 4;
/// More kinds than this many bytes are not looked at.
const MAX_KIND: usize = 4 << 10;

/// Where messages stand, the more telling first.
const MESSAGES: [&str; 14] = [
    "message",
    "Message",
    "msg",
    "error_message",
    "errorMessage",
    "error_msg",
    "error_description",
    "status_msg",
    "faultstring",
    "detail",
    "description",
    "reason",
    "title",
    "raw",
];
/// Where the kind stands.
const KINDS: [&str; 9] = [
    "type",
    "code",
    "status",
    "error_type",
    "errorType",
    "error_code",
    "errorCode",
    "name",
    "__type",
];
/// Where a number stands that is an HTTP status.
const CODES: [&str; 6] = [
    "code",
    "status",
    "status_code",
    "statusCode",
    "http_code",
    "error_code",
];
/// Where more of the error is.
const WITHIN: [&str; 12] = [
    "error",
    "errors",
    "details",
    "metadata",
    "innererror",
    "cause",
    "base_resp",
    "fault",
    "raw",
    "detail",
    "body",
    "message",
];

/// What an error says.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    messages: Vec<String>,
    /// Types and codes, in lower case.
    pub(super) kind: String,
    /// What is in it an HTTP status.
    pub(super) code: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    /// It is a web page.
    pub(super) is_page: bool,
}

impl Words {
    /// All messages, the innermost first.
    pub(super) fn told(&self) -> String {
        self.messages.join(": ")
    }

    /// Reads a text: JSON, a page, or words.
    pub(super) fn read(&mut self, text: &str, depth: usize) {
        if depth < DEEPEST && with_json(text, |json| self.gather(json, depth.saturating_add(1))).is_some() {
            return;
        }
        if is_page(text) {
            self.is_page = true;
            self.say(&page(text));
            return;
        }
        let words = text.trim();
        let bare = words.strip_prefix("error:").or(words.strip_prefix("Error:"));
        let bare = bare.unwrap_or(words).trim();
        // `error: {"message": …}`
        if depth < DEEPEST && bare.len() < words.len() && bare.starts_with('{') {
            self.read(bare, depth.saturating_add(1));
            return;
        }
        self.say(bare);
    }

    /// Reads JSON.
    pub(super) fn gather(&mut self, json: Json<'_>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let deeper = depth.saturating_add(1);
        if json.is_list() {
            let _: Result<(), ()> = json.each(|item| {
                self.gather(item, deeper);
                if self.messages.len() < MOST {
                    Ok(())
                } else {
                    Err(())
                }
            });
        } else if let Some(text) = json.string() {
            self.read(&text, depth);
        } else if json.is_object() {
            self.object(json, deeper);
        }
    }

    fn object(&mut self, json: Json<'_>, deeper: usize) {
        self.classify(json);
        for inner in json.fields(WITHIN).into_iter().flatten() {
            if inner.is_object() || inner.is_list() {
                self.gather(inner, deeper);
            }
        }
        // `{"error": "…"}`
        if let Some(error) = json.field("error").and_then(Json::string) {
            self.read(&error, deeper);
        }
        let place = json.field("loc").map(|place| place.written().to_owned());
        for text in json
            .fields(MESSAGES)
            .into_iter()
            .flatten()
            .filter_map(Json::string)
        {
            match &place {
                Some(place) => self.say(&format!("{place} {text}")),
                None => self.read(&text, deeper),
            }
        }
    }

    fn classify(&mut self, json: Json<'_>) {
        for kind in json.fields(KINDS).into_iter().flatten().filter_map(Json::string) {
            if self.kind.len() < MAX_KIND {
                self.kind.push_str(&kind.to_ascii_lowercase());
                self.kind.push(' ');
            }
        }
        let codes = json.fields(CODES).into_iter().flatten();
        let status = |number: u64| {
            u16::try_from(number)
                .ok()
                .filter(|status| (400..600).contains(status))
        };
        let code = codes.filter_map(Json::number).find_map(status);
        self.code = self.code.or(code);
        let [seconds, millis, delay] = json.fields(["retry_after", "retry_after_ms", "retryDelay"]);
        let wait = |json: Option<Json<'_>>, unit: &str| {
            let text = json?.written().trim_matches('"').to_owned();
            retry::wait(&format!("{text}{unit}"))
        };
        let wait = wait(millis, "ms")
            .or_else(|| wait(seconds, ""))
            .or_else(|| wait(delay, ""));
        self.retry_after = self.retry_after.or(wait);
    }

    pub(super) fn say(&mut self, text: &str) {
        let known = self.messages.iter().any(|message| message.contains(text));
        if !known && self.messages.len() < MOST {
            self.messages.push(text.to_owned());
        }
    }

    /// The messages in lower case, to look for words in.
    pub(super) fn text(&self) -> String {
        self.told().to_ascii_lowercase()
    }
}

/// The title of a page, or what is left without its tags.
fn page(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start.saturating_add("<title>".len());
        let length = lower.get(start..)?.find('<')?;
        text.get(start..start.saturating_add(length))
    });
    if let Some(title) = title.map(str::trim).filter(|title| !title.is_empty()) {
        return title.to_owned();
    }
    let mut inside = false;
    let bare = |character: char| {
        let kept = !inside && character != '<';
        inside = (inside || character == '<') && character != '>';
        if kept { character } else { ' ' }
    };
    text.chars().map(bare).collect::<String>().trim().to_owned()
}
