//! What is answered: <https://docs.anthropic.com/en/api/messages-streaming>.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::providers::conversation::{Answer, Opaque, Stop, ToolCall, Usage};
use crate::providers::{Decoded, Decoder, ModelError};

/// More calls than this in one answer are not read.
const MAX_CALLS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Reader {
    text: String,
    calls: BTreeMap<u64, Call>,
    stop: Option<Stop>,
    tokens: Option<Tokens>,
}

#[derive(Debug, Default)]
struct Call {
    call: ToolCall,
    /// The input that came with the block's start; it holds when no fragment follows.
    initial: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    MessageDelta {
        delta: Ending,
        usage: Option<Tokens>,
    },
    MessageStop,
    Error {
        error: Fault,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    usage: Option<Tokens>,
}

/// Read apart from [`Event`], because raw text does not survive an internally tagged enum.
#[derive(Deserialize)]
struct BlockStart<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    index: Option<u64>,
    #[serde(borrow)]
    content_block: Option<Block<'a>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are the wire's")]
struct Tokens {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    message: String,
}

impl Decoder for Reader {
    fn event(&mut self, data: &str) -> Result<Decoded, ModelError> {
        let unreadable = |error: serde_json::Error| ModelError::Unreadable(error.to_string());
        if let Ok(BlockStart {
            kind: "content_block_start",
            index,
            content_block: Some(block),
        }) = serde_json::from_str::<BlockStart<'_>>(data)
        {
            return self.start_block(index.unwrap_or(0), block);
        }
        match serde_json::from_str::<Event>(data).map_err(unreadable)? {
            Event::MessageStart { message } => self.count(message.usage),
            Event::ContentBlockDelta { index, delta } => return Ok(self.delta(index, delta)),
            Event::MessageDelta { delta, usage } => {
                self.count(usage);
                self.stop = delta.stop_reason.as_deref().map(stop).or(self.stop);
            }
            Event::MessageStop => {
                return Ok(Decoded {
                    text: None,
                    last: true,
                });
            }
            Event::Error { error } => return Err(ModelError::from_kind(&error.kind, error.message)),
            Event::Other => {}
        }
        Ok(Decoded::default())
    }

    fn finish(self: Box<Self>) -> Result<Answer, ModelError> {
        let stop = self.stop.ok_or(ModelError::Cut)?;
        let calls = self.calls.into_values().map(Call::finish).collect();
        Ok(Answer {
            text: self.text,
            calls,
            stop,
            usage: self.tokens.map(Tokens::usage),
            state: Opaque::default(),
        })
    }
}

impl Reader {
    fn start_block(&mut self, index: u64, block: Block<'_>) -> Result<Decoded, ModelError> {
        if block.kind == "tool_use" {
            if self.calls.len() >= MAX_CALLS {
                return Err(ModelError::Unreadable(format!(
                    "more than {MAX_CALLS} tool calls in one answer"
                )));
            }
            let call = ToolCall {
                id: block.id.unwrap_or_default(),
                name: block.name.unwrap_or_default(),
                arguments: String::new(),
            };
            let initial = block.input.map_or("{}", RawValue::get).to_owned();
            self.calls.insert(index, Call { call, initial });
            return Ok(Decoded::default());
        }
        Ok(self.said(block.text.filter(|_| block.kind == "text").unwrap_or_default()))
    }

    fn delta(&mut self, index: u64, delta: Delta) -> Decoded {
        match delta {
            Delta::Text { text } => self.said(text),
            Delta::InputJson { partial_json } => {
                if let Some(call) = self.calls.get_mut(&index) {
                    call.call.arguments.push_str(&partial_json);
                }
                Decoded::default()
            }
            Delta::Other => Decoded::default(),
        }
    }

    fn said(&mut self, text: String) -> Decoded {
        self.text.push_str(&text);
        Decoded {
            text: Some(text).filter(|text| !text.is_empty()),
            last: false,
        }
    }

    /// The counts of `message_delta` are cumulative and name only what changed.
    fn count(&mut self, tokens: Option<Tokens>) {
        let Some(new) = tokens else { return };
        let known = self.tokens.unwrap_or_default();
        self.tokens = Some(Tokens {
            input_tokens: new.input_tokens.or(known.input_tokens),
            cache_creation_input_tokens: new
                .cache_creation_input_tokens
                .or(known.cache_creation_input_tokens),
            cache_read_input_tokens: new.cache_read_input_tokens.or(known.cache_read_input_tokens),
            output_tokens: new.output_tokens.or(known.output_tokens),
        });
    }
}

impl Call {
    fn finish(self) -> ToolCall {
        let mut call = self.call;
        if call.arguments.is_empty() {
            call.arguments = self.initial;
        }
        call
    }
}

impl Tokens {
    /// `input_tokens` leaves out what was read from or written to the cache; ours counts all of it.
    fn usage(self) -> Usage {
        let cached = self.cache_read_input_tokens.unwrap_or(0);
        let cache_written = self.cache_creation_input_tokens.unwrap_or(0);
        let input = self
            .input_tokens
            .unwrap_or(0)
            .saturating_add(cache_written)
            .saturating_add(cached);
        Usage {
            input,
            cached,
            cache_written,
            output: self.output_tokens.unwrap_or(0),
        }
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Filtered,
        _ => Stop::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":50,"cache_creation_input_tokens":200,"cache_read_input_tokens":1000,"output_tokens":1}}}"#;
    const TOOL: &str = r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"tu","name":"t","input":{}}}"#;
    const END: &str =
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":42}}"#;

    const SAMPLE: &str = r#"{"type":"content_block_start","index":18446744073709551615,"content_block":{"type":"tool_use","id":null,"input":[1,{"a":null}]}}"#;

    fn read(events: &[&str]) -> Result<Answer, ModelError> {
        let mut reader = Box::new(Reader::default());
        for event in events {
            reader.event(event)?;
        }
        reader.finish()
    }

    fn fragment(json: &str) -> String {
        format!(
            r#"{{"type":"content_block_delta","index":1,"delta":{{"type":"input_json_delta","partial_json":{}}}}}"#,
            serde_json::to_string(json).unwrap()
        )
    }

    #[test]
    fn text_call_and_usage_are_read() {
        let answer = read(&[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            TOOL,
            &fragment(r#"{"x": 1, "#),
            &fragment(r#""x": 2}"#),
            END,
            r#"{"type":"message_stop"}"#,
        ])
        .unwrap();
        assert_eq!(answer.text, "hi");
        assert_eq!(answer.calls[0].arguments, r#"{"x": 1, "x": 2}"#);
        assert_eq!(
            answer.usage,
            Some(Usage {
                input: 1250,
                cached: 1000,
                cache_written: 200,
                output: 42
            })
        );
    }

    #[test]
    fn a_call_without_fragments_has_the_input_of_its_start() {
        assert_eq!(read(&[START, TOOL, END]).unwrap().calls[0].arguments, "{}");
        let whole = TOOL.replace(r#""input":{}"#, r#""input":{"a":1,"a":2}"#);
        assert_eq!(
            read(&[START, &whole, END]).unwrap().calls[0].arguments,
            r#"{"a":1,"a":2}"#
        );
    }

    #[test]
    fn thinking_is_not_shown() {
        let answer = read(&[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            END,
        ])
        .unwrap();
        assert_eq!(answer.text, "");
    }

    #[test]
    fn a_stream_that_ends_early_broke_off() {
        assert_eq!(read(&[START, TOOL, &fragment("{")]), Err(ModelError::Cut));
    }

    #[test]
    fn overload_in_mid_stream_is_transient() {
        let event = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert!(read(&[START, event]).unwrap_err().is_transient());
    }

    proptest::proptest! {
        /// Whatever a server sends is read or refused, and nothing of it ends the process.
        #[test]
        fn garbage_is_refused_without_a_panic(events in proptest::collection::vec(".{0,60}", 0..4), cut in 0_usize..200) {
            let mut reader = Box::new(Reader::default());
            for event in &events {
                drop(reader.event(event));
            }
            let whole = SAMPLE;
            drop(reader.event(whole.get(..cut.min(whole.len())).unwrap_or(whole)));
            drop(reader.finish());
        }
    }
}
