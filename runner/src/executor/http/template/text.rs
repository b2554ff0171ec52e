//! Text with pointers in it.

use monstrum_guardian::template::{Piece, pieces};
use serde_json::Value;

use crate::call::Failure;

/// Text of a template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::executor::http) struct Text<'a> {
    pieces: Vec<Piece<'a>>,
}

/// What came of filling a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::executor::http) enum Filling {
    /// The text with its values.
    Full(String),
    /// The value at this pointer is absent, so that there is no text.
    Absent(String),
}

impl<'a> Text<'a> {
    /// Takes `source` apart.
    pub(in crate::executor::http) fn parse(source: &'a str) -> Result<Self, Failure> {
        let pieces = pieces(source)
            .map_err(|why| Failure::invalid(format!("the tool's execution: {source:?} {why}")))?;
        Ok(Self { pieces })
    }

    /// The pointer, if the text is exactly one.
    pub(super) fn pointer(&self) -> Option<&'a str> {
        match self.pieces.as_slice() {
            [Piece::Pointer(pointer)] => Some(pointer),
            _ => None,
        }
    }

    /// Read backwards: the only pointer, and what stands for it in `filled`. Nothing where several values could have made it.
    pub(in crate::executor::http) fn capture<'t>(&self, filled: &'t str) -> Option<(&'a str, &'t str)> {
        let (pointer, before, after) = match *self.pieces.as_slice() {
            [Piece::Pointer(pointer)] => (pointer, "", ""),
            [Piece::Literal(before), Piece::Pointer(pointer)] => (pointer, before, ""),
            [Piece::Pointer(pointer), Piece::Literal(after)] => (pointer, "", after),
            [
                Piece::Literal(before),
                Piece::Pointer(pointer),
                Piece::Literal(after),
            ] => (pointer, before, after),
            _ => return None,
        };
        let shown = filled.strip_prefix(before)?.strip_suffix(after)?;
        Some((pointer, shown))
    }

    /// Whether values are put in at all.
    pub(in crate::executor::http) fn has_pointers(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Pointer(_)))
    }

    /// Puts the values of `arguments` in. Null counts as absent; a list or an object can't become text.
    pub(in crate::executor::http) fn fill(&self, arguments: &Value) -> Result<Filling, Failure> {
        let mut text = String::new();
        for piece in &self.pieces {
            match *piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Pointer(pointer) => match arguments.pointer(pointer) {
                    None | Some(Value::Null) => return Ok(Filling::Absent(pointer.to_owned())),
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value @ (Value::Number(_) | Value::Bool(_))) => text.push_str(&value.to_string()),
                    Some(Value::Array(_) | Value::Object(_)) => {
                        return Err(Failure::invalid(format!(
                            "the argument {pointer} is a list or an object and can't be put into text"
                        )));
                    }
                },
            }
        }
        Ok(Filling::Full(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::plain("a b", "a b")]
    #[case::whole("{/owner}", "acme")]
    #[case::inside("<{/owner}/{/number}>", "<acme/7>")]
    #[case::nested("{/deep/name}", "x")]
    #[case::escaped_key("{/a~1b}", "slash")]
    #[case::value_is_not_searched("{/template}", "{/owner}")]
    #[case::unicode("ü{/owner}ß", "üacmeß")]
    fn values_are_put_in_once(#[case] template: &str, #[case] filled: &str) {
        let arguments = json!({
            "owner": "acme", "number": 7, "deep": {"name": "x"}, "a/b": "slash", "template": "{/owner}",
        });
        let full = Text::parse(template).unwrap().fill(&arguments).unwrap();
        assert_eq!(full, Filling::Full(filled.to_owned()));
    }

    #[test]
    fn null_and_missing_are_absent() {
        for arguments in [json!({}), json!({ "a": null })] {
            let filling = Text::parse("x{/a}").unwrap().fill(&arguments).unwrap();
            assert_eq!(filling, Filling::Absent("/a".to_owned()));
        }
    }

    #[test]
    fn lists_and_objects_are_no_text() {
        for value in [json!(["a"]), json!({ "a": 1 })] {
            assert!(Text::parse("{/v}").unwrap().fill(&json!({ "v": value })).is_err());
        }
    }

    #[rstest]
    #[case::open("/repos/{/owner")]
    #[case::no_pointer("{x} {/owner}")]
    #[case::nothing("{} {/owner}")]
    #[case::blank("{ /owner}")]
    fn another_brace_is_a_fault_of_the_template(#[case] template: &str) {
        assert!(Text::parse(template).is_err());
    }
}
