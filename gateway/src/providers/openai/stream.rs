//! What is answered: <https://platform.openai.com/docs/api-reference/chat/streaming> and the same in one piece, with the habits of
//! its copies.

use crate::providers::answer::{Assembler, Claim, Json, Part, Reason, Seen, tokens};
use crate::providers::conversation::{EXTRA_CONTENT, REASONING_CONTENT};

/// What providers want back of a message.
const STATE: [&str; 4] = [
    REASONING_CONTENT,
    "reasoning_details",
    "thinking_blocks",
    EXTRA_CONTENT,
];

/// Reads a chunk or a whole completion.
pub(super) fn read(json: Json<'_>, into: &mut Assembler) -> Seen {
    let [choices, usage, object] = json.fields(["choices", "usage", "object"]);
    into.used(usage.map(claim).unwrap_or_default());
    if let Some(choices) = choices {
        choices.items(|json| choice(json, into));
    }
    let object = object.and_then(Json::string).unwrap_or_default();
    if object.starts_with("chat.completion") || usage.is_some() || choices.is_some_and(Json::is_list) {
        Seen::Part
    } else {
        Seen::Unknown
    }
}

/// Only one answer is asked for: what belongs to another is left out. Its calls are never made, since they would be those of an answer
/// that nobody asked for, put together with the text of the one that was.
fn choice(json: Json<'_>, into: &mut Assembler) {
    let names = ["index", "delta", "message", "finish_reason", "usage"];
    let [index, delta, message, finish_reason, usage] = json.fields(names);
    if index.and_then(Json::number).is_some_and(|index| index > 0) {
        if delta.or(message).is_some_and(calls) {
            into.calls_elsewhere();
        }
        return;
    }
    into.used(usage.map(claim).unwrap_or_default());
    if let Some(said) = delta.or(message) {
        // The last chunk of some servers repeats the whole message.
        let repeated = delta.is_none()
            && said
                .field("content")
                .is_some_and(|content| into.has_heard(content));
        said_in(said, repeated, into);
    }
    let word = finish_reason.and_then(Json::string).unwrap_or_default();
    if !word.is_empty() {
        into.because(Reason::of(&word));
    }
}

fn calls(said: Json<'_>) -> bool {
    let [tool_calls, function_call] = said.fields(["tool_calls", "function_call"]);
    let mut any = function_call.is_some();
    if let Some(calls) = tool_calls {
        calls.items(|_| any = true);
    }
    any
}

/// Reads a delta or a message.
fn said_in(json: Json<'_>, repeated: bool, into: &mut Assembler) {
    let [content, refusal, tool_calls, function_call, reasoning] =
        json.fields(["content", "refusal", "tool_calls", "function_call", "reasoning"]);
    for (name, part) in STATE.into_iter().zip(json.fields(STATE)) {
        if let Some(part) = part.filter(|_| !repeated) {
            into.field(name, part);
        }
    }
    let thought = reasoning.or(json.field(REASONING_CONTENT));
    if thought.is_some_and(|thought| thought.written() != "\"\"") {
        into.more();
    }
    if let Some(content) = content.or(refusal).filter(|_| !repeated) {
        into.content(content);
    }
    match (tool_calls, function_call) {
        (Some(calls), _) if calls.is_list() => {
            let mut place = 0_usize;
            calls.items(|entry| {
                call(entry, place, into);
                place = place.saturating_add(1);
            });
        }
        (Some(entry), _) => call(entry, 0, into),
        // The older form, which some servers send beside the newer one.
        (None, Some(function)) => function_called(function, into),
        (None, None) => {}
    }
}

fn call(entry: Json<'_>, place: usize, into: &mut Assembler) {
    let [index, id, function] = entry.fields(["index", "id", "function"]);
    // Some servers leave the function's own object out.
    let [name, arguments] = function.unwrap_or(entry).fields(["name", "arguments"]);
    let at = into.call(&Part {
        index: index.and_then(Json::number),
        place,
        id: id.and_then(Json::string).unwrap_or_default(),
        name: name.and_then(Json::string).unwrap_or_default(),
        arguments,
        initial: None,
    });
    if let (Some(at), Some(extra)) = (at, entry.field(EXTRA_CONTENT)) {
        into.field_of_call(at, EXTRA_CONTENT, extra);
    }
}

fn function_called(function: Json<'_>, into: &mut Assembler) {
    let [name, arguments] = function.fields(["name", "arguments"]);
    into.call(&Part {
        name: name.and_then(Json::string).unwrap_or_default(),
        arguments,
        ..Part::default()
    });
}

/// What it used, with the names that DeepSeek and Moonshot have for the part that was cached, and relays of Anthropic's models for
/// the part that was written to a cache. Some servers leave thinking out of the output and count it in the total.
fn claim(usage: Json<'_>) -> Claim {
    let names = [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "cache_creation_input_tokens",
    ];
    let [input, output, total, details, cache_hits, cached, created] = usage.fields(names);
    let (input, output, total) = (tokens(input), tokens(output), tokens(total));
    let beside = |other: Option<u64>| total?.checked_sub(other?);
    let names = ["cached_tokens", "cache_write_tokens", "cache_creation_tokens"];
    let [read, written, made] = details.map_or([None; 3], |details| details.fields(names));
    Claim {
        input: input.or_else(|| beside(output)),
        cached: [read, cache_hits, cached].into_iter().find_map(tokens),
        cache_written: [written, made, created].into_iter().filter_map(tokens).max(),
        output: output.max(beside(input)),
    }
}

#[cfg(test)]
mod tests;
