//! The forms in which answers come besides the ordinary one. Which of them are whole, which are cut and which are none is for the
//! tests to say.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::reply::{Dialect, Reply};
use crate::{anthropic, call_forms, error_forms, openai};

/// A response as it goes over the wire.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// The HTTP status.
    pub status: u16,
    /// Response headers, in lower case.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body in the chunks in which it is sent.
    pub body: Vec<Vec<u8>>,
    /// The connection stays open after the body, and comments come.
    pub stays_open: bool,
}

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// Empty `data` between the events.
    EmptyEvents,
    /// Comments, `id` and `retry` fields, CRLF, no space after the colon, no blank line at the end, a byte order mark.
    EveryField,
    /// Data lines that only a line break parts.
    NoBlankLines,
    /// All text in one data line of more than one MiB (blanks before the text).
    LongLine,
    /// A raw control byte in a string.
    ControlBytes,
    /// The halves of a character in two events.
    SplitCharacter,
    /// Content as a list of parts, among them unknown ones.
    ContentParts,
    /// Usage whose counts are null, and `choices: null` beside it.
    NullUsage,
    /// Usage that is `{}`.
    EmptyUsage,
    /// Usage of zero tokens.
    ZeroUsage,
    /// Usage below nought.
    NegativeUsage,
    /// A stream with the label of a document.
    LabelledJson,
    /// A stream without a label.
    Unlabelled,
    /// A stream whose label has capitals and parameters.
    OddLabel,
    /// One document though a stream was asked for.
    Whole,
    /// `[DONE]` as the end, in whatever dialect.
    Done,
    /// A reason to stop, and then nothing but comments.
    StaysOpen,
    /// `<think>` at the beginning of the text.
    Thinking,
    /// An error after the reason to stop.
    ErrorAfterEnd,

    /// All calls have index 0.
    SharedIndex,
    /// No call has an index.
    NoIndex,
    /// No call has an id.
    EmptyIds,
    /// All calls have one id.
    DoubledIds,
    /// Arguments are JSON, not a string of it.
    ObjectArguments,
    /// The name comes in two parts.
    NameInPieces,
    /// Id and name come with every part.
    NameRepeated,
    /// All calls in one event.
    OneEvent,
    /// The last event has all calls once more.
    CallsRepeated,
    /// The older `function_call`.
    FunctionCall,
    /// Calls, the mark of the end, no reason to stop.
    NoReason,

    /// The stream ends without reason and without mark.
    BareEnd,
    /// The limit is reached in the middle of a call.
    LimitInCall,
    /// The limit is reached, and the calls look whole.
    LimitAfterCall,
    /// In the middle of a call, with the reason of an answer that is done.
    HalfCall,
    /// The reason is a word that says nothing.
    UnknownReason,
    /// The reason is an error.
    ErrorReason,
    /// Calls are announced by the reason, and there are none.
    NoCalls,

    /// A status with an error as the dialect has it.
    StatusError,
    /// HTTP 200 with an error as a document.
    ErrorDocument,
    /// `error_type` and `error_message`.
    ErrorFields,
    /// `data: error: …`.
    ErrorWords,
    /// An event named `error`.
    ErrorEvent,
    /// Plain words.
    PlainWords,
    /// A web page.
    Page,
    /// `{"object":"error"}` and a message.
    BareError,
    /// `{"detail": …}`.
    Detail,
    /// An error in the stream, which no blank line closes.
    UnclosedError,
    /// Compressed as nobody asked for.
    Brotli,
}

impl Form {
    /// The answer in this form.
    pub fn write(self, dialect: Dialect, reply: &Reply) -> Wire {
        if let Some(wire) = error_forms::write(self, dialect, reply) {
            return wire;
        }
        let events = match call_forms::write(self, dialect, reply) {
            Some(frames) => frames,
            None => self.envelope(dialect, reply),
        };
        let label = match self {
            Self::LabelledJson => "application/json",
            Self::Unlabelled => "",
            Self::OddLabel => "Text/Event-Stream; Charset=\"UTF-8\"",
            Self::Whole => "application/json; charset=utf-8",
            _ => "text/event-stream",
        };
        Wire {
            status: 200,
            headers: (!label.is_empty())
                .then_some(("content-type", label))
                .into_iter()
                .collect(),
            body: events.into_iter().map(String::into_bytes).collect(),
            stays_open: self == Self::StaysOpen,
        }
    }

    fn envelope(self, dialect: Dialect, reply: &Reply) -> Vec<String> {
        let mut frames = reply.stream(dialect, true);
        match self {
            Self::EmptyEvents => {
                frames = frames
                    .into_iter()
                    .flat_map(|frame| ["data:\n\n".to_owned(), frame])
                    .collect();
            }
            Self::EveryField => frames = vec![every_field(&frames.concat())],
            Self::NoBlankLines => frames = frames.iter().map(|frame| frame.replace("\n\n", "\n")).collect(),
            Self::LongLine => {
                return self.with_text(dialect, reply, &format!("{}{}", " ".repeat(3 << 19), reply.text));
            }
            Self::ControlBytes => {
                frames = frames
                    .iter()
                    .map(|frame| frame.replace("\\u0001", "\u{1}"))
                    .collect();
            }
            Self::SplitCharacter => {
                let halves = |frame: &String| frame.replace("HIGH", "\\ud83d").replace("LOW", "\\ude80");
                frames = frames.iter().map(halves).collect();
            }
            Self::ContentParts => return content_parts(dialect, reply),
            Self::NullUsage => return with_usage(dialect, reply, &json!(null)),
            Self::EmptyUsage => return with_usage(dialect, reply, &json!({})),
            Self::ZeroUsage => return with_usage(dialect, reply, &json!(0)),
            Self::NegativeUsage => return with_usage(dialect, reply, &json!(-7)),
            Self::Whole => return vec![reply.whole(dialect).to_string()],
            Self::Done | Self::StaysOpen => {
                frames.pop();
                if self == Self::Done {
                    frames.push(openai::DONE.to_owned());
                }
            }
            Self::Thinking => {
                return self.with_text(
                    dialect,
                    reply,
                    &format!("<think>\nsecret plan\n</think>\n\n{}", reply.text),
                );
            }
            Self::ErrorAfterEnd => {
                frames.pop();
                frames.push(openai::frame(&json!({"error": {"message": "too late"}})));
            }
            _ => {}
        }
        frames
    }

    fn with_text(self, dialect: Dialect, reply: &Reply, text: &str) -> Vec<String> {
        let mut long = reply.clone();
        text.clone_into(&mut long.text);
        if self != Self::LongLine {
            return long.stream(dialect, true);
        }
        let mut events = events(
            dialect,
            &Reply {
                text: "x".to_owned(),
                ..reply.clone()
            },
        );
        for event in &mut events {
            for place in ["/choices/0/delta/content", "/delta/text"] {
                if let Some(said) = event.pointer_mut(place).filter(|said| **said == "x") {
                    *said = json!(text);
                }
            }
        }
        frames(dialect, &events)
    }
}

/// All JSON of a stream.
pub(crate) fn events(dialect: Dialect, reply: &Reply) -> Vec<Value> {
    match dialect {
        Dialect::OpenAi => openai::events(reply, true),
        Dialect::Anthropic => anthropic::events(reply).0,
    }
}

/// A stream of this JSON.
pub(crate) fn frames(dialect: Dialect, events: &[Value]) -> Vec<String> {
    match dialect {
        Dialect::OpenAi => {
            let frames = events.iter().map(openai::frame);
            frames.chain([openai::DONE.to_owned()]).collect()
        }
        Dialect::Anthropic => events.iter().map(anthropic::frame).collect(),
    }
}

fn every_field(stream: &str) -> String {
    let stream = stream.replace("data: ", "data:").replace('\n', "\r\n");
    let stream = stream.trim_end();
    format!("\u{feff}: hello\r\nretry: 1000\r\nid: 7\r\n\r\n{stream}")
}

/// Only one dialect has this form; the other says the same in its own.
fn content_parts(dialect: Dialect, reply: &Reply) -> Vec<String> {
    let mut events = events(dialect, reply);
    for event in &mut events {
        if let Some(content) = event.pointer_mut("/choices/0/delta/content") {
            *content = json!([{"type": "thinking", "thinking": "no"}, {"type": "text", "text": content}, {"type": "x"}]);
        }
    }
    frames(dialect, &events)
}

/// Every count is this; `{}` stands for usage without counts.
fn with_usage(dialect: Dialect, reply: &Reply, count: &Value) -> Vec<String> {
    let mut events = events(dialect, reply);
    for event in &mut events {
        if count.is_null() && event.get("usage").is_some() && event.get("choices").is_some() {
            event["choices"] = Value::Null;
        }
        for place in ["/usage", "/message/usage"] {
            let Some(usage) = event.pointer_mut(place) else {
                continue;
            };
            if count.is_object() {
                *usage = json!({});
            } else if let Some(usage) = usage.as_object_mut() {
                usage.values_mut().for_each(|value| *value = count.clone());
            }
        }
    }
    frames(dialect, &events)
}
