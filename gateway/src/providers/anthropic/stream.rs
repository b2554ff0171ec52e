//! What is answered: <https://docs.anthropic.com/en/api/messages-streaming> and the same in one piece.

use crate::providers::answer::{Assembler, Claim, Json, Part, Reason, Seen, tokens};

/// Reads an event or a whole message.
pub(super) fn read(json: Json<'_>, into: &mut Assembler) -> Seen {
    let names = [
        "type",
        "index",
        "content_block",
        "delta",
        "message",
        "usage",
        "content",
    ];
    let [kind, index, content_block, delta, message, usage, content] = json.fields(names);
    let index = index.and_then(Json::number);
    match (
        kind.and_then(Json::string).unwrap_or_default().as_str(),
        message,
        content_block,
        delta,
    ) {
        ("message_start", Some(message), _, _) => whole(message, into),
        ("content_block_start", _, Some(content), _) => block(content, index, false, into),
        ("content_block_delta", _, _, Some(delta)) => piece(delta, index, into),
        ("message_delta", _, _, delta) => {
            because(delta, into);
            into.used(usage.map(claim).unwrap_or_default());
        }
        (
            "message_start" | "content_block_start" | "content_block_delta" | "content_block_stop" | "ping",
            ..,
        ) => {}
        ("message_stop", ..) => return Seen::Last,
        ("message", ..) => whole(json, into),
        _ if content.is_some_and(Json::is_list) => whole(json, into),
        _ => return Seen::Unknown,
    }
    Seen::Part
}

/// A message, which is empty at the start of a stream.
fn whole(message: Json<'_>, into: &mut Assembler) {
    let [content, usage] = message.fields(["content", "usage"]);
    if let Some(content) = content.filter(|content| content.is_list()) {
        let mut index = 0_u64;
        content.items(|content| {
            block(content, Some(index), true, into);
            index = index.saturating_add(1);
        });
    } else if let Some(content) = content {
        into.content(content);
    }
    because(Some(message), into);
    into.used(usage.map(claim).unwrap_or_default());
}

fn because(holder: Option<Json<'_>>, into: &mut Assembler) {
    let word = holder.and_then(|holder| holder.field("stop_reason"));
    let word = word.and_then(Json::string).unwrap_or_default();
    if !word.is_empty() {
        into.because(Reason::of(&word));
    }
}

fn block(block: Json<'_>, index: Option<u64>, is_whole: bool, into: &mut Assembler) {
    let [kind, text, id, name, input] = block.fields(["type", "text", "id", "name", "input"]);
    match kind.and_then(Json::string).unwrap_or_default().as_str() {
        "tool_use" => {
            into.call(&Part {
                index,
                id: id.and_then(Json::string).unwrap_or_default(),
                name: name.and_then(Json::string).unwrap_or_default(),
                arguments: input.filter(|_| is_whole),
                // In a stream it stands for what is still to come.
                initial: input.filter(|_| !is_whole),
                ..Part::default()
            });
        }
        "text" => {
            if let Some(text) = text {
                into.content(text);
            }
        }
        // Thinking, signed or hidden: the provider wants it back.
        _ => into.block(index, block),
    }
}

fn piece(delta: Json<'_>, index: Option<u64>, into: &mut Assembler) {
    let [text, partial_json] = delta.fields(["text", "partial_json"]);
    if partial_json.is_some() && into.is_block(index) {
        // A tool that the provider itself ran, though nobody asked it to: no call of ours.
        into.spoil_state();
    } else if let Some(arguments) = partial_json {
        into.call(&Part {
            index,
            arguments: Some(arguments),
            ..Part::default()
        });
    } else if let Some(text) = text {
        into.content(text);
    } else {
        into.more_of_block(index, delta);
    }
}

/// What it used; `input_tokens` leaves out what was read from or written to the cache, ours counts all of it.
fn claim(usage: Json<'_>) -> Claim {
    let names = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    ];
    let [input, written, read, output] = usage.fields(names).map(tokens);
    let parts = [input, written, read].into_iter().flatten();
    Claim {
        input: parts.reduce(u64::saturating_add),
        cached: read,
        cache_written: written,
        output,
    }
}

#[cfg(test)]
mod tests;
