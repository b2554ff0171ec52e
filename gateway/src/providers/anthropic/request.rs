//! What is asked: <https://docs.anthropic.com/en/api/messages>.

use serde_json::{Map, Value, json};

use crate::providers::conversation::{Message, ModelRequest, ToolCall, ToolSpec};

/// The API wants a limit; this one is used when the policy names none.
const DEFAULT_OUTPUT_TOKENS: u32 = 4096;

pub(super) fn body(request: &ModelRequest<'_>) -> Value {
    let limit = Some(request.model.max_output_tokens)
        .filter(|limit| *limit > 0)
        .unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model.id));
    body.insert("stream".to_owned(), json!(true));
    body.insert("max_tokens".to_owned(), json!(limit));
    body.insert("messages".to_owned(), Value::Array(messages(request.messages)));
    if !request.system.is_empty() {
        // The cache covers tools and system prompt, which stay the same over a conversation.
        let block =
            json!({ "type": "text", "text": request.system, "cache_control": { "type": "ephemeral" } });
        body.insert("system".to_owned(), json!([block]));
    }
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.iter().map(tool).collect());
    }
    if let Some(temperature) = request.model.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    Value::Object(body)
}

/// Roles alternate in this format, so that neighbours of one role become one message.
fn messages(messages: &[Message]) -> Vec<Value> {
    let mut grouped: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = blocks(message);
        if blocks.is_empty() {
            continue;
        }
        match grouped.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            Some(_) | None => grouped.push((role, blocks)),
        }
    }
    grouped
        .into_iter()
        .map(|(role, blocks)| json!({ "role": role, "content": blocks }))
        .collect()
}

fn blocks(message: &Message) -> (&'static str, Vec<Value>) {
    match message {
        Message::User(text) => ("user", text_block(text).into_iter().collect()),
        Message::Assistant { text, calls } => (
            "assistant",
            text_block(text)
                .into_iter()
                .chain(calls.iter().map(call))
                .collect(),
        ),
        Message::ToolResult { id, content, ok } => {
            let block =
                json!({ "type": "tool_result", "tool_use_id": id, "content": content, "is_error": !ok });
            ("user", vec![block])
        }
    }
}

/// Empty text blocks are refused by the API.
fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }))
}

fn call(call: &ToolCall) -> Value {
    json!({ "type": "tool_use", "id": call.id, "name": call.echo_name(), "input": call.echo() })
}

fn tool(tool: &ToolSpec) -> Value {
    json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters })
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::policy::Model;

    #[test]
    fn a_conversation_becomes_alternating_messages() {
        let model = Model {
            id: "m".to_owned(),
            max_output_tokens: 9,
            temperature: Some(0.5),
            ..Model::default()
        };
        let call = |id: &str| ToolCall {
            id: id.to_owned(),
            name: "t".to_owned(),
            arguments: r#"{"a":1}"#.to_owned(),
        };
        let result = |id: &str, ok| Message::ToolResult {
            id: id.to_owned(),
            content: "r".to_owned(),
            ok,
        };
        let messages = [
            Message::User("hello".to_owned()),
            Message::Assistant {
                text: " ".to_owned(),
                calls: vec![call("1"), call("2")],
            },
            result("1", true),
            result("2", false),
            Message::User("and now?".to_owned()),
        ];
        let tools = [ToolSpec {
            name: "t".to_owned(),
            description: "d".to_owned(),
            parameters: json!({ "type": "object" }),
        }];
        let request = ModelRequest {
            model: &model,
            system: "be kind",
            messages: &messages,
            tools: &tools,
            metered: false,
        };
        insta::assert_json_snapshot!(body(&request));
    }
}
