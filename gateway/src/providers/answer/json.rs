//! JSON as providers write it, looked at rather than taken over: a field of an unexpected type is an absent field, a raw control
//! byte in a string is that byte, and a value is at hand as it was written, duplicate keys and all.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use monstrum_service::json;
use serde::de::{self, Deserializer as _, Visitor};

use super::text::Wide;

/// A text that may be JSON.
pub(in crate::providers) struct Document<'a> {
    written: &'a str,
    /// The same length, with a space for every raw control byte inside a string, which JSON forbids.
    layout: Cow<'a, str>,
}

/// One value in a document.
#[derive(Debug, Clone, Copy)]
pub(in crate::providers) struct Json<'a> {
    written: &'a str,
    layout: &'a str,
}

impl<'a> Document<'a> {
    pub(in crate::providers) fn of(written: &'a str) -> Self {
        Self {
            written,
            layout: layout(written),
        }
    }

    /// The value; `Err(true)` when the text ends too early for one.
    pub(in crate::providers) fn root(&self) -> Result<Json<'_>, bool> {
        let whole = Json {
            written: self.written,
            layout: &self.layout,
        };
        let value = json::whole(&self.layout).map_err(|error| error.is_eof())?;
        whole.part(value).ok_or(false)
    }
}

impl<'a> Json<'a> {
    /// As it was written.
    pub(in crate::providers) fn written(self) -> &'a str {
        self.written
    }

    pub(in crate::providers) fn is_string(self) -> bool {
        self.written.starts_with('"')
    }

    pub(in crate::providers) fn is_list(self) -> bool {
        self.written.starts_with('[')
    }

    pub(in crate::providers) fn is_object(self) -> bool {
        self.written.starts_with('{')
    }

    /// A string.
    pub(in crate::providers) fn text(self) -> Option<Wide<'a>> {
        if !self.is_string() {
            return None;
        }
        bytes(self.written).map(Wide)
    }

    /// A string, by itself.
    pub(in crate::providers) fn string(self) -> Option<String> {
        self.text().map(|text| text.text())
    }

    /// A whole number from 0, also one that is written as `3.0` or as a string.
    pub(in crate::providers) fn number(self) -> Option<u64> {
        let digits = self.written.trim_matches('"').trim();
        digits.parse().ok().or_else(|| whole(digits.parse().ok()?))
    }

    /// The fields of these names; an absent one and a null are alike, and of several of one name the last counts.
    pub(in crate::providers) fn fields<const N: usize>(self, names: [&str; N]) -> [Option<Json<'a>>; N] {
        let mut found = [None; N];
        if !self.is_object() {
            return found;
        }
        let mut parts = json::parts(self.layout);
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            // A name need not be valid text.
            let name = self.layout.get(name).and_then(bytes);
            for (at, slot) in names.iter().zip(&mut found) {
                if name.as_deref() == Some(at.as_bytes()) {
                    *slot = self.part(value.clone()).filter(|value| value.written != "null");
                }
            }
        }
        found
    }

    /// The field of this name.
    pub(in crate::providers) fn field(self, name: &str) -> Option<Json<'a>> {
        let [field] = self.fields([name]);
        field
    }

    /// Hands each item of a list to `each`, until that fails.
    pub(in crate::providers) fn each<E>(self, each: impl FnMut(Json<'a>) -> Result<(), E>) -> Result<(), E> {
        if !self.is_list() {
            return Ok(());
        }
        let mut items = json::parts(self.layout).filter_map(|item| self.part(item));
        items.try_for_each(each)
    }

    /// Hands every item of a list to `each`.
    pub(in crate::providers) fn items(self, mut each: impl FnMut(Json<'a>)) {
        let each = |item| {
            each(item);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = self.each(each);
    }

    /// A value inside of this one, as it was written.
    fn part(self, place: Range<usize>) -> Option<Self> {
        let (written, layout) = (self.written.get(place.clone())?, self.layout.get(place)?);
        Some(Self { written, layout })
    }
}

/// A string, though half a character may stand in it.
fn bytes(text: &str) -> Option<Cow<'_, [u8]>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_bytes(AnyBytes).ok()
}

/// A count that is written as a decimal fraction; part of a token is a token.
fn whole(number: f64) -> Option<u64> {
    let fits = (0.0..9e15).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2^53, and whole"
    )]
    fits.then(|| number.ceil() as u64)
}

fn layout(written: &str) -> Cow<'_, str> {
    let (mut in_string, mut escaped) = (false, false);
    let mut is_foul = |byte: u8| {
        let inside = in_string;
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'"' => in_string = !in_string,
            b'\\' => escaped = in_string,
            _ => {}
        }
        inside && byte < b' '
    };
    let foul: Vec<bool> = if written.bytes().any(|byte| byte < b' ') {
        written.bytes().map(&mut is_foul).collect()
    } else {
        Vec::new()
    };
    if !foul.contains(&true) {
        return Cow::Borrowed(written);
    }
    let clean = written.chars().scan(0_usize, |at, character| {
        let here = foul.get(*at).copied().unwrap_or(false);
        *at = at.saturating_add(character.len_utf8());
        Some(if here { ' ' } else { character })
    });
    Cow::Owned(clean.collect())
}

struct AnyBytes;

impl<'de> Visitor<'de> for AnyBytes {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_field_is_found_whatever_stands_beside_it() {
        let document = Document::of(
            "{\"x\":\"\\ud83d \u{1}\",\"\\ud83d\":1,\"a\":null,\"a\":{\"k\":1,\"k\":2}, \"n\":null}",
        );
        let [a, n, none] = document.root().unwrap().fields(["a", "n", "none"]);
        assert_eq!(a.unwrap().written(), r#"{"k":1,"k":2}"#);
        assert!(n.is_none() && none.is_none());
    }

    #[test]
    fn a_control_byte_is_tolerated_and_kept_as_it_was_written() {
        let text = "{\"a\":\"x\ny\",\n\"o\":{\"b\":\"\u{2}\"}}";
        let document = Document::of(text);
        let [a, o] = document.root().unwrap().fields(["a", "o"]);
        assert_eq!(a.unwrap().string().unwrap(), "x\ny");
        assert_eq!(o.unwrap().written(), "{\"b\":\"\u{2}\"}");
    }

    #[rstest]
    #[case("{\"a\":", Err(true))]
    #[case("{\"a\":\"", Err(true))]
    #[case("{\"a\":x}", Err(false))]
    #[case("{} {}", Err(false))]
    #[case("slow down", Err(false))]
    #[case(" [1] ", Ok("[1]"))]
    fn what_is_no_json_is_known(#[case] text: &str, #[case] expected: Result<&str, bool>) {
        assert_eq!(Document::of(text).root().map(Json::written), expected);
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case("7.0", Some(7))]
    #[case("7.2", Some(8))]
    #[case("\"7\"", Some(7))]
    #[case("-7", None)]
    #[case("1e300", None)]
    #[case("{}", None)]
    #[case("\"many\"", None)]
    #[case("true", None)]
    fn a_count_is_read_in_each_of_its_forms(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(Document::of(text).root().unwrap().number(), expected);
    }

    #[test]
    fn a_key_of_the_json_library_is_a_key_like_any_other() {
        let text = r#"{"a":{"$serde_json::private::RawValue":"[1]"}}"#;
        let document = Document::of(text);
        let field = document.root().unwrap().field("a").unwrap();
        assert!(field.is_object() && !field.is_list());
        let read: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(read["a"].is_object(), "{read}");
    }

    #[test]
    fn items_come_in_order_until_one_fails() {
        let document = Document::of("[1,2,3]");
        let mut seen = Vec::new();
        let outcome = document.root().unwrap().each(|item| {
            seen.push(item.number());
            if seen.len() == 2 { Err(()) } else { Ok(()) }
        });
        assert_eq!((outcome, seen), (Err(()), vec![Some(1), Some(2)]));
    }
}
