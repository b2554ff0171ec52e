//! What an expression reads of a call, from its form alone, so that nothing else of the call is bounded or looked at.
//!
//! `call.arguments.n < 10` reads `n` and nothing else. Where the form does not tell which part is read
//! (`call.arguments[call.tool]`), all of the whole is.

mod analysis;

use std::collections::{BTreeMap, HashMap};

use cel::objects::Value as CelValue;
use serde_json::Value;

pub(super) use analysis::reads;

use super::super::text;

/// The most elements of one list or map that an expression looks at.
pub(super) const MAX_ELEMENTS: usize = 128;

/// What is read of one value. Nothing but its being there, where nothing else is said.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The value as it is, with everything in it.
    whole: bool,
    /// How many elements it has, since a loop runs over them.
    counted: bool,
    /// Named fields of an object.
    fields: BTreeMap<String, Reads>,
    /// Elements of a list, or values of an object, whichever they are.
    each: Option<Box<Reads>>,
}

/// One step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Each,
}

impl Reads {
    /// What is read at the end of a path. That it is there is read at least.
    fn at(&mut self, path: &[Step]) -> &mut Self {
        path.iter().fold(self, |reads, step| match step {
            Step::Field(name) => reads.fields.entry(name.clone()).or_default(),
            Step::Each => reads.each.get_or_insert_default().as_mut(),
        })
    }

    /// What is read of a field, by its name or with the whole.
    pub(super) fn of_field(&self, name: &str) -> Vec<&Self> {
        below(&[self], Some(name))
    }

    /// What is read by this name.
    pub(super) fn named(&self, name: &str) -> Option<&Self> {
        self.fields.get(name)
    }

    /// The names that are read.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// JSON Pointers to the innermost fields that are read, as far as names lead.
    pub(super) fn pointers(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (name, inner) in &self.fields {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            let deeper = inner.pointers();
            if deeper.is_empty() {
                found.push(pointer);
            } else {
                found.extend(deeper.iter().map(|rest| format!("{pointer}{rest}")));
            }
        }
        found
    }
}

/// What is read of a part of a value: of a field, where it has a name, and of every part.
fn below<'a>(reads: &[&'a Reads], name: Option<&str>) -> Vec<&'a Reads> {
    let of = |reads: &'a Reads| {
        let named = name.and_then(|name| reads.fields.get(name));
        let each = reads.each.as_deref();
        let whole = reads.whole.then_some(reads);
        [named, each, whole].into_iter().flatten()
    };
    reads.iter().copied().flat_map(of).collect()
}

/// A value as an expression sees it: what it reads, within bounds; the rest is left out.
/// Integers stay integers, so that `call.arguments.n < 10` is what it looks like.
pub(super) fn seen(value: &Value, reads: &[&Reads]) -> Result<CelValue, String> {
    let whole = reads.iter().any(|reads| reads.whole);
    let within = |length: usize| {
        let bounded = whole || reads.iter().any(|reads| reads.counted);
        (!bounded || length <= MAX_ELEMENTS)
            .then_some(())
            .ok_or_else(too_large)
    };
    match value {
        _ if !whole && reads.iter().all(|reads| reads.is_presence()) => Ok(CelValue::Null),
        Value::Array(items) => {
            within(items.len())?;
            let each = below(reads, None);
            let items = items.iter().map(|item| seen(item, &each));
            Ok(items.collect::<Result<Vec<_>, _>>()?.into())
        }
        Value::Object(fields) => {
            within(fields.len())?;
            object(fields, reads)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value),
    }
}

impl Reads {
    fn is_presence(&self) -> bool {
        !self.whole && !self.counted && self.fields.is_empty() && self.each.is_none()
    }
}

fn object(fields: &serde_json::Map<String, Value>, reads: &[&Reads]) -> Result<CelValue, String> {
    let mut seen_fields = HashMap::new();
    for (name, value) in fields {
        let read = below(reads, Some(name));
        if read.is_empty() {
            continue;
        }
        if name.len() > text::MAX_TEXT {
            return Err(too_large());
        }
        seen_fields.insert(name.clone(), seen(value, &read)?);
    }
    Ok(seen_fields.into())
}

fn scalar(value: &Value) -> Result<CelValue, String> {
    match value {
        Value::Bool(flag) => Ok(CelValue::Bool(*flag)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(CelValue::Int(integer)),
            (None, Some(float)) => Ok(CelValue::Float(float)),
            (None, None) => Err(too_large()),
        },
        Value::String(text) if text.len() <= text::MAX_TEXT => Ok(text.as_str().into()),
        Value::String(_) => Err(too_large()),
        Value::Null | Value::Array(_) | Value::Object(_) => Ok(CelValue::Null),
    }
}

fn too_large() -> String {
    format!(
        "an argument that it reads is longer than {} bytes or has more than {MAX_ELEMENTS} elements",
        text::MAX_TEXT
    )
}
