//! What is asked: <https://platform.openai.com/docs/api-reference/chat/create>.

use serde_json::{Map, Value, json};

use crate::providers::conversation::{Message, ModelRequest, ToolCall, ToolSpec};

pub(super) fn body(request: &ModelRequest<'_>) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model.id));
    body.insert("stream".to_owned(), json!(true));
    body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    body.insert("messages".to_owned(), Value::Array(messages(request)));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.iter().map(tool).collect());
    }
    if request.model.max_output_tokens > 0 {
        let name = output_limit_name(&request.model.base_url);
        body.insert(name.to_owned(), json!(request.model.max_output_tokens));
    }
    if let Some(temperature) = request.model.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    Value::Object(body)
}

/// OpenAI's own newer models refuse `max_tokens`; the others know only that.
fn output_limit_name(base_url: &str) -> &'static str {
    let host = reqwest::Url::parse(base_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    match host {
        Some(host) if host == "api.openai.com" || host.ends_with(".openai.azure.com") => {
            "max_completion_tokens"
        }
        Some(_) | None => "max_tokens",
    }
}

fn messages(request: &ModelRequest<'_>) -> Vec<Value> {
    let system = (!request.system.is_empty()).then(|| json!({ "role": "system", "content": request.system }));
    system
        .into_iter()
        .chain(request.messages.iter().map(message))
        .collect()
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({ "role": "user", "content": text }),
        Message::Assistant { text, calls } if calls.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        Message::Assistant { text, calls } => json!({
            "role": "assistant",
            "content": if text.is_empty() { Value::Null } else { json!(text) },
            "tool_calls": calls.iter().map(call).collect::<Vec<_>>(),
        }),
        Message::ToolResult { id, content, .. } => {
            json!({ "role": "tool", "tool_call_id": id, "content": content })
        }
    }
}

fn call(call: &ToolCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.echo_name(), "arguments": call.echo().to_string() },
    })
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": { "name": tool.name, "description": tool.description, "parameters": tool.parameters },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::policy::Model;
    use rstest::rstest;

    #[test]
    fn a_conversation_becomes_chat_messages() {
        let model = Model {
            id: "m".to_owned(),
            base_url: "http://m/v1".to_owned(),
            max_output_tokens: 9,
            ..Model::default()
        };
        let broken = ToolCall {
            id: "1".to_owned(),
            name: "t".to_owned(),
            arguments: "{\"a\":".to_owned(),
        };
        let messages = [
            Message::User("hello".to_owned()),
            Message::Assistant {
                text: String::new(),
                calls: vec![broken],
            },
            Message::ToolResult {
                id: "1".to_owned(),
                content: "no".to_owned(),
                ok: false,
            },
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

    #[rstest]
    #[case("https://api.openai.com/v1", "max_completion_tokens")]
    #[case("https://x.openai.azure.com/openai/v1", "max_completion_tokens")]
    #[case("http://ollama.models.svc:11434/v1", "max_tokens")]
    #[case("https://api.openai.com.evil.example/v1", "max_tokens")]
    fn the_output_limit_has_the_endpoints_name(#[case] base_url: &str, #[case] name: &str) {
        assert_eq!(output_limit_name(base_url), name);
    }
}
