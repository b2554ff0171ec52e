//! An answer, put together from what the dialects find in its events.

use super::calls::{Assembly, Part};
use super::ending::{End, Ending, Mark, Reason};
use super::json::Json;
use super::state::State;
use super::text::{Joined, Wide};
use super::thinking::Thinking;
use super::usage::Claim;
use crate::providers::conversation::{Answer, Opaque, Stop};

/// Puts one answer together, whatever the dialect.
#[derive(Debug, Default)]
pub(in crate::providers) struct Assembler {
    heard: Joined,
    thinking: Thinking,
    text: String,
    /// Of `text`, what was handed on.
    told: usize,
    calls: Assembly,
    ending: Ending,
    claim: Claim,
    state: State,
    began: bool,
    too_many: bool,
    calls_elsewhere: bool,
}

impl Assembler {
    /// Text for the user.
    pub(in crate::providers) fn say(&mut self, text: &Wide<'_>) {
        let added = self.heard.push(text);
        if !added.is_empty() {
            let shown = self.thinking.push(added);
            self.text.push_str(&shown);
            self.more();
        }
    }

    /// Content as it stands in a message: a string, a list of parts of which those with text are said, or a bare value.
    pub(in crate::providers) fn content(&mut self, content: Json<'_>) {
        if let Some(text) = content.text() {
            self.say(&text);
        } else if content.is_list() {
            content.items(|part| self.part(part));
        } else if content.is_object() {
            self.part(content);
        } else {
            self.say(&Wide(content.written().as_bytes().into()));
        }
    }

    /// A part of a call; which one of the answer's calls it is.
    pub(in crate::providers) fn call(&mut self, part: &Part<'_>) -> Option<usize> {
        self.more();
        let at = self.calls.add(part);
        self.too_many |= at.is_none();
        at
    }

    /// An answer that was not asked for, beside this one, has calls.
    pub(in crate::providers) fn calls_elsewhere(&mut self) {
        self.calls_elsewhere = true;
    }

    /// Whether there are calls, and none of them is this answer's.
    pub(super) fn has_calls_only_elsewhere(&self) -> bool {
        self.calls_elsewhere && self.calls.len() == 0
    }

    /// Something of the answer that is neither text nor call.
    pub(in crate::providers) fn more(&mut self) {
        self.began = true;
        self.ending.more();
    }

    /// A field of the message that the provider wants back.
    pub(in crate::providers) fn field(&mut self, name: &str, part: Json<'_>) {
        self.state.field(name, part);
    }

    /// A field of a call that the provider wants back.
    pub(in crate::providers) fn field_of_call(&mut self, call: usize, name: &str, part: Json<'_>) {
        self.state.field_of_call(call, name, part);
    }

    /// A block of the provider's own.
    pub(in crate::providers) fn block(&mut self, index: Option<u64>, content: Json<'_>) {
        self.more();
        let place = (self.text.len(), self.calls.len());
        self.state.block(index, place, content);
    }

    /// More of such a block.
    pub(in crate::providers) fn more_of_block(&mut self, index: Option<u64>, delta: Json<'_>) {
        self.more();
        self.state.more_of_block(index, delta);
    }

    /// Whether a block of the provider's own has this index.
    pub(in crate::providers) fn is_block(&self, index: Option<u64>) -> bool {
        index.is_some_and(|index| self.state.is_block(index))
    }

    /// The provider's state can't be kept as it comes.
    pub(in crate::providers) fn spoil_state(&mut self) {
        self.more();
        self.state.spoil();
    }

    /// Why it stopped.
    pub(in crate::providers) fn because(&mut self, reason: Reason) {
        self.ending.because(reason);
    }

    /// What it used.
    pub(in crate::providers) fn used(&mut self, claim: Claim) {
        self.claim = self.claim.and(claim);
    }

    /// Its last event came.
    pub(super) fn end_stream(&mut self) {
        self.ending.mark(Mark::Stream);
    }

    pub(super) fn end_document(&mut self) {
        self.ending.mark(Mark::Document);
    }

    /// Whether there are more calls in it than are read.
    pub(super) fn has_too_many_calls(&self) -> bool {
        self.too_many
    }

    /// Whether this is all of its text until now.
    pub(in crate::providers) fn has_heard(&self, content: Json<'_>) -> bool {
        content.string().is_some_and(|text| text == self.heard.so_far())
    }

    /// Whether anything of an answer came.
    pub(in crate::providers) fn has_begun(&self) -> bool {
        self.began
    }

    /// Whether it has a reason to stop.
    pub(super) fn is_settled(&self) -> bool {
        self.ending.is_settled()
    }

    /// Text that was not handed on yet.
    pub(super) fn take_text(&mut self) -> String {
        let new = self.text.get(self.told..).unwrap_or_default().to_owned();
        self.told = self.text.len();
        new
    }

    /// The answer, and the rest of its text; nothing when it broke off.
    pub(super) fn finish(mut self) -> (String, Option<Answer>) {
        let end = self.ending.end(self.calls.state());
        let heard = self.heard.so_far().len();
        let all = self.heard.finish();
        let last = self.thinking.push(all.get(heard..).unwrap_or_default());
        self.text.push_str(&last);
        let cut = matches!(end, End::Limit | End::Broken);
        self.text.push_str(&self.thinking.finish(cut));
        let rest = self.text.get(self.told..).unwrap_or_default().to_owned();
        let stop = match end {
            End::Whole => Stop::Complete,
            End::Limit => Stop::Length,
            End::Withheld => Stop::Filtered,
            End::HalfCall => Stop::HalfCall,
            End::Broken => return (rest, None),
        };
        let begun = self.calls.finish();
        let (calls, unmade) = match stop {
            Stop::Complete => (begun, Vec::new()),
            Stop::Length | Stop::HalfCall => (Vec::new(), begun),
            Stop::Filtered => (Vec::new(), Vec::new()),
        };
        let answer = Answer {
            text: self.text,
            calls,
            unmade,
            stop,
            usage: self.claim,
            // What belongs to half an answer is half as well.
            state: if stop == Stop::Complete {
                self.state.finish()
            } else {
                Opaque::default()
            },
        };
        (rest, Some(answer))
    }

    /// A part of a content: text is said, what is of another type is skipped.
    fn part(&mut self, part: Json<'_>) {
        if let Some(text) = part.text() {
            self.say(&text);
            return;
        }
        let [kind, text] = part.fields(["type", "text"]);
        let kind = kind.and_then(Json::string);
        let is_text = kind.is_none_or(|kind| matches!(kind.as_str(), "text" | "output_text" | "text_delta"));
        let text = text.filter(|_| is_text);
        let inner = text.and_then(|text| text.field("value")).or(text);
        if let Some(text) = inner.and_then(Json::text) {
            self.say(&text);
        }
    }
}
