//! JSON as it is written: where the values in a text stand, without making anything of them.
//!
//! `serde_json` has a type for this, behind a feature by which a *key* of an object decides what every reader of the process takes the
//! object for: `{"$serde_json::private::RawValue": "[1]"}` is then the list `[1]`, and whoever judged the object judged something else.
//! No crate of a binary may turn that on, see the list of forbidden features in `xtask`.

use std::ops::Range;

use serde::de::IgnoredAny;

/// What may stand before a value in a text that is JSON.
const BETWEEN: [char; 6] = [' ', '\t', '\n', '\r', ',', ':'];

/// Where the one value stands that a text is. However deep it is: no more than its length is needed to look at it.
pub fn whole(text: &str) -> Result<Range<usize>, serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(text)?;
    let (before, after) = (text.trim_start(), text.trim_end());
    Ok(text.len().saturating_sub(before.len())..after.len())
}

/// Where the parts of one object or list stand: its items, or its names and values in turn. None for what is neither.
///
/// The text must have passed [`whole`], or be part of one that has.
pub fn parts(text: &str) -> Parts<'_> {
    let at = if text.starts_with(['{', '[']) {
        1
    } else {
        text.len()
    };
    Parts { text, at }
}

/// The value of a name in an object; of several the last.
pub fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    fields(text)
        .filter(|(found, _)| serde_json::from_str::<String>(found).is_ok_and(|found| found == name))
        .last()
        .map(|(_, value)| value)
}

/// The names and values of an object, as they are written.
pub fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = parts(if text.starts_with('{') { text } else { "" });
    std::iter::from_fn(move || {
        let (name, value) = (parts.next()?, parts.next()?);
        Some((text.get(name)?, text.get(value)?))
    })
}

/// The items of a list, as they are written.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    let parts = parts(if text.starts_with('[') { text } else { "" });
    parts.filter_map(|item| text.get(item))
}

/// See [`parts`].
#[derive(Debug)]
pub struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Parts<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..)?.trim_start_matches(BETWEEN);
        let start = self.text.len().saturating_sub(rest.len());
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        // At the end there is a bracket, which is no value.
        values.next()?.ok()?;
        self.at = start.saturating_add(values.byte_offset());
        Some(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn found(text: &str) -> Vec<&str> {
        parts(text).map(|part| &text[part]).collect()
    }

    #[rstest]
    #[case::list("[1, \"a,]\",{\"b\":[2]} ,null]", &["1", "\"a,]\"", "{\"b\":[2]}", "null"])]
    #[case::object("{\"a\" : 1.5e3,\n\"b\":{}}", &["\"a\"", "1.5e3", "\"b\"", "{}"])]
    #[case::empty_list("[ ]", &[])]
    #[case::empty_object("{}", &[])]
    #[case::nested("[[[]],[]]", &["[[]]", "[]"])]
    #[case::quotes(r#"["\"","\\"]"#, &[r#""\"""#, r#""\\""#])]
    #[case::neither("\"[1]\"", &[])]
    #[case::number("12", &[])]
    fn parts_stand_where_they_are_written(#[case] text: &str, #[case] expected: &[&str]) {
        assert!(whole(text).is_ok());
        assert_eq!(found(text), expected);
    }

    #[rstest]
    #[case("{\"a\":", true)]
    #[case("[1", true)]
    #[case("{} {}", false)]
    #[case("[1,]", false)]
    #[case("slow down", false)]
    fn what_is_no_json_is_refused_whole(#[case] text: &str, #[case] ends_too_early: bool) {
        assert_eq!(whole(text).unwrap_err().is_eof(), ends_too_early);
    }

    #[test]
    fn surroundings_are_no_part_of_it() {
        assert_eq!(whole(" \n[1]\t").unwrap(), 2..5);
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("[{}{},7]", "[".repeat(100_000), "]".repeat(100_000));
        assert!(whole(&deep).is_ok());
        assert_eq!(found(&deep).last(), Some(&"7"));
    }

    #[test]
    fn fields_and_items_are_found_by_what_their_names_say() {
        let text = r#"{"b":[1,2],"\u0061":3,"a":4}"#;
        assert_eq!(field(text, "a"), Some("4"));
        assert_eq!(field(text, "c"), None);
        assert_eq!(items(field(text, "b").unwrap()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(items(text).count(), 0);
        assert_eq!(fields("[1,2]").count(), 0);
    }

    /// The reason of this module, for the process of this test; `xtask` looks at all of them.
    #[test]
    fn no_key_makes_another_value_of_an_object() {
        for key in ["RawValue", "Number"] {
            let key = format!("$serde_json::private::{key}");
            let text = serde_json::json!({ key: "[1]" }).to_string();
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(read.is_object(), "{text} is read as {read}");
        }
    }
}
