//! What goes back of the state that came with earlier answers.

use monstrum_wire::policy::{ReasoningState, RequestShape};
use serde_json::json;

use crate::providers::conversation::{
    EXTRA_CONTENT, Message, ModelRequest, Opaque, Origin, REASONING_CONTENT, unsigned,
};
use crate::providers::shape;

/// The fields of a message and of a call that are ours alone.
const OWN: [&str; 9] = [
    "role",
    "content",
    "tool_calls",
    "function_call",
    "tool_call_id",
    "name",
    "id",
    "type",
    "function",
];

/// Which state goes back in one request.
#[derive(Debug)]
pub(super) struct Reasoning {
    asked: Origin,
    rule: ReasoningState,
}

impl Reasoning {
    pub(super) fn of(request: &ModelRequest<'_>, shape: &RequestShape) -> Self {
        let asked = Origin::of(request.model);
        let rule = match shape.reasoning_state() {
            ReasoningState::Unspecified => recognised(request, &asked),
            set => set,
        };
        Self { asked, rule }
    }

    /// What goes back with an answer of `origin`.
    pub(super) fn state(&self, origin: Option<&Origin>, called: bool, state: &Opaque) -> Opaque {
        let mut back = if origin == Some(&self.asked) && self.rule != ReasoningState::Omit {
            state.clone()
        } else {
            Opaque::default()
        };
        let fields = std::iter::once(&mut back.message).chain(back.calls.values_mut());
        fields.for_each(|fields| fields.retain(|name, _| !OWN.contains(&name.as_str())));
        match self.rule {
            ReasoningState::ReasoningContent if called => {
                let entry = back.message.entry(REASONING_CONTENT);
                entry.or_insert(json!(""));
            }
            // Of calls that were made together only the first is signed.
            ReasoningState::ThoughtSignature if called && !is_signed(&back) => {
                back.calls.entry(0).or_default().extend(unsigned());
            }
            ReasoningState::ReasoningContent
            | ReasoningState::ThoughtSignature
            | ReasoningState::Omit
            | ReasoningState::Unspecified => {}
        }
        back
    }
}

fn is_signed(state: &Opaque) -> bool {
    state
        .calls
        .values()
        .any(|fields| fields.contains_key(EXTRA_CONTENT))
}

/// Those who insist are known by name, and by what they sent before.
fn recognised(request: &ModelRequest<'_>, asked: &Origin) -> ReasoningState {
    let host = shape::host(&request.model.base_url).unwrap_or_default();
    match host.as_str() {
        "api.deepseek.com" | "api.moonshot.ai" | "api.moonshot.cn" => {
            return ReasoningState::ReasoningContent;
        }
        "generativelanguage.googleapis.com" => return ReasoningState::ThoughtSignature,
        // `<region>-aiplatform.googleapis.com`.
        host if host.ends_with("aiplatform.googleapis.com") => return ReasoningState::ThoughtSignature,
        _ => {}
    }
    let own = request.messages.iter().filter_map(|message| match message {
        Message::Assistant {
            origin: Some(origin),
            state,
            ..
        } if origin == asked => Some(state),
        Message::Assistant { .. } | Message::User { .. } | Message::ToolResult { .. } => None,
    });
    for state in own {
        if state.message.contains_key(REASONING_CONTENT) {
            return ReasoningState::ReasoningContent;
        }
        if is_signed(state) {
            return ReasoningState::ThoughtSignature;
        }
    }
    ReasoningState::Unspecified
}
