//! A session's conversation, as the ledger keeps it and as a model is told it.

use monstrum_wire::ledger::{self, Step};
use serde::{Deserialize, Serialize};

use super::context::Context;
use super::failure::Failure;
use crate::providers::conversation::{Message, ToolCall};

/// How many of the newest messages are read.
pub(super) const WINDOW: u32 = 400;
/// A model's token is about this many bytes of English; other scripts have fewer, so that this errs on the safe side.
pub(super) const BYTES_PER_TOKEN: usize = 3;
/// What a conversation may have when the model's context is unknown.
const MAX_BYTES: usize = 2 << 20;
/// The ledger takes 512 KiB a message.
const MAX_JSON: usize = 500 << 10;
/// One request to the ledger carries no more than this; it takes 1 MiB.
const BATCH_BYTES: usize = 900 << 10;

/// One message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Entry {
    /// From a person.
    User {
        text: String,
        user: String,
        message_id: String,
    },
    /// From the model.
    Assistant { text: String, calls: Vec<MadeCall> },
    /// What came of a call.
    Tool {
        call_id: String,
        id: String,
        content: String,
        ok: bool,
    },
    /// From the gateway, for people; the model is not told.
    Note { text: String, code: String },
}

/// A call together with the gateway's own name for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MadeCall {
    /// Unique in the whole life of the bot.
    pub(super) call_id: String,
    /// As the model made it, with an id that is unique in the answer, secrets masked.
    pub(super) call: ToolCall,
    /// Whether the arguments are those that the model made: nothing masked, nothing left out. Others are never run.
    #[serde(default)]
    pub(super) whole: bool,
    /// What is wrong with it before anyone looks at its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It got this final answer.
    Answered(String),
    /// Its turn never ended.
    Open,
    /// It is not in what was read.
    NotHere,
}

/// The newest part of a conversation.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<Entry>,
}

impl Entry {
    fn role(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Assistant { .. } => "assistant",
            Self::Tool { .. } => "tool",
            Self::Note { .. } => "note",
        }
    }

    /// As the ledger keeps it.
    pub(super) fn kept(&self, turn: &str) -> ledger::Message {
        self.with_json(self.fitted(), turn)
    }

    fn with_json(&self, content_json: String, turn: &str) -> ledger::Message {
        ledger::Message {
            role: self.role().to_owned(),
            content_json,
            turn: turn.to_owned(),
            ..ledger::Message::default()
        }
    }

    /// Its JSON, cut where it is longer than the ledger takes.
    fn fitted(&self) -> String {
        let json = |entry: &Self| serde_json::to_string(entry).unwrap_or_default();
        let whole = json(self);
        if whole.len() <= MAX_JSON {
            return whole;
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
            Self::Assistant { text, mut calls } => {
                for made in &mut calls {
                    "{}".clone_into(&mut made.call.arguments);
                    made.whole = false;
                }
                Self::Assistant {
                    text: cut(&text),
                    calls,
                }
            }
        })
    }

    fn size(&self) -> usize {
        match self {
            Self::User { text, .. } => text.len(),
            Self::Assistant { text, calls } => calls.iter().fold(text.len(), |sum, made| {
                sum.saturating_add(made.call.arguments.len())
            }),
            Self::Tool { content, .. } => content.len(),
            Self::Note { .. } => 0,
        }
    }
}

impl History {
    /// What the ledger answered with when the session was acquired.
    pub(super) fn of(messages: &[ledger::Message]) -> Self {
        let entries = messages.iter().filter_map(|message| match serde_json::from_str(&message.content_json) {
            Ok(entry) => Some(entry),
            Err(error) => {
                tracing::warn!(position = message.position, error = %error, "a message of a newer form is left out");
                None
            }
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Adds what the ledger keeps already.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Keeps further messages, in the ledger first.
    pub(super) async fn append(&mut self, context: &Context, entries: Vec<Entry>) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        self.advance(context, entries, Step::default()).await
    }

    /// Keeps further messages together with the rest of the step; what is too long for one write goes before it.
    pub(super) async fn advance(
        &mut self,
        context: &Context,
        entries: Vec<Entry>,
        step: Step,
    ) -> Result<(), Failure> {
        let mut batch = Vec::new();
        let mut size = 0_usize;
        for entry in entries {
            let json = entry.fitted();
            size = size.saturating_add(json.len());
            if size > BATCH_BYTES {
                size = json.len();
                self.keep(context, std::mem::take(&mut batch), Step::default())
                    .await?;
            }
            batch.push((entry, json));
        }
        self.keep(context, batch, step).await
    }

    async fn keep(
        &mut self,
        context: &Context,
        batch: Vec<(Entry, String)>,
        step: Step,
    ) -> Result<(), Failure> {
        let messages = batch
            .iter()
            .map(|(entry, json)| entry.with_json(json.clone(), &context.turn));
        let step = Step {
            messages: messages.collect(),
            ..step
        };
        context.advance(step).await?;
        self.entries.extend(batch.into_iter().map(|(entry, _)| entry));
        Ok(())
    }

    /// What became of this message.
    pub(super) fn fate(&self, id: &str) -> Fate {
        let Some(at) = self.entries.iter().rposition(|entry| is_message(entry, id)) else {
            return Fate::NotHere;
        };
        let following = self.entries.iter().skip(at.saturating_add(1));
        let turn = following.take_while(|entry| !matches!(entry, Entry::User { .. }));
        let last = turn.filter(|entry| !matches!(entry, Entry::Note { .. })).last();
        match last {
            Some(Entry::Assistant { text, calls }) if calls.is_empty() => Fate::Answered(text.clone()),
            Some(_) | None => Fate::Open,
        }
    }

    /// Whether no other message came after this one.
    pub(super) fn is_last_message(&self, id: &str) -> bool {
        let last = self
            .entries
            .iter()
            .rfind(|entry| matches!(entry, Entry::User { .. }));
        last.is_some_and(|entry| is_message(entry, id))
    }

    /// Calls that got no answer, oldest first.
    pub(super) fn unanswered(&self) -> Vec<MadeCall> {
        let answered: std::collections::HashSet<&str> = self
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Tool { call_id, .. } => Some(call_id.as_str()),
                Entry::User { .. } | Entry::Assistant { .. } | Entry::Note { .. } => None,
            })
            .collect();
        let made = self.entries.iter().flat_map(|entry| match entry {
            Entry::Assistant { calls, .. } => calls.as_slice(),
            Entry::User { .. } | Entry::Tool { .. } | Entry::Note { .. } => &[],
        });
        made.filter(|made| !answered.contains(made.call_id.as_str()))
            .cloned()
            .collect()
    }

    /// The conversation for a model that reads `context_tokens` (0: unknown) of which `reserved` are spoken for: the newest
    /// turns that fit, whole ones. Nothing when not even the newest fits.
    pub(super) fn messages(&self, context_tokens: u32, reserved: usize) -> Option<Vec<Message>> {
        let tokens = usize::try_from(context_tokens).unwrap_or(usize::MAX);
        let room = match tokens {
            0 => MAX_BYTES,
            tokens => tokens.saturating_mul(BYTES_PER_TOKEN),
        };
        let mut room = room.checked_sub(reserved)?;
        let mut start = None;
        for (at, entry) in self.entries.iter().enumerate().rev() {
            let Some(left) = room.checked_sub(entry.size()) else {
                break;
            };
            room = left;
            if matches!(entry, Entry::User { .. }) {
                start = Some(at);
            }
        }
        let kept = self.entries.get(start?..)?;
        Some(kept.iter().filter_map(message).collect())
    }
}

fn is_message(entry: &Entry, id: &str) -> bool {
    matches!(entry, Entry::User { message_id, .. } if message_id == id)
}

fn message(entry: &Entry) -> Option<Message> {
    match entry {
        Entry::User { text, .. } => Some(Message::User(text.clone())),
        Entry::Assistant { text, calls } => Some(Message::Assistant {
            text: text.clone(),
            calls: calls.iter().map(|made| made.call.clone()).collect(),
        }),
        Entry::Tool { id, content, ok, .. } => Some(Message::ToolResult {
            id: id.clone(),
            content: content.clone(),
            ok: *ok,
        }),
        Entry::Note { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str, id: &str) -> Entry {
        Entry::User {
            text: text.to_owned(),
            user: "u".to_owned(),
            message_id: id.to_owned(),
        }
    }

    fn says(text: &str, calls: &[&str]) -> Entry {
        let made = |id: &&str| MadeCall {
            call_id: format!("turn.{id}"),
            call: ToolCall {
                id: (*id).to_owned(),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
            },
            whole: true,
            fault: None,
        };
        Entry::Assistant {
            text: text.to_owned(),
            calls: calls.iter().map(made).collect(),
        }
    }

    fn result(id: &str) -> Entry {
        Entry::Tool {
            call_id: format!("turn.{id}"),
            id: id.to_owned(),
            content: "r".to_owned(),
            ok: true,
        }
    }

    fn history(entries: Vec<Entry>) -> History {
        History { entries }
    }

    #[test]
    fn an_answer_is_found_by_its_message() {
        let note = Entry::Note {
            text: "n".to_owned(),
            code: "X".to_owned(),
        };
        let history = history(vec![
            user("a", "1"),
            says("", &["c"]),
            result("c"),
            says("done", &[]),
            user("b", "2"),
            note,
        ]);
        assert_eq!(history.fate("1"), Fate::Answered("done".to_owned()));
        assert_eq!(history.fate("2"), Fate::Open);
        assert_eq!(history.fate("3"), Fate::NotHere);
        assert!(history.is_last_message("2") && !history.is_last_message("1"));
    }

    #[test]
    fn calls_without_result_are_unanswered() {
        let history = history(vec![user("a", "1"), says("", &["c", "d"]), result("d")]);
        let open: Vec<String> = history
            .unanswered()
            .into_iter()
            .map(|made| made.call_id)
            .collect();
        assert_eq!(open, ["turn.c"]);
    }

    #[test]
    fn an_entry_never_exceeds_what_the_ledger_takes() {
        for text in [
            "x".repeat(MAX_JSON * 2),
            "\u{1}".repeat(MAX_JSON),
            "ü".repeat(MAX_JSON),
        ] {
            let json = says(&text, &["c"]).fitted();
            assert!(json.len() <= 512 << 10, "{}", json.len());
            assert!(serde_json::from_str::<Entry>(&json).is_ok());
        }
    }

    #[test]
    fn a_call_whose_arguments_were_left_out_says_so() {
        let kept = says(&"x".repeat(MAX_JSON * 2), &["c"]).fitted();
        let Ok(Entry::Assistant { calls, .. }) = serde_json::from_str(&kept) else {
            panic!("{kept}");
        };
        assert!(!calls[0].whole);
    }

    #[test]
    fn the_newest_whole_turns_that_fit_are_told() {
        let history = history(vec![
            user("aaaaaaaaaa", "1"),
            says("bbbbbbbbbb", &[]),
            user("cccc", "2"),
            says("", &["c"]),
            result("c"),
        ]);
        assert_eq!(history.messages(0, 0).unwrap().len(), 5);
        // 10 tokens are 30 bytes; the older turn does not fit beside 20 reserved ones.
        let newest = history.messages(10, 20).unwrap();
        assert_eq!(newest.first(), Some(&Message::User("cccc".to_owned())));
        assert_eq!(history.messages(10, 29), None);
        assert_eq!(history.messages(10, 31), None);
    }
}
