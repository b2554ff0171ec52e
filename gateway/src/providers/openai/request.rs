//! What is asked: <https://platform.openai.com/docs/api-reference/chat/create>.

mod message;
mod reasoning;

use monstrum_wire::policy::{Generation, ReasoningEffort, RequestShape, ToolChoice};
use serde_json::{Map, Value, json};

use crate::providers::conversation::{ModelRequest, ToolSpec};
use crate::providers::schema;
use crate::providers::shape::{self, set};

pub(super) fn body(request: &ModelRequest<'_>) -> Value {
    let model = request.model;
    let shape = shape::shape(model);
    let generation = shape::generation(model);
    let mut body = shape::body(&shape);
    body.insert("model".to_owned(), json!(model.id));
    body.insert("stream".to_owned(), json!(!shape.whole_answers));
    if !shape.whole_answers && !shape.omit_stream_usage {
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    body.insert("messages".to_owned(), Value::Array(message::all(request, &shape)));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|spec| tool(spec, &shape));
        body.insert("tools".to_owned(), tools.collect());
        set(&mut body, "tool_choice", tool_choice(request.tool_choice));
        set(&mut body, "parallel_tool_calls", generation.parallel_tool_calls);
    }
    if model.max_output_tokens > 0 && !shape.omit_output_limit {
        let name = output_limit_name(&shape, &model.base_url);
        body.insert(name.to_owned(), json!(model.max_output_tokens));
    }
    set(&mut body, "temperature", model.temperature);
    generate(&mut body, &generation);
    Value::Object(body)
}

fn generate(body: &mut Map<String, Value>, generation: &Generation) {
    set(body, "top_p", generation.top_p);
    set(body, "seed", generation.seed);
    set(
        body,
        "stop",
        Some(&generation.stop).filter(|stop| !stop.is_empty()),
    );
    let effort = match generation.reasoning_effort() {
        ReasoningEffort::Unspecified => None,
        ReasoningEffort::None => Some("none"),
        ReasoningEffort::Minimal => Some("minimal"),
        ReasoningEffort::Low => Some("low"),
        ReasoningEffort::Medium => Some("medium"),
        ReasoningEffort::High => Some("high"),
        ReasoningEffort::ExtraHigh => Some("xhigh"),
        ReasoningEffort::Max => Some("max"),
    };
    set(body, "reasoning_effort", effort);
}

fn tool_choice(choice: ToolChoice) -> Option<&'static str> {
    match choice {
        ToolChoice::Unspecified => None,
        ToolChoice::Auto => Some("auto"),
        ToolChoice::Required => Some("required"),
        ToolChoice::None => Some("none"),
    }
}

/// OpenAI's own newer models refuse `max_tokens`; the others know only that.
fn output_limit_name<'a>(shape: &'a RequestShape, base_url: &str) -> &'a str {
    if !shape.output_limit_field.is_empty() {
        return &shape.output_limit_field;
    }
    match shape::host(base_url) {
        Some(host) if host == "api.openai.com" || host.ends_with(".openai.azure.com") => {
            "max_completion_tokens"
        }
        Some(_) | None => "max_tokens",
    }
}

fn tool(tool: &ToolSpec, shape: &RequestShape) -> Value {
    let (parameters, words) = schema::shown(&tool.parameters);
    let strict = shape.strict_tools && schema::is_strict(&parameters);
    let mut function = Map::new();
    function.insert("name".to_owned(), json!(tool.name));
    function.insert("description".to_owned(), json!(tool.told(words)));
    function.insert("parameters".to_owned(), parameters);
    if strict {
        function.insert("strict".to_owned(), json!(true));
    }
    json!({ "type": "function", "function": function })
}

#[cfg(test)]
mod tests;
