//! A YAML or JSON document as a tree in which every value knows its place.

use serde_json::{Map, Number, Value};

/// A stretch of the text, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it begins.
    pub(crate) offset: usize,
    /// How long it is.
    pub(crate) length: usize,
}

impl Place {
    /// For slicing the text.
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.offset..self.offset.saturating_add(self.length)
    }
}

/// A value and its place. The place of a mapping or list is its key, where it has one.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where it is.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) kind: Kind,
    /// Why it means something else than it seems to; whoever writes an object of ours is told.
    pub(crate) remark: Option<Box<str>>,
}

/// The values that JSON and YAML have in common.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// What it is.
    pub(crate) text: String,
    /// Where it is.
    pub(crate) place: Place,
}

impl Node {
    /// A value about which nothing is to be said.
    pub(crate) fn new(place: Place, kind: Kind) -> Self {
        Self {
            place,
            kind,
            remark: None,
        }
    }

    /// The first remark in it, and its place.
    pub(crate) fn remark(&self) -> Option<(&str, Place)> {
        if let Some(remark) = &self.remark {
            return Some((remark, self.place));
        }
        match &self.kind {
            Kind::List(items) => items.iter().find_map(Self::remark),
            Kind::Mapping(entries) => entries.iter().find_map(|(_, node)| node.remark()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => None,
        }
    }

    /// A mapping's value.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let Kind::Mapping(entries) = &self.kind else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name.text == key)
            .map(|(_, node)| node)
    }

    /// The objects of a list, which is whatever has `items`: clients take them out of it, whatever its kind is said to be.
    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.get("items")?.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// A list's item.
    pub(crate) fn item(&self, index: usize) -> Option<&Node> {
        let Kind::List(items) = &self.kind else {
            return None;
        };
        items.get(index)
    }

    /// A list's items; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// A text.
    pub(crate) fn text(&self) -> Option<&str> {
        let Kind::Text(text) = &self.kind else { return None };
        Some(text)
    }

    /// The same as plain JSON.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Kind::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.clone(), node.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    pub(crate) fn is_container(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Mapping(_))
    }
}
