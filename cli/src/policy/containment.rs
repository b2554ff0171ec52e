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
    let rules = Rules {
        is_run: |part: &String| part == "**",
        run_min: 1,
        runs: |part| is_ordinary(part),
        fits: |outer, inner| segment(outer, inner),
    };
    aligned(&parts(outer), &parts(inner), &rules)
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
    let rules = Rules {
        is_run: |part: &String| part == "**",
        run_min: 0,
        runs: |inner| word("*", inner) || inner == "**",
        fits: |outer, inner| word(outer, inner),
    };
    aligned(&words(outer), &words(inner), &rules)
}

/// How parts compare.
struct Rules<T> {
    /// Whether a part of the outer pattern stands for a run of parts.
    is_run: fn(&T) -> bool,
    /// How many parts a run has at least.
    run_min: usize,
    /// Whether a run takes this part in.
    runs: fn(&T) -> bool,
    /// Whether a part that is no run matches all that another matches.
    fits: fn(&T, &T) -> bool,
}

/// Whether the outer parts can be laid over the inner ones. Each step keeps the set of places that can be reached, so
/// that no pattern takes long.
fn aligned<T>(outer: &[T], inner: &[T], rules: &Rules<T>) -> bool {
    let mut reached: Vec<bool> = (0..=inner.len()).map(|place| place == 0).collect();
    for part in outer {
        let mut next = vec![false; reached.len()];
        for (place, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            let rest = inner.get(place..).unwrap_or_default();
            let lengths = if (rules.is_run)(part) {
                rules.run_min..=rest.iter().take_while(|inner| (rules.runs)(inner)).count()
            } else {
                let fits = rest.first().is_some_and(|inner| (rules.fits)(part, inner));
                1..=usize::from(fits)
            };
            for length in lengths {
                if let Some(reachable) = next.get_mut(place.saturating_add(length)) {
                    *reachable = true;
                }
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

/// One segment of a glob. A star alone stands for a segment that is not empty, beside other text for any text.
fn segment(outer: &str, inner: &str) -> bool {
    if inner.contains("**") || outer.contains("**") {
        return outer == inner;
    }
    if outer == "*" {
        return is_ordinary(inner);
    }
    // A star alone is no text that could be empty.
    if inner == "*" {
        return false;
    }
    let letters = |text: &str| text.chars().collect::<Vec<char>>();
    let rules = Rules {
        is_run: |part| *part == '*',
        run_min: 0,
        runs: |_| true,
        fits: |outer, inner| outer == inner,
    };
    aligned(&letters(outer), &letters(inner), &rules)
}

/// Whether a segment is one that values can have.
fn is_ordinary(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
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
    fn no_pattern_takes_long() {
        let outer = "a*".repeat(200) + "b";
        let inner = "a".repeat(400);
        assert!(!known(Match::Glob { separator: None }, &outer, &(inner + "*")));
    }

    #[test]
    fn what_is_not_plain_is_not_known() {
        assert!(!known(Match::Regex {}, ".*", "a"));
        assert!(known(Match::Host {}, "*.acme.com", "www.acme.com"));
        assert!(known(Match::Path {}, "docs/**", "docs/a/b.md"));
        assert!(!known(Match::Path {}, "docs/**", "docs/../x"));
    }
}
