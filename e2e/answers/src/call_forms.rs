//! The forms of calls, and of answers that end in the middle of one.

use serde_json::{Value, json};

use crate::form::{Form, events, frames};
use crate::reply::{Dialect, Reply, ReplyCall};
use crate::{anthropic, openai};

/// The stream, if it is one of these forms.
pub(crate) fn write(form: Form, dialect: Dialect, reply: &Reply) -> Option<Vec<String>> {
    Some(match form {
        Form::EmptyIds => with_ids(dialect, reply, ""),
        Form::DoubledIds => with_ids(dialect, reply, "same"),
        Form::SharedIndex
        | Form::NoIndex
        | Form::ObjectArguments
        | Form::NameInPieces
        | Form::NameRepeated
        | Form::OneEvent
        | Form::CallsRepeated
        | Form::FunctionCall => calls(form, dialect, reply),
        Form::NoReason => {
            let events = without_reason(events(dialect, reply));
            let mut frames = frames(dialect, &events);
            if dialect == Dialect::Anthropic {
                frames.pop();
                frames.push(openai::DONE.to_owned());
            }
            frames
        }
        Form::BareEnd => {
            let mut frames = frames(dialect, &without_reason(events(dialect, reply)));
            frames.pop();
            frames
        }
        Form::LimitInCall => ended(dialect, &half(reply), limit(dialect)),
        Form::LimitAfterCall => ended(dialect, reply, limit(dialect)),
        Form::HalfCall => half(reply).stream(dialect, true),
        Form::UnknownReason => ended(dialect, reply, "unknown"),
        Form::ErrorReason => ended(dialect, reply, "error"),
        Form::NoCalls => {
            let none = Reply {
                calls: Vec::new(),
                ..reply.clone()
            };
            ended(
                dialect,
                &none,
                reply.stop(
                    "tool_calls",
                    if dialect == Dialect::OpenAi {
                        "tool_calls"
                    } else {
                        "tool_use"
                    },
                ),
            )
        }
        _ => return None,
    })
}

fn limit(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "length",
        Dialect::Anthropic => "max_tokens",
    }
}

fn ended(dialect: Dialect, reply: &Reply, reason: &str) -> Vec<String> {
    let reply = Reply {
        reason: Some(reason.to_owned()),
        ..reply.clone()
    };
    reply.stream(dialect, true)
}

fn with_ids(dialect: Dialect, reply: &Reply, id: &str) -> Vec<String> {
    let mut reply = reply.clone();
    for call in &mut reply.calls {
        id.clone_into(&mut call.id);
    }
    reply.stream(dialect, true)
}

/// The last call ends in the middle of its arguments.
fn half(reply: &Reply) -> Reply {
    let mut reply = reply.clone();
    if let Some(call) = reply.calls.last_mut() {
        call.arguments = call.fragments().0.to_owned();
    }
    reply
}

fn without_reason(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        for place in ["/choices/0/finish_reason", "/delta/stop_reason"] {
            if let Some(reason) = event.pointer_mut(place) {
                *reason = Value::Null;
            }
        }
    }
    events
}

/// Calls in a form of their own, between the text and the end.
fn calls(form: Form, dialect: Dialect, reply: &Reply) -> Vec<String> {
    let said = Reply {
        calls: Vec::new(),
        ..reply.clone()
    };
    let before = match dialect {
        Dialect::OpenAi => events(dialect, &said).len() - 2,
        Dialect::Anthropic => anthropic::events(&said).1,
    };
    let mut all = events(
        dialect,
        &Reply {
            reason: Some(reply.stop("", word(dialect)).to_owned()),
            ..said
        },
    );
    let end = all.split_off(before);
    match dialect {
        Dialect::OpenAi => all.extend(
            deltas(form, reply)
                .iter()
                .map(|delta| openai::chunk(reply, delta, &Value::Null)),
        ),
        Dialect::Anthropic => all.extend(blocks(form, reply)),
    }
    all.extend(end);
    frames(dialect, &all)
}

fn word(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "tool_calls",
        Dialect::Anthropic => "tool_use",
    }
}

fn deltas(form: Form, reply: &Reply) -> Vec<Value> {
    let list = |entries: Vec<Value>| json!({"tool_calls": entries});
    let whole = |(index, call): (usize, &ReplyCall)| json!({"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}});
    let entries: Vec<Value> = reply.calls.iter().enumerate().map(whole).collect();
    match form {
        Form::OneEvent => vec![list(entries)],
        Form::CallsRepeated => {
            let mut deltas: Vec<Value> = entries.iter().map(|entry| list(vec![entry.clone()])).collect();
            deltas.push(list(entries));
            deltas
        }
        Form::FunctionCall => {
            let call =
                |call: &ReplyCall| json!({"function_call": {"name": call.name, "arguments": call.arguments}});
            reply.calls.iter().take(1).map(call).collect()
        }
        _ => {
            let parts = reply
                .calls
                .iter()
                .enumerate()
                .flat_map(|(index, call)| parts(form, index, call));
            parts.map(|part| list(vec![part])).collect()
        }
    }
}

fn parts(form: Form, index: usize, call: &ReplyCall) -> Vec<Value> {
    let (first, second) = call.fragments();
    let (id, name) = (&call.id, &call.name);
    let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    match form {
        Form::SharedIndex => vec![
            json!({"index": 0, "id": id, "function": {"name": name, "arguments": first}}),
            json!({"index": 0, "id": id, "function": {"arguments": second}}),
        ],
        Form::NoIndex => vec![
            json!({"id": id, "function": {"name": name, "arguments": first}}),
            json!({"function": {"arguments": second}}),
        ],
        Form::ObjectArguments => {
            vec![json!({"index": index, "id": id, "function": {"name": name, "arguments": arguments}})]
        }
        Form::NameInPieces => {
            let (head, tail) = name.split_at(name.len() / 2);
            vec![
                json!({"index": index, "id": id, "function": {"name": head}}),
                json!({"index": index, "function": {"name": tail}}),
                json!({"index": index, "function": {"arguments": call.arguments}}),
            ]
        }
        _ => vec![
            json!({"index": index, "id": id, "function": {"name": name, "arguments": first}}),
            json!({"index": index, "id": id, "function": {"name": name, "arguments": second}}),
            json!({"index": index, "id": id, "function": {"name": name, "arguments": ""}}),
        ],
    }
}

/// The other dialect has fewer of these forms.
fn blocks(form: Form, reply: &Reply) -> Vec<Value> {
    let block = |(index, call): (usize, &ReplyCall)| {
        let (first, second) = call.fragments();
        let input: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        let (input, parts) = match form {
            Form::ObjectArguments | Form::OneEvent => (input, Vec::new()),
            _ => (json!({}), vec![first, second]),
        };
        let index = if form == Form::SharedIndex { 0 } else { index + 1 };
        let start = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input});
        let parts = parts
            .into_iter()
            .map(|part| json!({"type": "input_json_delta", "partial_json": part}));
        let mut events = anthropic::block(index, &start, parts.collect());
        if form == Form::NoIndex {
            events
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|event| drop(event.remove("index")));
        }
        events
    };
    reply.calls.iter().enumerate().flat_map(block).collect()
}
