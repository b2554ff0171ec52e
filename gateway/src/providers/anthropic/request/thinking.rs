//! How much the model thinks, and what goes back of what it thought.
//!
//! While its calls are answered, an answer of a thinking model must come back with its signed blocks. Where they are gone, or where
//! another model made the calls, this turn goes on without thinking; the next one thinks again.

use monstrum_wire::policy::{ReasoningEffort, ReasoningState, RequestShape, Thinking};
use serde_json::{Map, Value, json};

use crate::providers::conversation::{Block, Message, ModelRequest, Opaque, Origin};
use crate::providers::shape;

/// The API's least budget.
const LEAST_BUDGET: u32 = 1024;

/// Whether the model thinks in one request.
#[derive(Debug)]
pub(super) struct Thoughts {
    asked: Origin,
    go_back: bool,
}

impl Thoughts {
    /// Decides, and writes it into the body.
    pub(super) fn of(
        request: &ModelRequest<'_>,
        shape: &RequestShape,
        limit: u32,
        body: &mut Map<String, Value>,
    ) -> Self {
        let asked = Origin::of(request.model);
        let effort = shape::generation(request.model).reasoning_effort();
        match shape.thinking() {
            Thinking::Adaptive => adaptive(body, effort),
            Thinking::Budget | Thinking::Unspecified => budget(body, effort, limit),
        }
        let returned = shape.reasoning_state() != ReasoningState::Omit;
        let broken =
            body.get("thinking").is_some_and(insists) && !is_whole(request.messages, &asked, returned);
        if broken {
            body.remove("thinking");
        }
        Self {
            asked,
            go_back: returned && !broken,
        }
    }

    /// The blocks that go back with an answer of `origin`.
    pub(super) fn back<'a>(&self, origin: Option<&Origin>, state: &'a Opaque) -> &'a [Block] {
        if self.go_back && origin == Some(&self.asked) {
            &state.blocks
        } else {
            &[]
        }
    }
}

/// With a budget the API insists on the blocks; an adaptive model may have thought nothing.
fn insists(thinking: &Value) -> bool {
    thinking.get("type").and_then(Value::as_str) == Some("enabled")
}

fn adaptive(body: &mut Map<String, Value>, effort: ReasoningEffort) {
    let word = match effort {
        ReasoningEffort::Unspecified => return,
        ReasoningEffort::None => {
            body.insert("thinking".to_owned(), json!({ "type": "disabled" }));
            return;
        }
        ReasoningEffort::Minimal | ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
        ReasoningEffort::ExtraHigh => "xhigh",
        ReasoningEffort::Max => "max",
    };
    body.insert("thinking".to_owned(), json!({ "type": "adaptive" }));
    body.insert("output_config".to_owned(), json!({ "effort": word }));
}

/// A share of the answer's tokens; where that is less than the API's least, the model does not think.
fn budget(body: &mut Map<String, Value>, effort: ReasoningEffort, limit: u32) {
    let eighths = match effort {
        ReasoningEffort::Unspecified => return,
        ReasoningEffort::None => 0,
        ReasoningEffort::Minimal => 1,
        ReasoningEffort::Low => 2,
        ReasoningEffort::Medium => 4,
        ReasoningEffort::High => 6,
        ReasoningEffort::ExtraHigh | ReasoningEffort::Max => 7,
    };
    let budget = (limit / 8).saturating_mul(eighths).max(LEAST_BUDGET);
    let thinking = if eighths == 0 || budget >= limit {
        json!({ "type": "disabled" })
    } else {
        json!({ "type": "enabled", "budget_tokens": budget })
    };
    body.insert("thinking".to_owned(), thinking);
}

/// What came after the newest message of a person.
fn current(messages: &[Message]) -> &[Message] {
    let last = messages
        .iter()
        .rposition(|message| matches!(message, Message::User { .. }));
    last.and_then(|at| messages.get(at..)).unwrap_or(messages)
}

/// Whether every call of this turn was made by this model and goes back with what it thought before.
fn is_whole(messages: &[Message], asked: &Origin, returned: bool) -> bool {
    current(messages).iter().all(|message| match message {
        Message::Assistant {
            calls, origin, state, ..
        } => calls.is_empty() || (returned && origin.as_ref() == Some(asked) && !state.blocks.is_empty()),
        Message::User { .. } | Message::ToolResult { .. } => true,
    })
}
