//! Whether an object still is what we made it, and what has to be taken back where it is not.
//!
//! A field that we do not say is as good a way in as one that we do: `ingress: [{}]` beside a policy's egress rules,
//! `shareProcessNamespace: true` in a pod. So objects are compared whole. What an API server fills in by itself is a
//! closed list ([`defaults`]); everything else that we did not say is an addition by somebody else, and is taken out.

mod defaults;
mod quantity;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::ChildKind;

/// The annotation with the digest of what was last applied.
pub(crate) const APPLIED: &str = "monstrum.dev/applied";

/// What stands for each element of a list in a path.
const ELEMENT: &str = "*";

/// What we say of an object, with its digest among the annotations.
pub(crate) fn with_digest(object: &Value) -> Value {
    let digest = digest(object);
    let mut object = object.clone();
    let annotations = object
        .as_object_mut()
        .map(|object| {
            object
                .entry("metadata")
                .or_insert_with(|| Value::Object(Map::new()))
        })
        .and_then(Value::as_object_mut)
        .map(|metadata| {
            metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(Map::new()))
        })
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.insert(APPLIED.to_owned(), Value::String(digest));
    }
    object
}

/// Whether `live` was made from exactly `desired`, whatever became of it since.
pub(crate) fn was_applied(desired: &Value, live: &Value) -> bool {
    let applied = live
        .pointer("/metadata/annotations/monstrum.dev~1applied")
        .and_then(Value::as_str);
    applied == Some(digest(desired).as_str())
}

fn digest(object: &Value) -> String {
    // serde_json keeps maps in the order of their keys, so that equal objects have equal texts.
    hex::encode(Sha256::digest(object.to_string()))
}

/// The JSON merge patch (RFC 7386) that makes `live` say what `desired` says and nothing more; none when it does.
pub(crate) fn correction(kind: ChildKind, desired: &Value, live: &Value) -> Option<Value> {
    Comparison { kind, at: Vec::new() }.correct(desired, live)
}

/// The paths that a correction touches, for people.
pub(crate) fn paths(correction: &Value) -> Vec<String> {
    fn collect(at: &str, value: &Value, paths: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    let at = if at.is_empty() {
                        key.clone()
                    } else {
                        format!("{at}.{key}")
                    };
                    collect(&at, value, paths);
                }
            }
            Value::Object(_)
            | Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => paths.push(at.to_owned()),
        }
    }
    let mut paths = Vec::new();
    collect("", correction, &mut paths);
    paths
}

struct Comparison<'a> {
    kind: ChildKind,
    /// Where in the object.
    at: Vec<&'a str>,
}

impl<'a> Comparison<'a> {
    fn correct(&mut self, desired: &'a Value, live: &'a Value) -> Option<Value> {
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) => self.correct_fields(desired, live),
            // A merge patch knows no elements: a list is right, or is written whole.
            (Value::Array(wanted), Value::Array(there)) => {
                let same = wanted.len() == there.len()
                    && wanted.iter().zip(there).all(|(wanted, there)| {
                        self.within(ELEMENT, |this| this.correct(wanted, there)).is_none()
                    });
                (!same).then(|| desired.clone())
            }
            (Value::String(wanted), Value::String(there)) if self.is_quantity() => {
                (!quantity::same(wanted, there)).then(|| desired.clone())
            }
            (desired, live) => (desired != live).then(|| desired.clone()),
        }
    }

    fn correct_fields(
        &mut self,
        desired: &'a Map<String, Value>,
        live: &'a Map<String, Value>,
    ) -> Option<Value> {
        let mut patch = Map::new();
        for (key, wanted) in desired {
            let correction = match live.get(key) {
                Some(there) => self.within(key, |this| this.correct(wanted, there)),
                None => (!is_nothing(wanted)).then(|| wanted.clone()),
            };
            patch.extend(correction.map(|correction| (key.clone(), correction)));
        }
        for (key, there) in live.iter().filter(|(key, _)| !desired.contains_key(*key)) {
            if !self.within(key, |this| this.may_be_there(there, live)) {
                patch.insert(key.clone(), Value::Null);
            }
        }
        (!patch.is_empty()).then_some(Value::Object(patch))
    }

    /// Whether the API server, or somebody whose business it is, may have said what we do not.
    fn may_be_there(&mut self, there: &'a Value, beside: &Map<String, Value>) -> bool {
        match self.at.as_slice() {
            // Labels and annotations of an object, and what is kept about it, are anybody's.
            ["apiVersion" | "kind" | "status"] | ["metadata", ..] => true,
            ["spec", "template", "metadata", "annotations"] => there.as_object().is_some_and(|fields| {
                fields
                    .iter()
                    .all(|(key, value)| self.within(key, |this| this.may_be_there(value, fields)))
            }),
            at => defaults::is_default(self.kind, at, there, beside),
        }
    }

    fn within<T>(&mut self, key: &'a str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.at.push(key);
        let found = look(self);
        self.at.pop();
        found
    }

    /// Quantities come back in another notation.
    fn is_quantity(&self) -> bool {
        matches!(
            self.at.as_slice(),
            [.., "sizeLimit"] | [.., "requests" | "limits", _]
        )
    }
}

/// What the API server leaves out.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Server-side apply takes a null for a wish to remove.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}
