//! The one dialect of regular expressions, wherever they stand: that of JSON Schema, which is ECMA-262 with its `u` flag.
//!
//! `\d` and `\w` are ASCII, `\b` is the end of such a word, `\s` and `.` know every space and line end of ECMA-262, and `(?i)` folds
//! every letter. What is added to it are flags at the beginning, `(?i)`, and what is missing are the constructs that need
//! backtracking. The library means other things by the same words, so that an expression is put into its words first.
//!
//! | written | compiled as |
//! | --- | --- |
//! | `\d`, `\w`, `\s` | the classes themselves, see `jsonschema_regex` |
//! | `.` | anything but a line end of ECMA-262; under `(?s)` anything |
//! | `\b`, `\B` | `(?-u:\b)`, `(?-u:\B)` |

use std::borrow::Cow;
use std::fmt::Write as _;

use regex_syntax::ast::{self, AssertionKind, Ast, ClassSet, ClassSetItem, Flag, Flags, Span};

use super::parsed;

/// An expression in the words of the library.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let rust = jsonschema_regex::to_rust_regex(&reworded(pattern)).map(Cow::into_owned);
    rust.map_err(|()| {
        let problem = parsed(pattern).err();
        problem.unwrap_or_else(|| "the expression is none of ECMA-262".to_owned())
    })
}

/// Refuses what ECMA-262 reads as plain characters and other dialects as classes of classes: whoever writes it means the latter.
pub(super) fn unambiguous(pattern: &str) -> Result<(), String> {
    match parsed(pattern) {
        Ok(ast) => ast::visit(&ast, Classes),
        // Told by whoever compiles it, or known to ECMA-262 alone.
        Err(_) => Ok(()),
    }
}

struct Classes;

impl ast::Visitor for Classes {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::ClassBracketed(class) if matches!(class.kind, ClassSet::BinaryOp(_)) => Err(nested()),
            _ => Ok(()),
        }
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Bracketed(_) | ClassSetItem::Ascii(_) => Err(nested()),
            _ => Ok(()),
        }
    }
}

fn nested() -> String {
    "a character class has another one in it, or && or -- or ~~, which ECMA-262 does not have; list the characters, or put \\ before \
     what is meant literally"
        .to_owned()
}

/// The expression in words of ECMA-262 that `jsonschema_regex`, and so a validator of schemas, translates as they are meant.
pub(crate) fn reworded(pattern: &str) -> String {
    let pattern = without_control_letters(pattern);
    let Ok(ast) = parsed(&pattern) else {
        return pattern;
    };
    let rewording = Rewording {
        modes: vec![Mode {
            dots_take_all: false,
            is_unicode: true,
        }],
        found: Vec::new(),
    };
    // It never fails.
    let found = ast::visit(&ast, rewording).unwrap_or_default();
    let mut reworded = String::new();
    let mut from = 0;
    for (span, words) in found {
        reworded.push_str(pattern.get(from..span.start.offset).unwrap_or_default());
        reworded.push_str(words);
        from = span.end.offset;
    }
    reworded.push_str(pattern.get(from..).unwrap_or_default());
    reworded
}

/// `\cA` as `\x01`, which the library can parse.
fn without_control_letters(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let next = if c == '\\' { chars.next() } else { None };
        match (next, chars.peek().copied()) {
            (Some('c'), Some(letter)) if letter.is_ascii_alphabetic() => {
                chars.next();
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(letter) % 32);
            }
            _ => {
                out.push(c);
                out.extend(next);
            }
        }
    }
    out
}

/// What flags say at a place.
#[derive(Debug, Clone, Copy)]
struct Mode {
    dots_take_all: bool,
    is_unicode: bool,
}

impl Mode {
    fn with(self, flags: &Flags) -> Self {
        Self {
            dots_take_all: flags
                .flag_state(Flag::DotMatchesNewLine)
                .unwrap_or(self.dots_take_all),
            is_unicode: flags.flag_state(Flag::Unicode).unwrap_or(self.is_unicode),
        }
    }
}

/// Finds what must be said in other words, in the order of the expression.
struct Rewording {
    /// Of the open groups, the innermost last.
    modes: Vec<Mode>,
    found: Vec<(Span, &'static str)>,
}

impl Rewording {
    fn mode(&self) -> Mode {
        self.modes.last().copied().unwrap_or(Mode {
            dots_take_all: false,
            is_unicode: true,
        })
    }
}

impl ast::Visitor for Rewording {
    type Output = Vec<(Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.found)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let mode = self.mode();
        match ast {
            Ast::Group(group) => self
                .modes
                .push(group.flags().map_or(mode, |flags| mode.with(flags))),
            // They hold until the group ends.
            Ast::Flags(set) => {
                if let Some(last) = self.modes.last_mut() {
                    *last = mode.with(&set.flags);
                }
            }
            Ast::Dot(span) if mode.dots_take_all && mode.is_unicode => {
                self.found.push((**span, "[\\s\\S]"));
            }
            Ast::Assertion(assertion) if mode.is_unicode => match assertion.kind {
                AssertionKind::WordBoundary => self.found.push((assertion.span, "(?-u:\\b)")),
                AssertionKind::NotWordBoundary => self.found.push((assertion.span, "(?-u:\\B)")),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn visit_post(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        if matches!(ast, Ast::Group(_)) {
            self.modes.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::expression::Allowance;
    use crate::matching::{Canonical, Pattern};
    use crate::schema::Schema;
    use crate::source::Match;

    /// What a dimension says, and what a schema says of the same expression between anchors.
    fn both(pattern: &str, value: &str) -> (bool, bool) {
        let dimension = Pattern::compile(&Match::Regex {}, &json!(pattern)).unwrap();
        let read = Canonical::read(&Match::Regex {}, &json!(value)).unwrap();
        let schema = json!({"type": "object", "properties": {"a": {"pattern": format!("^(?:{pattern})$")}}});
        let schema = Schema::compile(&schema, &mut Allowance::default()).unwrap();
        let argument = json!({"a": value});
        (
            dimension.matches(&read),
            schema.complaints(&argument).next().is_none(),
        )
    }

    #[rstest]
    #[case::digit("\\d", "7", true)]
    #[case::arabic_digit("\\d", "٣", false)]
    #[case::fullwidth_digit("\\d+", "１２", false)]
    #[case::digit_in_class("[\\d.]+", "1.٣", false)]
    #[case::no_digit("\\D", "٣", true)]
    #[case::not_in_class("[^\\d]", "٣", true)]
    #[case::word("\\w+", "a_9", true)]
    #[case::umlaut("\\w", "ä", false)]
    #[case::cyrillic("\\w", "а", false)]
    #[case::no_word("\\W", "ä", true)]
    #[case::space("\\s", " ", true)]
    #[case::no_break_space("\\s", "\u{a0}", true)]
    #[case::ideographic_space("\\s", "\u{3000}", true)]
    #[case::byte_order_mark("\\s", "\u{feff}", true)]
    #[case::next_line("\\s", "\u{85}", false)]
    #[case::dot(".", "ä", true)]
    #[case::carriage_return(".", "\r", false)]
    #[case::line_separator("a.b", "a\u{2028}b", false)]
    #[case::dot_that_takes_all("(?s:a.b)", "a\nb", true)]
    #[case::dot_that_takes_all_from_here("(?s)a.b", "a\u{2028}b", true)]
    #[case::dot_after_the_group("(?:(?s:.)).", "\n\n", false)]
    #[case::dot_in_the_group("(?s:(?-s:.))", "\n", false)]
    #[case::boundary("a\\b.+", "a b", true)]
    #[case::boundary_beside_an_umlaut("a\\b.+", "aä", true)]
    #[case::no_boundary_inside_a_word("a\\b.+", "ab", false)]
    #[case::no_boundary("a\\B.+", "ab", true)]
    #[case::no_boundary_beside_an_umlaut("a\\B.+", "aä", false)]
    #[case::boundary_after_a_control_letter("\\cAa\\b.", "\u{1}aä", true)]
    #[case::folded("(?i)straße", "STRASSE", false)]
    #[case::folded_letters("(?i)Ärger", "äRGER", true)]
    #[case::kelvin_sign("(?i)k", "\u{212a}", true)]
    #[case::long_s("(?i)s", "\u{17f}", true)]
    #[case::not_folded("k", "\u{212a}", false)]
    #[case::folded_word("(?i)\\w", "ä", false)]
    #[case::control_letter("\\cJ", "\n", true)]
    #[case::end("a$", "a\n", false)]
    #[case::property("\\p{L}", "ä", true)]
    #[case::slash("a\\/b", "a/b", true)]
    fn dimensions_and_schemas_mean_the_same(
        #[case] pattern: &str,
        #[case] value: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(both(pattern, value), (expected, expected));
    }

    #[rstest]
    #[case::posix("[[:alpha:]]+")]
    #[case::nested("[a-z[0-9]]")]
    #[case::intersection("[a-z&&[^aeiou]]")]
    #[case::intersection_alone("[a-z&&b]")]
    #[case::difference("[a-z--b]")]
    #[case::symmetric("[a-z~~b]")]
    fn what_dialects_read_differently_is_refused_in_a_grant(#[case] pattern: &str) {
        let refused = Pattern::compile(&Match::Regex {}, &json!(pattern)).unwrap_err();
        assert!(refused.contains("ECMA-262"), "{refused}");
    }

    #[test]
    fn a_value_that_looks_like_an_expression_is_none() {
        let schema = json!({"type": "object", "properties": {
            "a": {"const": {"pattern": "a\\b"}}, "pattern": {"type": "string", "enum": ["a\\b"]}
        }});
        let schema = Schema::compile(&schema, &mut Allowance::default()).unwrap();
        let value = json!({"a": {"pattern": "a\\b"}, "pattern": "a\\b"});
        assert_eq!(schema.complaints(&value).count(), 0);
    }

    #[test]
    fn names_of_properties_are_of_the_dialect() {
        let schema = json!({
            "type": "object", "patternProperties": {"^a\\b": {"type": "integer"}}, "additionalProperties": false
        });
        let schema = Schema::compile(&schema, &mut Allowance::default()).unwrap();
        assert_eq!(schema.complaints(&json!({"aä": 1})).count(), 0);
        assert_ne!(schema.complaints(&json!({"aä": "x"})).count(), 0);
        assert_ne!(schema.complaints(&json!({"ab": 1})).count(), 0);
    }
}
