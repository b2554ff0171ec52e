//! What is answered: <https://platform.openai.com/docs/api-reference/chat/streaming>, with the habits of its copies.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::providers::conversation::{Answer, Opaque, Stop, ToolCall, Usage};
use crate::providers::{Decoded, Decoder, ModelError};

/// More calls than this in one answer are not read.
const MAX_CALLS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Reader {
    text: String,
    calls: Vec<(Option<u64>, ToolCall)>,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
    usage: Option<Tokens>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    content: Option<String>,
    refusal: Option<String>,
    #[serde(borrow)]
    tool_calls: Option<Vec<Fragment<'a>>>,
}

#[derive(Deserialize)]
struct Fragment<'a> {
    index: Option<u64>,
    id: Option<String>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are the wire's")]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<Details>,
    /// DeepSeek's name for the cached part.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Fault {
    message: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<serde_json::Value>,
}

impl Decoder for Reader {
    fn event(&mut self, data: &str) -> Result<Decoded, ModelError> {
        if data.trim() == "[DONE]" {
            return Ok(Decoded {
                text: None,
                last: true,
            });
        }
        let chunk: Chunk<'_> =
            serde_json::from_str(data).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        if let Some(fault) = chunk.error {
            return Err(fault.into_error());
        }
        if let Some(tokens) = chunk.usage {
            self.usage = Some(tokens.usage());
        }
        // Only one answer is asked for, so that further choices can't come.
        let text = chunk
            .choices
            .into_iter()
            .next()
            .map(|choice| self.choice(choice))
            .transpose()?
            .flatten();
        Ok(Decoded { text, last: false })
    }

    fn finish(self: Box<Self>) -> Result<Answer, ModelError> {
        let stop = self.stop.ok_or(ModelError::Cut)?;
        let calls = self.calls.into_iter().map(|(_, call)| call).collect();
        Ok(Answer {
            text: self.text,
            calls,
            stop,
            usage: self.usage,
            state: Opaque::default(),
        })
    }
}

impl Reader {
    fn choice(&mut self, choice: Choice<'_>) -> Result<Option<String>, ModelError> {
        if let Some(reason) = choice.finish_reason {
            self.stop = Some(match reason.as_str() {
                "length" => Stop::Length,
                "content_filter" => Stop::Filtered,
                _ => Stop::Complete,
            });
        }
        let Some(delta) = choice.delta else {
            return Ok(None);
        };
        for fragment in delta.tool_calls.unwrap_or_default() {
            self.fragment(fragment)?;
        }
        let text = delta.content.or(delta.refusal).filter(|text| !text.is_empty());
        self.text.push_str(text.as_deref().unwrap_or_default());
        Ok(text)
    }

    /// Fragments of one call share an index; servers that send none give an id on a call's first fragment.
    fn fragment(&mut self, fragment: Fragment<'_>) -> Result<(), ModelError> {
        let id = fragment.id.unwrap_or_default();
        let known = match fragment.index {
            Some(index) => self.calls.iter().rposition(|(known, _)| *known == Some(index)),
            None if id.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().rposition(|(_, call)| call.id == id),
        };
        let at = match known {
            Some(at) => at,
            None if self.calls.len() >= MAX_CALLS => {
                return Err(ModelError::Unreadable(format!(
                    "more than {MAX_CALLS} tool calls in one answer"
                )));
            }
            None => {
                self.calls.push((fragment.index, ToolCall::default()));
                self.calls.len().saturating_sub(1)
            }
        };
        let Some((_, call)) = self.calls.get_mut(at) else {
            return Ok(());
        };
        if call.id.is_empty() {
            call.id = id;
        }
        let Some(function) = fragment.function else {
            return Ok(());
        };
        if call.name.is_empty() {
            call.name = function.name.unwrap_or_default();
        }
        append(&mut call.arguments, function.arguments);
        Ok(())
    }
}

/// Arguments come as JSON inside a string; some servers send the object itself, which is kept as it was written.
fn append(arguments: &mut String, raw: Option<&RawValue>) {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else {
        return;
    };
    match serde_json::from_str::<String>(raw) {
        Ok(text) => arguments.push_str(&text),
        Err(_) => arguments.push_str(raw),
    }
}

impl Tokens {
    fn usage(&self) -> Usage {
        let details = self
            .prompt_tokens_details
            .as_ref()
            .and_then(|details| details.cached_tokens);
        Usage {
            input: self.prompt_tokens,
            cached: details.or(self.prompt_cache_hit_tokens).unwrap_or(0),
            output: self.completion_tokens,
            ..Usage::default()
        }
    }
}

impl Fault {
    fn into_error(self) -> ModelError {
        let message = self.message.unwrap_or_else(|| "no message".to_owned());
        if let Some(status) = self.code.as_ref().and_then(serde_json::Value::as_u64) {
            let status = u16::try_from(status).unwrap_or(500);
            return ModelError::from_status(status, message, None);
        }
        let code = self
            .code
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default();
        ModelError::from_kind(&format!("{} {code}", self.kind.unwrap_or_default()), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SAMPLE: &str = r#"{"choices":[{"delta":{"content":null,"tool_calls":[{"index":9,"id":"a","function":{"name":"t","arguments":{"a":1}}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;

    fn read(events: &[&str]) -> Result<Answer, ModelError> {
        let mut reader = Box::new(Reader::default());
        for event in events {
            reader.event(event)?;
        }
        reader.finish()
    }

    fn chunk(delta: &str, finish: &str) -> String {
        format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#)
    }

    #[test]
    fn parallel_fragments_join_and_keep_the_models_text() {
        let answer = read(&[
            &chunk(r#"{"role":"assistant","content":"let me "}"#, "null"),
            &chunk(
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":""}}]}"#,
                "null",
            ),
            &chunk(
                r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"u","arguments":"{\"x\":1,"}}]}"#,
                "null",
            ),
            &chunk(
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
                "null",
            ),
            &chunk(
                r#"{"tool_calls":[{"index":1,"function":{"arguments":"\"x\":2}"}}]}"#,
                "\"tool_calls\"",
            ),
            "[DONE]",
        ])
        .unwrap();
        assert_eq!(answer.text, "let me ");
        let calls: Vec<_> = answer
            .calls
            .iter()
            .map(|call| (&*call.id, &*call.name, &*call.arguments))
            .collect();
        assert_eq!(calls, [("a", "t", "{}"), ("b", "u", r#"{"x":1,"x":2}"#)]);
    }

    #[rstest]
    #[case::openai(
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#
    )]
    #[case::deepseek(
        r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":4}}"#
    )]
    fn cached_tokens_are_read_under_both_names(#[case] usage: &str) {
        let answer = read(&[&chunk(r#"{"content":"ok"}"#, "\"stop\""), usage]).unwrap();
        assert_eq!(
            answer.usage,
            Some(Usage {
                input: 9,
                cached: 4,
                output: 2,
                ..Usage::default()
            })
        );
    }

    #[test]
    fn an_answer_without_a_reason_to_stop_broke_off() {
        assert_eq!(
            read(&[&chunk(r#"{"content":"half"}"#, "null")]),
            Err(ModelError::Cut)
        );
        assert_eq!(
            read(&[&chunk(r#"{"content":"half"}"#, "null"), "[DONE]"]),
            Err(ModelError::Cut)
        );
    }

    #[test]
    fn an_object_in_place_of_text_is_kept_as_written() {
        let delta = r#"{"tool_calls":[{"id":"a","function":{"name":"t","arguments":{"x":1,"x":2}}}]}"#;
        assert_eq!(
            read(&[&chunk(delta, "\"stop\"")]).unwrap().calls[0].arguments,
            r#"{"x":1,"x":2}"#
        );
    }

    #[test]
    fn an_error_inside_the_stream_is_an_error() {
        let event = r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#;
        assert!(matches!(read(&[event]), Err(ModelError::Busy { .. })));
        let event = r#"{"error":{"message":"no","code":503}}"#;
        assert!(matches!(
            read(&[event]),
            Err(ModelError::Failed { status: 503, .. })
        ));
    }

    #[test]
    fn a_missing_id_stays_missing() {
        let delta = r#"{"tool_calls":[{"index":0,"function":{"name":"t","arguments":"{}"}}]}"#;
        assert_eq!(read(&[&chunk(delta, "\"tool_calls\"")]).unwrap().calls[0].id, "");
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
