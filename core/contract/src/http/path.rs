//! The path of a request's template.

use url::Url;

/// Splits at slashes that are not a pointer's own.
pub fn segments(path: &str) -> Vec<&str> {
    let mut inside = false;
    let mut previous = ' ';
    path.split(|character: char| {
        let opens = previous == '{' && character == '/';
        inside = (inside || opens) && character != '}';
        previous = character;
        character == '/' && !inside
    })
    .collect()
}

/// `base` with another path, if that is in its normal form: the URL's own parser has the last word, and must have found nothing to
/// fold, cut, encode or resolve.
pub fn below(base: &Url, path: &str) -> Option<Url> {
    let mut url = base.clone();
    url.set_path(path);
    (url.path() == path && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("repos/{/owner}/x", &["repos", "{/owner}", "x"])]
    #[case("{/a/b}-{/c}/d", &["{/a/b}-{/c}", "d"])]
    #[case("", &[""])]
    fn slashes_of_pointers_do_not_split(#[case] path: &str, #[case] expected: &[&str]) {
        assert_eq!(segments(path), expected);
    }

    #[rstest]
    #[case("/a/b", true)]
    #[case("/a%20b/", true)]
    #[case("/a/../b", false)]
    #[case("/%2e%2e/b", false)]
    #[case("/a\\b", false)]
    #[case("/ü", false)]
    #[case("/a?b", false)]
    fn only_a_path_in_its_normal_form_is_kept(#[case] path: &str, #[case] kept: bool) {
        let base = Url::parse("https://a.example/x").unwrap();
        assert_eq!(below(&base, path).is_some(), kept);
    }
}
