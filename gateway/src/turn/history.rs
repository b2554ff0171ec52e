//! A session's conversation, as the ledger keeps it and as a model is told it.

mod entry;

use monstrum_wire::ledger::{self, Step};

use super::context::Context;
use super::failure::Failure;
use crate::providers::conversation::{Message, Opaque};

pub(super) use entry::{Entry, MadeCall};

/// How many of the newest messages are read.
pub(super) const WINDOW: u32 = 400;
/// A model's token is about this many bytes of English; other scripts have fewer, so that this errs on the safe side.
pub(super) const BYTES_PER_TOKEN: usize = 3;
/// What a conversation may have when the model's context is unknown.
const MAX_BYTES: usize = 2 << 20;
/// A model is shown so many of the newest images, and told of the others: some 8 MiB.
const MAX_SHOWN: usize = 16;
/// What the model is told of a turn that ended without an answer: some models' templates and providers refuse a conversation in which
/// a person speaks right after another message of theirs, or after the result of a call.
const UNANSWERED: &str = "[This turn ended without an answer.]";
/// One request to the ledger carries no more than this; it takes 1 MiB.
const BATCH_BYTES: usize = 900 << 10;

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
            Some(Entry::Assistant { text, calls, .. }) if calls.is_empty() => Fate::Answered(text.clone()),
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
                Entry::User { .. } | Entry::Assistant { .. } | Entry::Image(_) | Entry::Note { .. } => None,
            })
            .collect();
        let made = self.entries.iter().flat_map(|entry| match entry {
            Entry::Assistant { calls, .. } => calls.as_slice(),
            Entry::User { .. } | Entry::Tool { .. } | Entry::Image(_) | Entry::Note { .. } => &[],
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
        let images = kept.iter().filter(|entry| matches!(entry, Entry::Image(_)));
        let mut unseen = images.count().saturating_sub(MAX_SHOWN);
        let mut messages = Vec::with_capacity(kept.len());
        for entry in kept {
            let is_unanswered = matches!(
                messages.last(),
                Some(Message::User { .. } | Message::ToolResult { .. })
            );
            if is_unanswered && matches!(entry, Entry::User { .. }) {
                messages.push(Message::Assistant {
                    text: UNANSWERED.to_owned(),
                    calls: Vec::new(),
                    origin: None,
                    state: Opaque::default(),
                });
            }
            entry::tell(entry, &mut unseen, &mut messages);
        }
        Some(messages)
    }
}

fn is_message(entry: &Entry, id: &str) -> bool {
    matches!(entry, Entry::User { message_id, .. } if message_id == id)
}

#[cfg(test)]
mod tests {
    use super::entry::MAX_JSON;
    use super::*;
    use crate::providers::conversation::{Image, ToolCall};

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
            origin: None,
            state: Opaque::default(),
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
    fn a_providers_state_that_does_not_fit_is_left_out_whole() {
        let state = |bytes: usize| Opaque {
            message: serde_json::Map::from_iter([("reasoning_content".to_owned(), "r".repeat(bytes).into())]),
            ..Opaque::default()
        };
        let entry = |text: usize, bytes: usize| Entry::Assistant {
            text: "x".repeat(text),
            calls: Vec::new(),
            origin: None,
            state: state(bytes),
        };
        let kept: Entry = serde_json::from_str(&entry(100, 1000).fitted()).unwrap();
        assert_eq!(kept, entry(100, 1000));
        let kept: Entry = serde_json::from_str(&entry(MAX_JSON / 2, MAX_JSON / 2 + 1).fitted()).unwrap();
        assert_eq!(kept, entry(MAX_JSON / 2, 0).without_state());
    }

    #[test]
    fn images_belong_to_what_stands_before_them() {
        let image = Image::of(b"\x89PNG\r\n\x1a\n").unwrap();
        let shown = Entry::Image(image.clone());
        let history = history(vec![
            user("look", "1"),
            shown.clone(),
            says("", &["c"]),
            result("c"),
            shown.clone(),
            shown,
        ]);
        let count: Vec<usize> = history
            .messages(0, 0)
            .unwrap()
            .iter()
            .map(|message| match message {
                Message::User { images, .. } | Message::ToolResult { images, .. } => images.len(),
                Message::Assistant { .. } => 0,
            })
            .collect();
        assert_eq!(count, [1, 0, 2]);
        assert_eq!(history.fate("1"), Fate::Open);
        let many = History {
            entries: [vec![user("look", "1")], vec![Entry::Image(image); MAX_SHOWN + 2]].concat(),
        };
        let messages = many.messages(0, 0).unwrap();
        let [Message::User { text, images }] = messages.as_slice() else {
            panic!("{messages:?}");
        };
        assert_eq!(
            (images.len(), text.matches("[an image: ").count()),
            (MAX_SHOWN, 2)
        );
        // Three images are far more than these texts, and they count.
        assert_eq!(history.messages(1_000, 0), None);
        assert!(history.messages(20_000, 0).is_some());
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
        assert_eq!(
            newest.first(),
            Some(&Message::User {
                text: "cccc".to_owned(),
                images: Vec::new()
            })
        );
        assert_eq!(history.messages(10, 29), None);
        assert_eq!(history.messages(10, 31), None);
    }
}
