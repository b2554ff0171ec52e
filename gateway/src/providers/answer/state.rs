//! State of a provider's own in an answer: collected unread, to go back as it came or not at all.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::Json;
use crate::providers::conversation::{Block, Opaque};

/// More of it is not collected; less than that is kept.
const MAX_BYTES: usize = 512 << 10;
/// Texts that come in pieces.
const PIECES: [&str; 5] = ["thinking", "signature", "text", "summary", "data"];

#[derive(Debug, Default)]
pub(super) struct State {
    kept: Opaque,
    /// Blocks by their index in the answer.
    blocks: BTreeMap<u64, usize>,
    size: usize,
    /// A part of it could not be kept as it came.
    is_spoilt: bool,
}

impl State {
    /// A field of the answer's message, or more of one.
    pub(super) fn field(&mut self, name: &str, part: Json<'_>) {
        if let Some(part) = self.value(part) {
            grow(self.kept.message.entry(name).or_insert(Value::Null), part);
        }
    }

    /// A field of one of its calls.
    pub(super) fn field_of_call(&mut self, call: usize, name: &str, part: Json<'_>) {
        if let Some(part) = self.value(part) {
            let fields = self.kept.calls.entry(call).or_default();
            grow(fields.entry(name).or_insert(Value::Null), part);
        }
    }

    /// A block, behind so many bytes of text and so many calls.
    pub(super) fn block(&mut self, index: Option<u64>, (text, calls): (usize, usize), content: Json<'_>) {
        if let Some(index) = index {
            self.blocks.insert(index, self.kept.blocks.len());
        }
        if let Some(content) = self.value(content) {
            self.kept.blocks.push(Block { text, calls, content });
        }
    }

    /// More of a block.
    pub(super) fn more_of_block(&mut self, index: Option<u64>, delta: Json<'_>) {
        let last = self.kept.blocks.len().checked_sub(1);
        let at = index.map_or(last, |index| self.blocks.get(&index).copied());
        // What belongs to text or to a call is not the provider's own.
        let Some(at) = at else { return };
        let Some(Value::Object(delta)) = self.value(delta) else {
            return;
        };
        let block = self.kept.blocks.get_mut(at).map(|block| &mut block.content);
        if let Some(Value::Object(content)) = block {
            merge(content, delta);
        }
    }

    pub(super) fn is_block(&self, index: u64) -> bool {
        self.blocks.contains_key(&index)
    }

    /// A part of it can't be kept as it came, so that all of it can't.
    pub(super) fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// All of it, or nothing.
    pub(super) fn finish(self) -> Opaque {
        if self.is_spoilt {
            Opaque::default()
        } else {
            self.kept
        }
    }

    fn value(&mut self, part: Json<'_>) -> Option<Value> {
        if self.is_spoilt || part.written() == "\"\"" {
            return None;
        }
        self.size = self.size.saturating_add(part.written().len());
        let value = serde_json::from_str(part.written()).ok();
        self.is_spoilt = self.size > MAX_BYTES || value.is_none();
        value.filter(|_| !self.is_spoilt)
    }
}

/// Text goes on, a list gets longer, anything else comes whole.
fn grow(known: &mut Value, part: Value) {
    match (known, part) {
        (Value::String(known), Value::String(more)) => known.push_str(&more),
        (Value::Array(known), Value::Array(more)) => more.into_iter().for_each(|item| add(known, item)),
        (known, part) => *known = part,
    }
}

/// Pieces of one item have its type and index.
fn add(list: &mut Vec<Value>, item: Value) {
    let is_piece = list.last().is_some_and(|last| {
        let same = |name: &str| item.get(name).is_some() && item.get(name) == last.get(name);
        same("type") && same("index")
    });
    if !is_piece {
        list.push(item);
    } else if let (Some(Value::Object(last)), Value::Object(more)) = (list.last_mut(), item) {
        merge(last, more);
    }
}

fn merge(known: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, part) in more {
        let pieces = PIECES.contains(&name.as_str());
        match known.get_mut(&name) {
            Some(slot) if pieces => grow(slot, part),
            Some(Value::Null) | None if name != "type" => drop(known.insert(name, part)),
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Document;
    use super::*;
    use serde_json::json;

    fn with<T>(text: &str, read: impl FnOnce(Json<'_>) -> T) -> T {
        read(Document::of(text).root().unwrap())
    }

    #[test]
    fn pieces_of_text_and_of_items_are_joined() {
        let mut state = State::default();
        for part in [r#""I ""#, r#""""#, r#""think""#] {
            with(part, |part| state.field("reasoning_content", part));
        }
        let items = [
            r#"[{"type":"reasoning.text","index":0,"text":"I ","signature":null}]"#,
            r#"[{"type":"reasoning.text","index":0,"text":"think","signature":"s"}]"#,
            r#"[{"type":"reasoning.encrypted","index":1,"data":"x"}]"#,
        ];
        for part in items {
            with(part, |part| state.field("reasoning_details", part));
        }
        with(r#"{"google":{"thought_signature":"t"}}"#, |part| {
            state.field_of_call(1, "extra_content", part);
        });
        let kept = state.finish();
        assert_eq!(kept.message["reasoning_content"], "I think");
        assert_eq!(
            kept.message["reasoning_details"],
            json!([
                {"type": "reasoning.text", "index": 0, "text": "I think", "signature": "s"},
                {"type": "reasoning.encrypted", "index": 1, "data": "x"},
            ])
        );
        assert_eq!(
            kept.calls[&1]["extra_content"]["google"]["thought_signature"],
            "t"
        );
    }

    #[test]
    fn a_block_grows_by_its_deltas() {
        let mut state = State::default();
        with(r#"{"type":"thinking","thinking":"","signature":""}"#, |content| {
            state.block(Some(3), (7, 1), content);
        });
        with(r#"{"type":"thinking_delta","thinking":"hm"}"#, |delta| {
            state.more_of_block(Some(3), delta);
        });
        with(r#"{"type":"signature_delta","signature":"Eq"}"#, |delta| {
            state.more_of_block(Some(3), delta);
        });
        let block = state.finish().blocks.remove(0);
        assert_eq!((block.text, block.calls), (7, 1));
        assert_eq!(
            block.content,
            json!({"type": "thinking", "thinking": "hm", "signature": "Eq"})
        );
    }

    #[test]
    fn what_can_not_be_kept_as_it_came_is_not_kept_at_all() {
        let mut state = State::default();
        with(r#""fine""#, |part| state.field("reasoning_content", part));
        with(r#""\ud83d""#, |part| state.field("reasoning_content", part));
        assert!(state.finish().is_empty());
        let mut state = State::default();
        let long = format!("\"{}\"", "x".repeat(MAX_BYTES));
        with(&long, |part| state.field("reasoning_content", part));
        assert!(state.finish().is_empty());
    }
}
