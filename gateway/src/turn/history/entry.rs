//! One message of a session's conversation.

use monstrum_wire::ledger;
use serde::{Deserialize, Serialize};

use super::BYTES_PER_TOKEN;
use crate::providers::conversation::{Image, Message, Opaque, Origin, ToolCall};

/// The ledger takes 512 KiB a message.
pub(super) const MAX_JSON: usize = 500 << 10;

/// One message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(in crate::turn) enum Entry {
    /// From a person.
    User {
        text: String,
        user: String,
        message_id: String,
    },
    /// From the model.
    Assistant {
        text: String,
        calls: Vec<MadeCall>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Origin>,
        /// What the provider wants back with it.
        #[serde(default, skip_serializing_if = "Opaque::is_empty")]
        state: Opaque,
    },
    /// What came of a call.
    Tool {
        call_id: String,
        id: String,
        content: String,
        ok: bool,
    },
    /// Belongs to the person's message or the call's result before it.
    Image(Image),
    /// From the gateway, for people; the model is not told.
    Note { text: String, code: String },
}

/// A call together with the gateway's own name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::turn) struct MadeCall {
    /// Unique in the whole life of the bot.
    pub(in crate::turn) call_id: String,
    /// As the model made it, with an id that is unique in the answer, secrets masked.
    pub(in crate::turn) call: ToolCall,
    /// Whether the arguments are those that the model made: nothing masked, nothing left out. Others are never run.
    #[serde(default)]
    pub(in crate::turn) whole: bool,
    /// What is wrong with it before anyone looks at its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::turn) fault: Option<String>,
}

impl Entry {
    fn role(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Assistant { .. } => "assistant",
            Self::Tool { .. } => "tool",
            Self::Image(_) => "image",
            Self::Note { .. } => "note",
        }
    }

    /// As the ledger keeps it.
    pub(in crate::turn) fn kept(&self, turn: &str) -> ledger::Message {
        self.with_json(self.fitted(), turn)
    }

    pub(super) fn with_json(&self, content_json: String, turn: &str) -> ledger::Message {
        ledger::Message {
            role: self.role().to_owned(),
            content_json,
            turn: turn.to_owned(),
            ..ledger::Message::default()
        }
    }

    /// Its JSON, cut where it is longer than the ledger takes.
    pub(super) fn fitted(&self) -> String {
        let json = |entry: &Self| serde_json::to_string(entry).unwrap_or_default();
        let whole = json(self);
        if whole.len() <= MAX_JSON {
            return whole;
        }
        let stateless = json(&self.clone().without_state());
        if stateless.len() <= MAX_JSON {
            return stateless;
        }
        // A character has at most six bytes more in JSON than alone.
        let cut = |text: &str| {
            format!(
                "{}\n[cut]",
                text.get(..text.floor_char_boundary(MAX_JSON / 8))
                    .unwrap_or_default()
            )
        };
        json(&match self.clone() {
            Self::User {
                text,
                user,
                message_id,
            } => Self::User {
                text: cut(&text),
                user,
                message_id,
            },
            Self::Tool {
                call_id,
                id,
                content,
                ok,
            } => Self::Tool {
                call_id,
                id,
                content: cut(&content),
                ok,
            },
            Self::Note { text, code } => Self::Note {
                text: cut(&text),
                code,
            },
            Self::Assistant {
                text,
                mut calls,
                origin,
                ..
            } => {
                for made in &mut calls {
                    "{}".clone_into(&mut made.call.arguments);
                    made.whole = false;
                }
                Self::Assistant {
                    text: cut(&text),
                    calls,
                    origin,
                    state: Opaque::default(),
                }
            }
            // One that was taken fits.
            Self::Image(image) => Self::Note {
                text: image.told(),
                code: "Cut".to_owned(),
            },
        })
    }

    /// A provider takes its state whole or not at all.
    pub(super) fn without_state(mut self) -> Self {
        if let Self::Assistant { state, .. } = &mut self {
            *state = Opaque::default();
        }
        self
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::User { text, .. } => text.len(),
            Self::Assistant {
                text, calls, state, ..
            } => calls
                .iter()
                .fold(text.len().saturating_add(state.size()), |sum, made| {
                    sum.saturating_add(made.call.arguments.len())
                }),
            Self::Tool { content, .. } => content.len(),
            Self::Image(_) => Image::LIKELY_TOKENS.saturating_mul(BYTES_PER_TOKEN),
            Self::Note { .. } => 0,
        }
    }
}

/// Adds what the model is told of an entry; of the first `unseen` images only what they are.
pub(super) fn tell(entry: &Entry, unseen: &mut usize, messages: &mut Vec<Message>) {
    match entry {
        Entry::User { text, .. } => messages.push(Message::User {
            text: text.clone(),
            images: Vec::new(),
        }),
        Entry::Assistant {
            text,
            calls,
            origin,
            state,
        } => messages.push(Message::Assistant {
            text: text.clone(),
            calls: calls.iter().map(|made| made.call.clone()).collect(),
            origin: origin.clone(),
            state: state.clone(),
        }),
        Entry::Tool { id, content, ok, .. } => messages.push(Message::ToolResult {
            id: id.clone(),
            content: content.clone(),
            images: Vec::new(),
            ok: *ok,
        }),
        Entry::Image(image) => {
            let seen = *unseen == 0;
            *unseen = unseen.saturating_sub(1);
            if let Some(
                Message::User { text, images }
                | Message::ToolResult {
                    content: text,
                    images,
                    ..
                },
            ) = messages.last_mut()
            {
                if seen {
                    images.push(image.clone());
                } else {
                    *text = format!("{text}\n{}", image.told());
                }
            }
        }
        Entry::Note { .. } => {}
    }
}
