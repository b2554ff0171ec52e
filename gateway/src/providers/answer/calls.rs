//! The calls of an answer, put together from their parts. Dialects and servers differ in where a part says to which call it
//! belongs: an index, an id, both, or neither; all of them are read by one rule.

use std::collections::BTreeSet;

use super::ending::Calls;
use super::json::Json;
use super::text::{Joined, Lone};
use crate::providers::conversation::ToolCall;

/// More calls than this in one answer are not read.
const MAX_CALLS: usize = 256;
/// A longer id is replaced: some providers put state of theirs into one, nobody more than this.
const MAX_ID: usize = 1024;

/// A part of a call.
#[derive(Debug, Clone, Default)]
pub(in crate::providers) struct Part<'a> {
    pub(in crate::providers) index: Option<u64>,
    /// Which entry of its list it is.
    pub(in crate::providers) place: usize,
    pub(in crate::providers) id: String,
    pub(in crate::providers) name: String,
    /// A string of JSON, whole or a piece of it, or the JSON itself.
    pub(in crate::providers) arguments: Option<Json<'a>>,
    /// Arguments that hold only if none follow.
    pub(in crate::providers) initial: Option<Json<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Assembly {
    begun: Vec<Begun>,
}

#[derive(Debug)]
struct Begun {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Joined,
    /// In their place if none come.
    initial: String,
    shape: Shape,
}

impl Assembly {
    /// Adds a part to the call that it belongs to, or begins one: which one that is. None when there are too many.
    pub(super) fn add(&mut self, part: &Part<'_>) -> Option<usize> {
        let at = match self.target(part) {
            Some(at) => at,
            None if self.begun.len() >= MAX_CALLS => return None,
            None => {
                self.begun.push(Begun::new());
                self.begun.len().saturating_sub(1)
            }
        };
        if let Some(call) = self.begun.get_mut(at) {
            call.take(part);
        }
        Some(at)
    }

    pub(super) fn len(&self) -> usize {
        self.begun.len()
    }

    /// What their arguments look like at the end.
    pub(super) fn state(&self) -> Calls {
        if self.begun.is_empty() {
            return Calls::None;
        }
        if self.begun.iter().any(|call| call.shape.is_open()) {
            return Calls::Half;
        }
        let whole = |call: &Begun| {
            let text = call.arguments.so_far();
            call.shape.is_closed() && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        };
        if self.begun.iter().all(whole) {
            Calls::Whole
        } else {
            Calls::Plausible
        }
    }

    /// The calls, in the order in which they were begun, each with an id that no other has.
    pub(super) fn finish(self) -> Vec<ToolCall> {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let calls = self.begun.into_iter().map(|call| {
            let fits =
                (1..=MAX_ID).contains(&call.id.len()) && call.id.bytes().all(|byte| byte.is_ascii_graphic());
            let mut id = if fits { call.id } else { own_id() };
            while !taken.insert(id.clone()) {
                id = own_id();
            }
            let said = call.arguments.finish();
            let arguments = [said, call.initial].into_iter().find(|text| !is_nothing(text));
            ToolCall {
                id,
                name: call.name,
                arguments: arguments.unwrap_or_else(|| "{}".to_owned()),
            }
        });
        calls.collect()
    }

    /// The call that a part goes on with.
    fn target(&self, part: &Part<'_>) -> Option<usize> {
        let same_index =
            |call: &Begun| call.index.is_none() || part.index.is_none() || call.index == part.index;
        let by_id = || {
            let same = |call: &Begun| call.id == part.id && same_index(call);
            self.begun.iter().rposition(same)
        };
        let by_index = || {
            let same = |call: &Begun| call.index == part.index;
            self.begun.iter().rposition(same)
        };
        // A first part without an index, and then parts with one.
        let last = || {
            let last = self.begun.len().checked_sub(1);
            last.filter(|at| part.name.is_empty() && self.begun.get(*at).is_some_and(same_index))
        };
        let known = match (part.index.is_some(), part.id.is_empty()) {
            (true, true) => by_index().or_else(last),
            (true, false) => by_id().or_else(by_index),
            (false, true) => self.begun.len().checked_sub(1),
            (false, false) => by_id(),
        };
        known.filter(|at| self.begun.get(*at).is_some_and(|call| call.continues_with(part)))
    }
}

impl Begun {
    fn new() -> Self {
        Self {
            index: None,
            id: String::new(),
            name: String::new(),
            arguments: Joined::with(Lone::Escaped),
            initial: String::new(),
            shape: Shape::default(),
        }
    }

    /// Whether a part that names the same place is more of this call, rather than the beginning of another one.
    fn continues_with(&self, part: &Part<'_>) -> bool {
        let other_id = !part.id.is_empty() && !self.id.is_empty() && part.id != self.id;
        if part.name.is_empty() {
            // Some servers make up a new id for every part.
            return !other_id || !self.shape.is_closed();
        }
        // Two entries of one list with a name each are two calls, where nothing else tells them apart.
        let beside = part.index.is_none() && part.place > 0;
        if other_id || beside {
            return false;
        }
        let arguments = part.arguments.map(text_of).filter(|text| !is_nothing(text));
        let known = self.arguments.so_far();
        if self.shape.is_closed() {
            return part.name == self.name && arguments.is_none_or(|text| text == known);
        }
        if known.is_empty() {
            let placed = part.index.is_some() || !part.id.is_empty();
            return placed || arguments.is_none() || part.name.starts_with(&self.name);
        }
        part.name == self.name || self.name.is_empty()
    }

    fn take(&mut self, part: &Part<'_>) {
        self.index = self.index.or(part.index);
        if self.id.is_empty() {
            self.id.clone_from(&part.id);
        }
        self.named(&part.name);
        if let Some(initial) = part.initial {
            self.initial = text_of(initial);
        }
        let Some(arguments) = part.arguments else { return };
        // A call that is repeated as a whole.
        let repeated = !part.name.is_empty() && self.shape.is_closed();
        if repeated {
            return;
        }
        let before = self.arguments.so_far().len();
        match arguments.text() {
            Some(text) => {
                self.arguments.push(&text);
            }
            None => self.arguments.push_str(arguments.written()),
        }
        let added = self.arguments.so_far().get(before..).unwrap_or_default();
        self.shape.read(added);
    }

    /// A name comes whole, in pieces, or again with every part.
    fn named(&mut self, name: &str) {
        if name == self.name || !self.arguments.so_far().is_empty() && !self.name.is_empty() {
            return;
        }
        if name.starts_with(&self.name) {
            name.clone_into(&mut self.name);
        } else {
            self.name.push_str(name);
        }
    }
}

fn text_of(arguments: Json<'_>) -> String {
    arguments
        .string()
        .unwrap_or_else(|| arguments.written().to_owned())
}

/// How a call is written that has no arguments.
fn is_nothing(arguments: &str) -> bool {
    matches!(arguments.trim(), "" | "null")
}

/// An id that nobody else has.
pub(in crate::providers) fn own_id() -> String {
    ToolCall::neutral_id(&uuid::Uuid::new_v4().to_string())
}

/// Whether an object is closed, while it is written.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Shape {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            if std::mem::take(&mut self.escaped) {
                continue;
            }
            match byte {
                b'\\' => self.escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.closed |= self.depth == 1;
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => {}
            }
        }
    }

    fn is_closed(self) -> bool {
        self.closed && !self.is_open()
    }

    fn is_open(self) -> bool {
        self.depth > 0 || self.in_string
    }
}

#[cfg(test)]
mod tests;
