//! `Glob`: `*` within a segment, `**` across segments. Nothing else is a wildcard; `\` makes the next character a literal.
//!
//! | part | means |
//! | --- | --- |
//! | `*` as a whole segment | one segment, not empty |
//! | `*` beside other text | any text without a separator, or none |
//! | `**` as a whole segment | any number of whole segments |
//! | `**` beside other text | any text, or none |

mod covering;

use super::reach::Reach;
use super::{Anchor, NotCanonical, PatternFault, text};

/// More wildcards than anyone writes; a bound on the work of one comparison.
const MAX_WILDCARDS: usize = 16;

/// Where the grammars of globs differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// What ends a segment.
    pub(super) separator: Option<char>,
    /// Whether a `**` at the end also stands for nothing: `/api/**` for `/api/`.
    pub(super) trailing_may_be_empty: bool,
    /// Whether a `**` followed by more also stands for no segment: `**/x` for `x`.
    pub(super) leading_may_be_empty: bool,
}

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    separator: Option<u8>,
    prefix: String,
    /// Each wildcard with the literal after it.
    rest: Vec<(Wildcard, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    /// Text without a separator.
    Within { min: usize },
    /// Any text.
    Across { min: usize },
    /// Whole segments, each with the separator after it.
    Segments { min: usize },
}

/// The end of the texts that a glob matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastSegment<'a> {
    /// This, none of it wild.
    Literal(&'a str),
    /// Anything.
    Any,
    /// Some things.
    Partly,
}

/// A value without characters that hide or fold. With a separator, its segments are not empty and do not climb.
pub(super) fn read(value: &str, separator: Option<char>) -> Result<String, NotCanonical> {
    text::visible(value)?;
    if let Some(separator) = separator {
        if !value.is_ascii() && value.chars().any(text::folds_to_separator) {
            return Err("holds a character that other readers take for a separator".into());
        }
        let broken =
            |segment: &str| segment.is_empty() || (separator == '/' && matches!(segment, "." | ".."));
        if value.split(separator).any(broken) {
            return Err("has an empty segment or one that climbs".into());
        }
    }
    Ok(value.to_owned())
}

impl Glob {
    /// A glob over plain text.
    pub(crate) fn of_text(pattern: &str, separator: Option<char>) -> Result<Self, PatternFault> {
        Self::compile(
            pattern,
            Style {
                separator,
                trailing_may_be_empty: false,
                leading_may_be_empty: true,
            },
        )
    }

    pub(super) fn compile(pattern: &str, style: Style) -> Result<Self, PatternFault> {
        let separator = match style.separator.map(u8::try_from) {
            None => None,
            Some(Ok(byte)) if byte.is_ascii() => Some(byte),
            Some(_) => return Err("the dimension's separator is not an ASCII character".to_owned()),
        };
        let mut glob = Self {
            separator,
            prefix: String::new(),
            rest: Vec::new(),
        };
        let chars: Vec<char> = pattern.chars().collect();
        let mut place = 0;
        while let Some(&c) = chars.get(place) {
            place = place.saturating_add(match c {
                '*' => glob.push_wildcard(&chars, place, style)?,
                '\\' => {
                    let next = chars.get(place.saturating_add(1));
                    glob.push_literal(*next.ok_or("the pattern ends with a single \\; double it")?);
                    2
                }
                '?' | '[' | ']' | '{' | '}' => {
                    return Err(format!(
                        "{c} is not a wildcard (only * and ** are); write \\{c} for the character itself, or list alternatives"
                    ));
                }
                _ => {
                    glob.push_literal(c);
                    1
                }
            });
        }
        if glob.rest.len() > MAX_WILDCARDS {
            return Err(format!("more than {MAX_WILDCARDS} wildcards; split the pattern"));
        }
        Ok(glob)
    }

    fn push_literal(&mut self, c: char) {
        match self.rest.last_mut() {
            Some((_, literal)) => literal.push(c),
            None => self.prefix.push(c),
        }
    }

    /// Takes the wildcard at `place`; answers how many characters it is long.
    fn push_wildcard(&mut self, chars: &[char], place: usize, style: Style) -> Result<usize, PatternFault> {
        let stars = chars.iter().skip(place).take_while(|c| **c == '*').count();
        let after = chars.get(place.saturating_add(stars));
        let begins = place == 0 || chars.get(place.wrapping_sub(1)).copied() == style.separator;
        let whole = begins && (after.is_none() || after.copied() == style.separator);
        let (wildcard, length) = match (stars, whole) {
            (1, _) => (
                Wildcard::Within {
                    min: usize::from(whole),
                },
                1,
            ),
            (2, true) if after.is_none() => (
                Wildcard::Across {
                    min: usize::from(!style.trailing_may_be_empty),
                },
                2,
            ),
            // Takes the separator with it, so that no segment at all leaves none behind.
            (2, true) => (
                Wildcard::Segments {
                    min: usize::from(!style.leading_may_be_empty),
                },
                3,
            ),
            (2, false) => (Wildcard::Across { min: 0 }, 2),
            _ => return Err("more than two * in a row; write * or **".to_owned()),
        };
        self.rest.push((wildcard, String::new()));
        Ok(length)
    }

    /// Whether the whole value is described.
    pub(crate) fn matches(&self, value: &str) -> bool {
        let Some(((last, end), before)) = self.rest.split_last() else {
            return value == self.prefix;
        };
        if !value.starts_with(&self.prefix) || !value.ends_with(end) {
            return false;
        }
        let Some(end) = value.len().checked_sub(end.len()) else {
            return false;
        };
        if before.is_empty() {
            return self.stands_for(value, *last, self.prefix.len(), end);
        }
        let mut reach = Reach::none(value.len());
        reach.add(self.prefix.len());
        for (wildcard, literal) in before {
            let mut next = Reach::none(value.len());
            for place in self.spread(value, *wildcard, reach).places() {
                if value
                    .as_bytes()
                    .get(place..)
                    .is_some_and(|tail| tail.starts_with(literal.as_bytes()))
                {
                    next.add(place.saturating_add(literal.len()));
                }
            }
            if next.is_none() {
                return false;
            }
            reach = next;
        }
        self.spread(value, *last, reach).holds(end)
    }

    /// Whether the wildcard can stand for the text between two places.
    fn stands_for(&self, value: &str, wildcard: Wildcard, start: usize, end: usize) -> bool {
        let Some(text) = value.as_bytes().get(start..end) else {
            return false;
        };
        match wildcard {
            Wildcard::Within { min } => {
                text.len() >= min && !text.iter().any(|byte| Some(*byte) == self.separator)
            }
            Wildcard::Across { min } => text.len() >= min,
            Wildcard::Segments { min } => text.last().map_or(min == 0, |byte| Some(*byte) == self.separator),
        }
    }

    /// Where the text that the wildcard stands for can end.
    fn spread(&self, value: &str, wildcard: Wildcard, reach: Reach) -> Reach {
        let separates = |place: usize| value.as_bytes().get(place).copied() == self.separator;
        let ordinary = |place: usize| self.separator.is_none() || !separates(place);
        match wildcard {
            Wildcard::Within { min } => {
                let mut next = if min == 0 { reach } else { reach.stepped(ordinary) };
                next.spread(ordinary);
                next
            }
            Wildcard::Across { min } => {
                let mut next = if min == 0 { reach } else { reach.stepped(|_| true) };
                next.spread(|_| true);
                next
            }
            Wildcard::Segments { min } => {
                let mut next = reach.stepped(|_| true);
                next.spread(|_| true);
                next.remove_unless(|place| place.checked_sub(1).is_some_and(separates));
                if min == 0 {
                    reach.places().for_each(|place| next.add(place));
                }
                next
            }
        }
    }

    /// The only text that matches, if there is no wildcard.
    pub(crate) fn only_text(&self) -> Option<&str> {
        self.rest.is_empty().then_some(&self.prefix)
    }

    /// The literal text before the first wildcard.
    pub(crate) fn beginning(&self) -> &str {
        &self.prefix
    }

    /// Whether a text without a separator can match.
    pub(crate) fn may_be_one_segment(&self) -> bool {
        !self.says_separator()
            && !self
                .rest
                .iter()
                .any(|(wildcard, _)| matches!(wildcard, Wildcard::Segments { min } if *min > 0))
    }

    /// Whether only texts without a separator can match.
    pub(crate) fn is_one_segment(&self) -> bool {
        !self.says_separator()
            && self
                .rest
                .iter()
                .all(|(wildcard, _)| matches!(wildcard, Wildcard::Within { .. }))
    }

    fn says_separator(&self) -> bool {
        let separates = |text: &str| text.bytes().any(|byte| Some(byte) == self.separator);
        separates(&self.prefix) || self.rest.iter().any(|(_, literal)| separates(literal))
    }

    /// What stands after the last separator of every text with a separator that matches.
    pub(crate) fn last_segment(&self) -> LastSegment<'_> {
        let Some(((wildcard, end), before)) = self.rest.split_last() else {
            return LastSegment::Literal(self.after_separator(&self.prefix).unwrap_or(&self.prefix));
        };
        if let Some(literal) = self.after_separator(end) {
            return LastSegment::Literal(literal);
        }
        if matches!(wildcard, Wildcard::Segments { .. }) && !end.is_empty() {
            return LastSegment::Literal(end);
        }
        let begin = before.last().map_or(&self.prefix, |(_, literal)| literal);
        if end.is_empty() && (begin.is_empty() || self.after_separator(begin) == Some("")) {
            LastSegment::Any
        } else {
            LastSegment::Partly
        }
    }

    fn after_separator<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.rsplit_once(char::from(self.separator?))
            .map(|(_, last)| last)
    }

    /// The literal that a matching text must begin or end with, whichever is longer.
    pub(super) fn anchor(&self) -> Anchor {
        let Some((_, suffix)) = self.rest.last() else {
            return Anchor::Whole(self.prefix.clone());
        };
        if self.prefix.is_empty() && suffix.is_empty() {
            Anchor::Anywhere
        } else if self.prefix.len() >= suffix.len() {
            Anchor::Prefix(self.prefix.clone())
        } else {
            Anchor::Suffix(suffix.clone())
        }
    }

    /// The same language as an anchored regular expression that Rust and ECMAScript read alike.
    pub(crate) fn to_regex(&self) -> String {
        format!("^{}$", self.body_regex())
    }

    /// The same without anchors, to be part of a larger expression.
    pub(crate) fn body_regex(&self) -> String {
        let separator = self.separator.map(|byte| escape(&char::from(byte).to_string()));
        let within = separator
            .as_ref()
            .map_or_else(|| "[\\s\\S]".to_owned(), |escaped| format!("[^{escaped}]"));
        let mut regex = escape(&self.prefix);
        for (wildcard, literal) in &self.rest {
            let many = |min: usize| if min == 0 { "*" } else { "+" };
            let end = separator.as_deref().unwrap_or_default();
            let parts = match *wildcard {
                Wildcard::Within { min } => [within.as_str(), many(min), ""],
                Wildcard::Across { min } => ["[\\s\\S]", many(min), ""],
                Wildcard::Segments { min: 0 } => ["(?:[\\s\\S]*", end, ")?"],
                Wildcard::Segments { .. } => ["(?:[\\s\\S]*", end, ")"],
            };
            regex.extend(parts);
            regex.push_str(&escape(literal));
        }
        regex
    }
}

/// The text with everything that a regular expression reads specially made literal.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\^$.|?*+()[]{}/-".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::literal("acme/web", "acme/web", true)]
    #[case::literal_prefix_sibling("acme/web", "acme/web2", false)]
    #[case::literal_suffix("acme/web", "evil/acme/web", false)]
    #[case::one_segment("acme/*", "acme/web", true)]
    #[case::star_does_not_cross("acme/*", "acme/web/x", false)]
    #[case::star_is_not_empty("acme/*", "acme/", false)]
    #[case::prefix_sibling("acme/*", "acme2/web", false)]
    #[case::partial("acme/web-*", "acme/web-1", true)]
    #[case::partial_may_be_empty("acme/web-*", "acme/web-", true)]
    #[case::partial_does_not_cross("acme/web-*", "acme/web-1/x", false)]
    #[case::inner("a*c/d", "abc/d", true)]
    #[case::inner_does_not_cross("a*d", "abc/d", false)]
    #[case::deep("acme/**", "acme/a/b", true)]
    #[case::deep_not_itself("acme/**", "acme", false)]
    #[case::deep_not_empty("acme/**", "acme/", false)]
    #[case::deep_sibling("acme/**", "acmex/a", false)]
    #[case::leading_deep("**/x", "x", true)]
    #[case::leading_deep_below("**/x", "a/b/x", true)]
    #[case::leading_deep_whole_segments("**/x", "ax", false)]
    #[case::middle_deep("a/**/b", "a/b", true)]
    #[case::middle_deep_below("a/**/b", "a/x/y/b", true)]
    #[case::middle_deep_whole_segments("a/**/b", "a/xb", false)]
    #[case::deep_beside_text("a**b", "a/x/b", true)]
    #[case::two_stars("*/*", "a/b", true)]
    #[case::two_stars_three_segments("*/*", "a/b/c", false)]
    #[case::backtracks("*ab*ab", "aab.abab", true)]
    #[case::escaped_star("a\\*", "a*", true)]
    #[case::escaped_star_is_literal("a\\*", "ab", false)]
    #[case::case_matters("acme/*", "Acme/web", false)]
    #[case::unicode("*/é*", "ü/éa", true)]
    fn slash_globs(#[case] pattern: &str, #[case] value: &str, #[case] expected: bool) {
        let glob = Glob::of_text(pattern, Some('/')).unwrap();
        assert_eq!(glob.matches(value), expected);
        assert_eq!(
            regex::Regex::new(&glob.to_regex()).unwrap().is_match(value),
            expected
        );
    }

    #[rstest]
    #[case("*", "a/b.c", true)]
    #[case("*", "", false)]
    #[case("a*", "a/b", true)]
    #[case("**", "x", true)]
    fn without_separator_a_value_is_one_segment(
        #[case] pattern: &str,
        #[case] value: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(Glob::of_text(pattern, None).unwrap().matches(value), expected);
    }

    #[test]
    fn comparison_is_bounded() {
        let pattern = Glob::of_text(&"**a*b".repeat(8), Some('/')).unwrap();
        assert!(!pattern.matches(&"ab/a".repeat(1000)));
    }

    #[rstest]
    #[case("a?", "not a wildcard")]
    #[case("[ab]", "not a wildcard")]
    #[case("{a,b}", "not a wildcard")]
    #[case("***", "in a row")]
    #[case("a\\", "double it")]
    #[case("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", "wildcards")]
    fn refuses_patterns(#[case] pattern: &str, #[case] reason: &str) {
        let error = Glob::of_text(pattern, Some('/')).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[rstest]
    #[case::climbs("acme/..")]
    #[case::climbs_first("../web")]
    #[case::dot("./web")]
    #[case::empty_segment("acme//web")]
    #[case::trailing_separator("acme/web/")]
    #[case::empty("")]
    #[case::newline("acme/web\n")]
    #[case::nul("acme/\0")]
    #[case::zero_width("ac\u{200b}me/web")]
    #[case::bidi("acme/\u{202e}bew")]
    #[case::tag("acme/web\u{e0041}")]
    #[case::fullwidth_slash("acme\u{ff0f}web/x")]
    #[case::fullwidth_dots("acme/\u{ff0e}\u{ff0e}")]
    fn refuses_values(#[case] value: &str) {
        assert!(read(value, Some('/')).is_err());
    }

    proptest! {
        /// The hand-written comparison and a regular expression engine agree.
        #[test]
        fn agrees_with_its_regex(pattern in "[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,4}", value in "[ab/]{0,8}") {
            if let Ok(glob) = Glob::of_text(&pattern, Some('/')) {
                let regex = regex::Regex::new(&glob.to_regex()).unwrap();
                prop_assert_eq!(glob.matches(&value), regex.is_match(&value), "{} {}", pattern, glob.to_regex());
            }
        }

        /// An anchor never hides a match.
        #[test]
        fn anchors_hold(pattern in "[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,3}", value in "[ab/]{0,6}") {
            if let Ok(glob) = Glob::of_text(&pattern, Some('/')) && glob.matches(&value) {
                let holds = match glob.anchor() {
                    Anchor::Whole(text) => value == text,
                    Anchor::Prefix(text) => value.starts_with(&text),
                    Anchor::Suffix(text) => value.ends_with(&text),
                    Anchor::Anywhere => true,
                };
                prop_assert!(holds);
            }
        }
    }
}
