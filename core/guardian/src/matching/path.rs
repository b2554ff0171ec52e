//! `Path`: file paths, made canonical without looking at a file system, against globs over `/`.
//!
//! A relative pattern never matches an absolute path, nor the other way round. Links are the executor's matter: it
//! resolves them beneath its root.

use super::glob::Style;
use super::{Glob, NotCanonical, PatternFault, text};

/// The path without empty segments, `.` segments and a trailing slash.
pub(super) fn read(path: &str) -> Result<String, NotCanonical> {
    if path.is_empty() {
        return Err("is empty; the folder itself is `.`".into());
    }
    if path.len() <= text::MAX_TEXT && is_canonical(path) {
        return Ok(path.to_owned());
    }
    text::visible(path)?;
    if path.contains('\\') {
        return Err("holds a backslash".into());
    }
    if !path.is_ascii() && path.chars().any(text::folds_to_separator) {
        return Err("holds a character that other readers take for a dot or slash".into());
    }
    if has_percent_encoding(path) {
        return Err("holds a percent-encoding, which some readers decode".into());
    }
    let mut canonical = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !matches!(*segment, "" | ".")) {
        // `..` climbs; others drop trailing dots and spaces, and `...` climbs twice.
        if segment.ends_with(['.', ' ']) {
            return Err("has a .. segment, or one that ends with a dot or a space".into());
        }
        if !canonical.is_empty() || path.starts_with('/') {
            canonical.push('/');
        }
        canonical.push_str(segment);
    }
    if canonical.is_empty() {
        canonical.push(if path.starts_with('/') { '/' } else { '.' });
    }
    Ok(canonical)
}

/// Whether the path is of visible characters and certainly in its canonical form: what almost every call gives.
fn is_canonical(path: &str) -> bool {
    let mut last = 0;
    for byte in path.bytes() {
        let doubtful = match byte {
            b'/' => matches!(last, b'/' | b'.' | b' '),
            _ => matches!(byte, b'\\' | b'%') || !matches!(byte, b' '..=b'~'),
        };
        if doubtful {
            return false;
        }
        last = byte;
    }
    !matches!(last, 0 | b'/' | b'.' | b' ')
}

fn has_percent_encoding(path: &str) -> bool {
    path.contains('%')
        && path.as_bytes().windows(3).any(
        |window| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
    )
}

/// A glob over paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPattern {
    absolute: bool,
    glob: Glob,
}

impl PathPattern {
    pub(super) fn compile(pattern: &str) -> Result<Self, PatternFault> {
        let absolute = pattern.starts_with('/');
        let inner = pattern.strip_prefix('/').unwrap_or(pattern);
        for segment in inner.split('/') {
            match segment {
                "" if inner.is_empty() => {}
                "" => {
                    return Err(
                        "the pattern has an empty segment; end with /** for everything below".to_owned(),
                    );
                }
                "." if pattern == "." => {}
                "." | ".." => {
                    return Err(
                        "the pattern has a . or .. segment; write the path that it leads to".to_owned(),
                    );
                }
                _ => {}
            }
        }
        let style = Style {
            separator: Some('/'),
            trailing_may_be_empty: false,
            leading_may_be_empty: true,
        };
        Glob::compile(pattern, style).map(|glob| Self { absolute, glob })
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        path.starts_with('/') == self.absolute && self.glob.matches(path)
    }

    /// Whether it matches absolute paths; otherwise relative ones.
    pub(crate) fn is_absolute(&self) -> bool {
        self.absolute
    }

    pub(crate) fn glob(&self) -> &Glob {
        &self.glob
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("docs/a.md", "docs/a.md")]
    #[case("./docs//a.md/", "docs/a.md")]
    #[case("/srv/./x", "/srv/x")]
    #[case("//etc/passwd", "/etc/passwd")]
    #[case(".", ".")]
    #[case("./", ".")]
    #[case("/", "/")]
    #[case(".github/x", ".github/x")]
    #[case("100%", "100%")]
    fn has_one_form(#[case] path: &str, #[case] canonical: &str) {
        assert_eq!(read(path).unwrap(), canonical);
        assert_eq!(read(canonical).unwrap(), canonical);
    }

    #[rstest]
    #[case::empty("")]
    #[case::climbs("../x")]
    #[case::climbs_inside("docs/../../etc")]
    #[case::climbs_and_returns("docs/../docs/a")]
    #[case::climbs_last("docs/..")]
    #[case::three_dots("docs/.../x")]
    #[case::trailing_dot("secret.txt.")]
    #[case::trailing_space("secret.txt ")]
    #[case::nul("docs/a\0.md")]
    #[case::newline("docs/a\n")]
    #[case::backslash("docs\\..\\x")]
    #[case::encoded_dots("docs/%2e%2e/x")]
    #[case::encoded_slash("docs%2f..%2fx")]
    #[case::encoded_twice("docs/%252e%252e/x")]
    #[case::encoded_nul("docs/a%00")]
    #[case::fullwidth_dots("docs/\u{ff0e}\u{ff0e}/x")]
    #[case::one_dot_leader("docs/\u{2024}\u{2024}/x")]
    #[case::fullwidth_slash("docs\u{ff0f}x")]
    #[case::division_slash("docs\u{2215}x")]
    #[case::zero_width("docs/.\u{200b}./x")]
    #[case::bidi("docs/\u{202e}dm.a")]
    #[case::tag("docs/a\u{e0020}")]
    #[case::soft_hyphen("docs/.\u{ad}.")]
    fn refuses(#[case] path: &str) {
        assert!(read(path).is_err());
    }

    #[test]
    fn refuses_overlong() {
        assert!(read(&"a/".repeat(3000)).is_err());
    }

    #[rstest]
    #[case("docs/**", "docs/a/b", true)]
    #[case("docs/**", "docs", false)]
    #[case("docs/**", "docs2/a", false)]
    #[case("docs/**", "/docs/a", false)]
    #[case("**", "a/b", true)]
    #[case("**", "/etc/passwd", false)]
    #[case("**/x", "/etc/x", false)]
    #[case("/**", "/etc/passwd", true)]
    #[case("/srv/*.log", "/srv/a.log", true)]
    #[case("/srv/*.log", "/srv/a/b.log", false)]
    #[case(".", ".", true)]
    #[case("/", "/", true)]
    fn compares(#[case] pattern: &str, #[case] path: &str, #[case] expected: bool) {
        assert_eq!(PathPattern::compile(pattern).unwrap().matches(path), expected);
    }

    #[rstest]
    #[case("docs/")]
    #[case("docs//a")]
    #[case("docs/../a")]
    #[case("./docs")]
    fn refuses_patterns(#[case] pattern: &str) {
        assert!(PathPattern::compile(pattern).is_err());
    }

    proptest! {
        #[test]
        fn canonical_paths_are_stable_and_do_not_climb(path in "[a./% \\\\]{0,12}") {
            if let Ok(canonical) = read(&path) {
                prop_assert_eq!(read(&canonical).unwrap(), canonical.clone());
                prop_assert!(!canonical.split('/').any(|segment| segment == ".."));
            }
        }
    }
}
