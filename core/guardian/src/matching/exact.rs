//! The pattern that describes one value and no other: what an administrator may add to a grant without granting more than was meant.

use serde_json::Value;

use super::{Canonical, Pattern, command};
use crate::source::Match;

/// The pattern, in its kind's own language, that matches the canonical value alone; of a `Url`, with every query, which no pattern
/// restricts. Nothing where there is none: for an expression, an empty text, or a value that is longer than patterns are.
pub fn exact_pattern(matching: &Match, value: &Value) -> Option<Value> {
    let pattern = match (matching, value) {
        (Match::Exact {} | Match::Enum { .. } | Match::Range { .. }, value) => value.clone(),
        (Match::Glob { .. } | Match::Path {}, Value::String(text)) => escaped(text, '\\').into(),
        (Match::Host {}, Value::String(text)) => text.as_str().into(),
        (Match::Url {}, Value::String(text)) => url(text)?.into(),
        (Match::Regex {}, Value::String(text)) => regex(text).into(),
        (Match::Command {}, Value::Array(words)) => line(words)?.into(),
        _ => return None,
    };
    let compiled = Pattern::compile(matching, &pattern).ok()?;
    let read = Canonical::read(matching, &readable(matching, value)?).ok()?;
    (compiled.matches(&read) && is_alone(&compiled)).then_some(pattern)
}

/// A canonical command is its words; it is read from a line.
fn readable(matching: &Match, value: &Value) -> Option<Value> {
    match (matching, value) {
        (Match::Command {}, Value::Array(words)) => line(words).map(Value::String),
        _ => Some(value.clone()),
    }
}

/// Kinds that know their only value must say that there is one.
fn is_alone(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Glob(_) | Pattern::Path(_) | Pattern::Literal(_) => pattern.only_value().is_some(),
        // An address is a network of one.
        Pattern::Host(_) | Pattern::Url(_) | Pattern::Command(_) | Pattern::Range(_) | Pattern::Regex(_) => {
            true
        }
    }
}

/// Every character that a glob reads specially, made literal.
fn escaped(text: &str, with: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "*?[]{}\\".contains(c) {
            out.push(with);
        }
        out.push(c);
    }
    out
}

/// Patterns hold no control characters, so these are written as what they are.
fn regex(text: &str) -> String {
    let escaped = regex_syntax::escape(text);
    let hidden = |c: char| super::text::is_hidden(c);
    escaped
        .chars()
        .map(|c| {
            if hidden(c) {
                format!("\\x{{{:x}}}", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Without its query. A path with characters that a pattern reads specially has no pattern of its own.
fn url(text: &str) -> Option<String> {
    let place = text.split(['?', '#']).next()?;
    let path = place.splitn(4, '/').nth(3).unwrap_or_default();
    (!path.contains(['*', '\\', '[', ']', '{', '}'])).then(|| place.to_owned())
}

/// The words as a pattern reads them, each of them literal.
fn line(words: &[Value]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(Value::as_str).collect::<Option<_>>()?;
    Some(command::line(words.into_iter()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::source::Unit;

    const PATH: Match = Match::Glob { separator: Some('/') };

    /// The value as a call gives it, and its pattern.
    fn of(matching: &Match, given: &Value) -> Option<(Value, Value)> {
        let canonical = Canonical::read(matching, given).ok()?.to_value();
        Some((canonical.clone(), exact_pattern(matching, &canonical)?))
    }

    fn matches(matching: &Match, pattern: &Value, given: &Value) -> bool {
        let pattern = Pattern::compile(matching, pattern).unwrap();
        Canonical::read(matching, given).is_ok_and(|value| pattern.matches(&value))
    }

    #[rstest]
    #[case::star(PATH, json!("acme/*"), json!("acme/x"))]
    #[case::deep(PATH, json!("**"), json!("acme/web"))]
    #[case::brackets(PATH, json!("a[b]{c}?"), json!("ab"))]
    #[case::backslash(Match::Glob { separator: None }, json!("a\\*"), json!("a*"))]
    #[case::path(Match::Path {}, json!("docs/*.md"), json!("docs/a.md"))]
    #[case::regex_any(Match::Regex {}, json!(".*"), json!("x"))]
    #[case::regex_dot(Match::Regex {}, json!("a.b"), json!("axb"))]
    #[case::regex_newline(Match::Regex {}, json!("a\nb"), json!("a b"))]
    #[case::regex_hidden(Match::Regex {}, json!("a\u{200b}b"), json!("ab"))]
    #[case::command(Match::Command {}, json!("cat '*'"), json!("cat a"))]
    #[case::command_options(Match::Command {}, json!("ls '--*'"), json!("ls --all"))]
    #[case::command_quotes(Match::Command {}, json!("echo 'it'\\''s' ''"), json!("echo its"))]
    #[case::host(Match::Host {}, json!("kubernetes.default"), json!("kubernetes"))]
    #[case::address(Match::Host {}, json!("10.1.2.3"), json!("10.1.2.4"))]
    #[case::address_six(Match::Host {}, json!("fd00::1"), json!("fd00::2"))]
    #[case::url(Match::Url {}, json!("https://api.example.com/v1/x"), json!("https://api.example.com/v1/xy"))]
    #[case::url_port(Match::Url {}, json!("http://[fd00::1]:8080/"), json!("http://[fd00::1]/"))]
    #[case::number(Match::Range { unit: Unit::Number }, json!(7), json!(8))]
    #[case::negative(Match::Range { unit: Unit::Number }, json!(-7.5), json!(7.5))]
    #[case::duration(Match::Range { unit: Unit::Duration }, json!("90s"), json!("91s"))]
    #[case::bytes(Match::Range { unit: Unit::Bytes }, json!("64Ki"), json!("64K"))]
    #[case::exact(Match::Exact {}, json!("*"), json!("a"))]
    #[case::exact_type(Match::Exact {}, json!(true), json!("true"))]
    fn a_value_is_no_pattern(#[case] matching: Match, #[case] given: Value, #[case] other: Value) {
        let (_, pattern) = of(&matching, &given).unwrap();
        assert!(matches(&matching, &pattern, &given), "{pattern}");
        assert!(!matches(&matching, &pattern, &other), "{pattern}");
    }

    #[rstest]
    #[case::empty(Match::Glob { separator: None }, json!(""))]
    #[case::long(PATH, json!("a".repeat(2_000)))]
    #[case::url_with_a_star(Match::Url {}, json!("https://a.example.com/*"))]
    fn some_values_have_no_pattern(#[case] matching: Match, #[case] given: Value) {
        assert_eq!(of(&matching, &given), None);
    }

    proptest! {
        /// Whatever a value holds, its pattern matches it and nothing else.
        #[test]
        fn a_pattern_of_one_value_matches_it_alone(
            given in "[a-c*./?\\[\\]{}\\\\'\" -]{1,8}", other in "[a-c*./?\\[\\]{}\\\\'\" -]{1,8}"
        ) {
            let kinds = [
                PATH, Match::Glob { separator: None }, Match::Path {}, Match::Regex {}, Match::Command {}, Match::Host {}, Match::Exact {},
            ];
            for matching in kinds {
                let (given, other) = (json!(given), json!(other));
                let Some((canonical, pattern)) = of(&matching, &given) else { continue };
                prop_assert!(matches(&matching, &pattern, &given));
                let same = Canonical::read(&matching, &other).is_ok_and(|other| {
                    // `--name value` and `--name=value` are one to programs, and to patterns.
                    other.to_value() == canonical || matching == Match::Command {}
                });
                prop_assert!(same || !matches(&matching, &pattern, &other), "{:?} {} {}", matching, pattern, other);
            }
        }
    }
}
