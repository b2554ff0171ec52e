//! A YAML or JSON document as a tree in which every value knows its place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

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
    #[cfg(test)]
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

    fn is_container(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Mapping(_))
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let span = location.span();
        let bytes = |value: Option<u64>| {
            value
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or_default()
        };
        Self {
            offset: bytes(span.byte_offset()),
            length: bytes(span.byte_len()),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let mut place = Place::from(spanned.referenced);
        match &spanned.value {
            Kind::Mapping(entries) => {
                if let Some((key, _)) = entries.first() {
                    place = key.place;
                }
            }
            Kind::List(items) => {
                if let Some(item) = items.first() {
                    place = item.place;
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
        Ok(Self {
            place,
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has too")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value)
            .map(Kind::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let key = Key {
                place: key.referenced.into(),
                text: key.value,
            };
            let mut node = access.next_value::<Node>()?;
            if node.is_container() || node.place.length == 0 {
                node.place = key.place;
            }
            if entries.iter().any(|(other, _)| other.text == key.text) {
                return Err(A::Error::custom(format!("key {:?} appears twice", key.text)));
            }
            entries.push((key, node));
        }
        Ok(Kind::Mapping(entries))
    }
}
