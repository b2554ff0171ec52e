//! Answers as Anthropic Messages writes them.

use serde_json::{Value, json};

use crate::reply::{Reply, ReplyCall};

/// The answer in one object.
pub fn whole(reply: &Reply) -> Value {
    let mut content = Vec::new();
    if !reply.text.is_empty() {
        content.push(json!({"type": "text", "text": reply.text}));
    }
    content.extend(
        reply
            .calls
            .iter()
            .map(|call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input(call)})),
    );
    json!({
        "id": format!("msg_{}", reply.id), "type": "message", "role": "assistant", "model": reply.model,
        "content": content, "stop_reason": stop(reply), "stop_sequence": null, "usage": usage(reply),
    })
}

/// The answer as server-sent events.
pub fn stream(reply: &Reply) -> Vec<String> {
    let (events, content) = events(reply);
    let mut frames: Vec<String> = events.iter().map(frame).collect();
    if reply.cut {
        frames.truncate(content / 2 + 1);
    }
    frames
}

/// All events, and how many of them come before the reason to stop.
pub(crate) fn events(reply: &Reply) -> (Vec<Value>, usize) {
    let mut events = vec![json!({"type": "message_start", "message": {
        "id": format!("msg_{}", reply.id), "type": "message", "role": "assistant", "model": reply.model,
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage(reply),
    }})];
    let mut index = 0;
    if !reply.text.is_empty() {
        let pieces = reply.pieces().into_iter();
        let deltas = pieces.map(|piece| json!({"type": "text_delta", "text": piece}));
        events.extend(block(
            index,
            &json!({"type": "text", "text": ""}),
            deltas.collect(),
        ));
        index += 1;
    }
    for call in &reply.calls {
        let (first, second) = call.fragments();
        let start = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
        let deltas = [first, second].map(|part| json!({"type": "input_json_delta", "partial_json": part}));
        events.extend(block(index, &start, deltas.to_vec()));
        index += 1;
    }
    let content = events.len();
    events.push(json!({
        "type": "message_delta", "delta": {"stop_reason": stop(reply), "stop_sequence": null},
        "usage": {"output_tokens": reply.output_tokens},
    }));
    events.push(json!({"type": "message_stop"}));
    (events, content)
}

pub(crate) fn block(index: usize, start: &Value, deltas: Vec<Value>) -> Vec<Value> {
    let mut events = vec![json!({"type": "content_block_start", "index": index, "content_block": start})];
    let deltas = deltas.into_iter();
    events.extend(deltas.map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})));
    events.push(json!({"type": "content_block_stop", "index": index}));
    events
}

/// One event.
pub(crate) fn frame(event: &Value) -> String {
    format!(
        "event: {}\ndata: {event}\n\n",
        event["type"].as_str().unwrap_or_default()
    )
}

/// Outside of a stream the input is an object; text that is none can only be sent in a stream.
fn input(call: &ReplyCall) -> Value {
    serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}))
}

fn stop(reply: &Reply) -> &str {
    reply.stop("end_turn", "tool_use")
}

fn usage(reply: &Reply) -> Value {
    json!({
        "input_tokens": reply.input_tokens.saturating_sub(reply.cached_tokens.saturating_add(reply.cache_written_tokens)),
        "cache_creation_input_tokens": reply.cache_written_tokens, "cache_read_input_tokens": reply.cached_tokens,
        "output_tokens": reply.output_tokens,
    })
}
