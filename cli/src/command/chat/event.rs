//! What happens in a turn, as JSON.

use monstrum_wire::chat::{TurnEvent, turn_event};
use serde::Serialize;
use serde_json::Value;

/// One event. The names are API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Event {
    Started {
        session: String,
        turn: String,
    },
    Queued {
        ahead: u32,
    },
    Text {
        text: String,
    },
    Call {
        call_id: String,
        tool: String,
        arguments: Value,
    },
    Decision {
        call_id: String,
        allowed: bool,
        reason: String,
        message: String,
        grant: String,
    },
    Result {
        call_id: String,
        ok: bool,
        content: String,
        truncated: bool,
    },
    Done {
        text: String,
        stop: String,
        usage: Usage,
    },
    Failed {
        code: String,
        message: String,
    },
}

/// What a turn used.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    pub(super) input_tokens: u64,
    pub(super) cached_input_tokens: u64,
    pub(super) output_tokens: u64,
    pub(super) cost_micro_usd: u64,
    pub(super) model_requests: u32,
}

impl Event {
    /// Nothing for an event of a newer gateway.
    pub(super) fn from_wire(event: TurnEvent) -> Option<Self> {
        use turn_event::Event as Wire;
        Some(match event.event? {
            Wire::Started(started) => Self::Started {
                session: started.session,
                turn: started.turn,
            },
            Wire::Queued(ahead) => Self::Queued { ahead },
            Wire::Text(delta) => Self::Text { text: delta.text },
            Wire::Call(call) => Self::Call {
                call_id: call.call_id,
                tool: call.tool,
                arguments: arguments(call.arguments_json),
            },
            Wire::Decision(decision) => Self::Decision {
                call_id: decision.call_id,
                allowed: decision.allowed,
                reason: decision.reason,
                message: decision.message,
                grant: decision.grant,
            },
            Wire::Result(result) => Self::Result {
                call_id: result.call_id,
                ok: result.ok,
                content: result.content,
                truncated: result.truncated,
            },
            Wire::Done(done) => Self::Done {
                text: done.text,
                stop: done.stop,
                usage: done.usage.map(usage).unwrap_or_default(),
            },
            Wire::Failed(failed) => Self::Failed {
                code: failed.code,
                message: failed.message,
            },
        })
    }
}

/// As the model wrote it: text where it is no JSON.
fn arguments(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn usage(usage: monstrum_wire::chat::Usage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens,
        cached_input_tokens: usage.cached_input_tokens,
        output_tokens: usage.output_tokens,
        cost_micro_usd: usage.cost_micro_usd,
        model_requests: usage.model_requests,
    }
}
