//! `Regex`: anchored at both ends, in linear time, limited in size.

use super::{NotCanonical, PatternFault, text};
use crate::expression;

/// The value as it is. Control characters are the expression's to refuse, for it is anchored at the true ends.
pub(super) fn read(value: &str) -> Result<String, NotCanonical> {
    if value.len() > text::MAX_TEXT {
        Err("is too long to be compared with an expression".into())
    } else {
        Ok(value.to_owned())
    }
}

/// An expression that describes whole values only.
#[derive(Debug, Clone)]
pub(crate) struct AnchoredRegex(regex::Regex);

impl AnchoredRegex {
    pub(super) fn compile(pattern: &str) -> Result<Self, PatternFault> {
        // Alone first: an expression such as `a)|(b` is valid only inside the brackets that are put around it.
        let translated = expression::checked(pattern)?;
        expression::compile(&translated)?;
        expression::compile(&format!("\\A(?:{translated})\\z")).map(Self)
    }

    /// The expression with its anchors, in the words of the library.
    pub(crate) fn source(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::whole("v[0-9]+", "v12", true)]
    #[case::not_a_prefix("v[0-9]+", "v12x", false)]
    #[case::not_a_suffix("v[0-9]+", "xv12", false)]
    #[case::alternatives_are_anchored("a|b", "ab", false)]
    #[case::alternatives_are_anchored_each("a|b", "bx", false)]
    #[case::trailing_newline("a$", "a\n", false)]
    #[case::multi_line("(?m)^a$", "x\na", false)]
    #[case::dot_is_no_newline("a.c", "a\nc", false)]
    #[case::own_anchors("^a$", "a", true)]
    fn compares(#[case] pattern: &str, #[case] value: &str, #[case] expected: bool) {
        assert_eq!(AnchoredRegex::compile(pattern).unwrap().matches(value), expected);
    }

    #[rstest]
    #[case::breaks_out("a)|(?:b")]
    #[case::comment_swallows_the_anchor("(?x)a #")]
    #[case::look_around("(?=a)a")]
    #[case::back_reference("(a)\\1")]
    #[case::too_big("(a{1000}){1000}")]
    #[case::unbalanced("(a")]
    fn refuses_patterns(#[case] pattern: &str) {
        assert!(AnchoredRegex::compile(pattern).is_err());
    }

    #[rstest]
    #[case::group(r"EU-(\d+", "unclosed group: (")]
    #[case::look_around(
        "(?!X)EU",
        "look-around, including look-ahead and look-behind, is not supported: (?!"
    )]
    fn a_fault_is_told_on_one_line_with_its_part(#[case] pattern: &str, #[case] told: &str) {
        assert_eq!(AnchoredRegex::compile(pattern).unwrap_err(), told);
    }

    #[test]
    fn takes_linear_time() {
        let regex = AnchoredRegex::compile("(a*)*b").unwrap();
        assert!(!regex.matches(&"a".repeat(4000)));
        assert!(read(&"a".repeat(5000)).is_err());
    }
}
