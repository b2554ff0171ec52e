//! Whether one pattern is known to match everything that another matches.
//!
//! Only what is plain is answered with yes: patterns that are equal, literals that the engine itself matches, globs and
//! commands whose parts line up. "No" means "not known".

use monstrum_guardian::source::{Dimension, Match};
use serde_json::Value;

use super::pattern::{is_literal, matches};

/// Whether `outer` is known to match whatever `inner` matches.
pub(crate) fn contains(dimension: &Dimension, outer: &Value, inner: &Value) -> bool {
    if outer == inner || (is_literal(dimension, inner) && matches(dimension, outer, inner)) {
        return true;
    }
    let (Value::String(outer), Value::String(inner)) = (outer, inner) else {
        return false;
    };
    match &dimension.matching {
        Match::Glob { separator } => glob(outer, inner, *separator),
        Match::Path {} => glob(outer, inner, Some('/')),
        Match::Command {} => command(outer, inner),
        Match::Exact {}
        | Match::Enum { .. }
        | Match::Host {}
        | Match::Url {}
        | Match::Range { .. }
        | Match::Regex {}
        | Match::Cel {} => false,
    }
}

fn glob(outer: &str, inner: &str, separator: Option<char>) -> bool {
    if outer.contains('\\') || inner.contains('\\') {
        return false;
    }
    let parts = |text: &str| -> Vec<String> {
        separator.map_or_else(
            || vec![text.to_owned()],
            |separator| text.split(separator).map(str::to_owned).collect(),
        )
    };
    aligned(
        &parts(outer),
        &parts(inner),
        &Rules {
            run_min: 1,
            fits: segment,
            runs: is_ordinary,
        },
    )
}

/// Long options pair with the word after them, so that their patterns don't line up word by word.
fn command(outer: &str, inner: &str) -> bool {
    let odd = |text: &str| {
        text.contains(['"', '\'', '\\']) || text.split_whitespace().any(|word| word.starts_with("--"))
    };
    if odd(outer) || odd(inner) {
        return false;
    }
    let words = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    aligned(
        &words(outer),
        &words(inner),
        &Rules {
            run_min: 0,
            fits: word,
            runs: |inner| word("*", inner) || inner == "**",
        },
    )
}

/// How parts compare.
struct Rules {
    /// How many parts `**` stands for at least.
    run_min: usize,
    /// Whether a part that is not `**` matches all that another matches.
    fits: fn(&str, &str) -> bool,
    /// Whether `**` takes this part in.
    runs: fn(&str) -> bool,
}

fn aligned(outer: &[String], inner: &[String], rules: &Rules) -> bool {
    let Some((part, rest)) = outer.split_first() else {
        return inner.is_empty();
    };
    if part == "**" {
        let reach = inner.iter().take_while(|part| (rules.runs)(part)).count();
        return (rules.run_min..=reach)
            .any(|taken| inner.get(taken..).is_some_and(|left| aligned(rest, left, rules)));
    }
    match inner.split_first() {
        Some((first, left)) => (rules.fits)(part, first) && aligned(rest, left, rules),
        None => false,
    }
}

/// One segment of a glob. A star alone stands for a segment that is not empty, beside other text for any text.
fn segment(outer: &str, inner: &str) -> bool {
    if inner.contains("**") || outer.contains("**") {
        return outer == inner;
    }
    if outer == "*" {
        return is_ordinary(inner);
    }
    // A star that may be empty takes in any letters and stars of the inner segment.
    let inner: Vec<char> = inner.chars().collect();
    if inner == ['*'] {
        return false;
    }
    letters(&outer.chars().collect::<Vec<_>>(), &inner)
}

/// Whether a segment is one that values can have.
fn is_ordinary(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
}

fn letters(outer: &[char], inner: &[char]) -> bool {
    match outer.split_first() {
        None => inner.is_empty(),
        Some(('*', rest)) => {
            (0..=inner.len()).any(|taken| inner.get(taken..).is_some_and(|left| letters(rest, left)))
        }
        Some((letter, rest)) => inner
            .split_first()
            .is_some_and(|(first, left)| first == letter && letters(rest, left)),
    }
}

/// One word of a command.
fn word(outer: &str, inner: &str) -> bool {
    match outer {
        "*" => inner == "*" || !(inner.is_empty() || inner.contains('*') || inner.starts_with(['-', '+'])),
        outer => outer == inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_guardian::source::WhenUnset;
    use rstest::rstest;

    fn known(matching: Match, outer: &str, inner: &str) -> bool {
        let dimension = Dimension {
            name: "d".to_owned(),
            matching,
            when_unset: WhenUnset::Deny,
            description: String::new(),
        };
        contains(&dimension, &outer.into(), &inner.into())
    }

    #[rstest]
    #[case("acme/*", "acme/web", true)]
    #[case("acme/*", "acme/docs-*", true)]
    #[case("acme/*", "*/web", false)]
    #[case("acme/**", "acme/*/x", true)]
    #[case("**", "acme/*", true)]
    #[case("acme/*", "acme/**", false)]
    #[case("acme/docs-*", "acme/*", false)]
    #[case("a*c", "a*b*c", true)]
    #[case("*a", "a*", false)]
    #[case("a*", "*", false)]
    #[case("acme/*", "acme", false)]
    fn globs(#[case] outer: &str, #[case] inner: &str, #[case] within: bool) {
        assert_eq!(known(Match::Glob { separator: Some('/') }, outer, inner), within);
    }

    #[rstest]
    #[case("echo **", "echo *", true)]
    #[case("echo **", "echo", true)]
    #[case("echo **", "echo -e", false)]
    #[case("docker logs *", "docker logs web", true)]
    #[case("docker logs *", "docker logs *", true)]
    #[case("docker logs *", "docker logs **", false)]
    #[case("docker logs *", "docker logs --tail 20 web", false)]
    #[case("ls -l **", "ls -l *", true)]
    #[case("ls **", "ls -l *", false)]
    fn commands(#[case] outer: &str, #[case] inner: &str, #[case] within: bool) {
        assert_eq!(known(Match::Command {}, outer, inner), within);
    }

    #[test]
    fn what_is_not_plain_is_not_known() {
        assert!(!known(Match::Regex {}, ".*", "a"));
        assert!(known(Match::Host {}, "*.acme.com", "www.acme.com"));
        assert!(known(Match::Path {}, "docs/**", "docs/a/b.md"));
        assert!(!known(Match::Path {}, "docs/**", "docs/../x"));
    }
}
