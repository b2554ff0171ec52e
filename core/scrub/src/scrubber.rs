//! Knows a set of secrets, and takes them out.

use std::sync::Arc;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::dictionary::Dictionary;
use crate::forms::Sought;
use crate::stream::{End, ScrubStream, scrubbed};
use crate::{MARK, forms};

/// Knows a set of secrets in all their usual encodings.
///
/// Scrubbing again what was scrubbed changes nothing: a mark is left whole.
#[derive(Clone, Default)]
pub struct Scrubber {
    dictionary: Option<Arc<Dictionary>>,
}

/// Shows nothing of what it knows.
impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scrubber")
            .field("empty", &self.dictionary.is_none())
            .finish()
    }
}

impl Scrubber {
    /// Knows `secrets`; those that are shorter than four bytes, blanks around them not counted, are not looked for.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut forms: Vec<_> = secrets.into_iter().flat_map(forms::of).collect();
        if forms.is_empty() {
            return Self::default();
        }
        forms.push(Sought {
            text: Zeroizing::new(MARK.as_bytes().to_vec()),
            is_remote: false,
        });
        Self {
            dictionary: Some(Arc::new(Dictionary::new(forms))),
        }
    }

    /// A reader of one stream.
    pub fn stream(&self) -> ScrubStream {
        ScrubStream::new(self.dictionary.as_ref())
    }

    /// `bytes`, which are whole, without secrets.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.ended(bytes.to_vec(), End::Whole)
    }

    /// `text`, which is whole, without secrets.
    pub fn text(&self, text: &str) -> String {
        match self.scrubbed(text.as_bytes(), End::Whole) {
            Some(clean) => lossy(clean),
            None => text.to_owned(),
        }
    }

    /// `value` with each of its texts scrubbed, names and numbers as well.
    pub fn json(&self, value: Value) -> Value {
        if self.dictionary.is_none() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.ended_text(text, End::Whole)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.json(item)).collect()),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Number(number) => {
                let clean = self.scrubbed(number.to_string().as_bytes(), End::Whole);
                clean.map_or(Value::Number(number), |clean| Value::String(lossy(clean)))
            }
            Value::Null | Value::Bool(_) => value,
        }
    }

    /// The fields of an object, as [`Scrubber::json`].
    pub fn fields(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (self.ended_text(name, End::Whole), self.json(value)))
            .collect()
    }

    /// `text`, whose end is `end`, without secrets.
    pub(crate) fn ended_text(&self, text: String, end: End) -> String {
        self.scrubbed(text.as_bytes(), end).map_or(text, lossy)
    }

    /// `bytes`, whose end is `end`, without secrets.
    pub(crate) fn ended(&self, bytes: Vec<u8>, end: End) -> Vec<u8> {
        self.scrubbed(&bytes, end).unwrap_or(bytes)
    }

    /// Whether `bytes` hold a secret.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        let clean = self.scrubbed(bytes, End::Whole);
        clean.is_some_and(|clean| clean != bytes)
    }

    fn scrubbed(&self, bytes: &[u8], end: End) -> Option<Vec<u8>> {
        scrubbed(self.dictionary.as_ref()?, bytes, end)
    }
}

/// A secret may have ended within a character.
fn lossy(clean: Vec<u8>) -> String {
    String::from_utf8(clean).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
