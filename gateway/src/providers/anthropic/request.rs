//! What is asked: <https://docs.anthropic.com/en/api/messages>.

mod cache;
mod message;
mod thinking;

use monstrum_wire::policy::{RequestShape, ToolChoice};
use serde_json::{Map, Value, json};

use crate::providers::conversation::{Message, ModelRequest, ToolSpec};
use crate::providers::schema;
use crate::providers::shape::{self, set};
use cache::Marks;
use thinking::Thoughts;

/// The API wants a limit; this one is used when the policy names none.
const DEFAULT_OUTPUT_TOKENS: u32 = 4096;

pub(super) fn body(request: &ModelRequest<'_>) -> Value {
    let model = request.model;
    let shape = shape::shape(model);
    let limit = Some(model.max_output_tokens).filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let mut body = shape::body(&shape);
    let thoughts = Thoughts::of(request, &shape, limit, &mut body);
    let marks = Marks::of(&shape);
    body.insert("model".to_owned(), json!(model.id));
    body.insert("stream".to_owned(), json!(!shape.whole_answers));
    body.insert("max_tokens".to_owned(), json!(limit));
    let messages = marks.conversation(message::all(request, &thoughts));
    body.insert("messages".to_owned(), Value::Array(messages));
    if !request.system.is_empty() {
        let block = json!({ "type": "text", "text": request.system });
        body.insert("system".to_owned(), json!([marks.block(block)]));
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|spec| tool(spec, &shape)).collect();
        body.insert("tools".to_owned(), Value::Array(marks.last(tools)));
        set(&mut body, "tool_choice", tool_choice(request));
    } else if has_calls(request.messages) {
        // The API refuses a conversation with calls in a request without tools, as it is once all tools were revoked.
        body.insert("tools".to_owned(), json!([no_tool()]));
        body.insert("tool_choice".to_owned(), json!({ "type": "none" }));
    }
    generate(&mut body, request);
    Value::Object(body)
}

fn has_calls(messages: &[Message]) -> bool {
    messages.iter().any(|message| match message {
        Message::Assistant { calls, .. } => !calls.is_empty(),
        Message::ToolResult { .. } => true,
        Message::User { .. } => false,
    })
}

/// What stands in place of tools where there are none. It may not be called, and would not be known.
fn no_tool() -> Value {
    json!({ "name": "none", "description": "There are no tools.", "input_schema": { "type": "object", "properties": {} } })
}

fn generate(body: &mut Map<String, Value>, request: &ModelRequest<'_>) {
    let generation = shape::generation(request.model);
    set(body, "temperature", request.model.temperature);
    set(body, "top_p", generation.top_p);
    let stop = Some(&generation.stop).filter(|stop| !stop.is_empty());
    set(body, "stop_sequences", stop);
}

/// The switch for parallel calls is part of the choice here.
fn tool_choice(request: &ModelRequest<'_>) -> Option<Value> {
    let parallel = shape::generation(request.model).parallel_tool_calls;
    let kind = match request.tool_choice {
        ToolChoice::Unspecified if parallel.is_none() => return None,
        ToolChoice::None => return Some(json!({ "type": "none" })),
        ToolChoice::Unspecified | ToolChoice::Auto => "auto",
        ToolChoice::Required => "any",
    };
    let mut choice = Map::from_iter([("type".to_owned(), json!(kind))]);
    set(
        &mut choice,
        "disable_parallel_tool_use",
        parallel.map(|parallel| !parallel),
    );
    Some(Value::Object(choice))
}

fn tool(tool: &ToolSpec, shape: &RequestShape) -> Value {
    let (parameters, words) = schema::shown(&tool.parameters);
    let strict = shape.strict_tools && schema::is_strict(&parameters);
    let mut shown = Map::new();
    shown.insert("name".to_owned(), json!(tool.name));
    shown.insert("description".to_owned(), json!(tool.told(words)));
    shown.insert("input_schema".to_owned(), parameters);
    if strict {
        shown.insert("strict".to_owned(), json!(true));
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests;
