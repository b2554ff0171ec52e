//! Names and lists in messages.

/// The name that was probably meant.
pub(crate) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let far = name.chars().count().div_ceil(3).min(3);
    known
        .iter()
        .map(|known| {
            (
                strsim::osa_distance(&name.to_lowercase(), &known.to_lowercase()),
                *known,
            )
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, known)| known)
}

/// The first names of a list, and that there are more.
pub(crate) fn listed<T: AsRef<str>>(names: &[T], most: usize) -> String {
    let told: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let told = told.join(", ");
    match names.len().saturating_sub(most) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("rolls", Some("roles"))]
    #[case("Model", Some("model"))]
    #[case("displayname", Some("displayName"))]
    #[case("xyz", None)]
    #[case("r", None)]
    fn a_slip_is_recognised(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(closest(name, &["roles", "model", "displayName"]), expected);
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(listed(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(listed(&["a", "b"], 2), "a, b");
    }
}
