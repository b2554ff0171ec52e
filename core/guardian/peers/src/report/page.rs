//! The generated part of a page that people write.

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->";

/// The page with another generated part. None if it does not have the two marks.
pub fn replaced(page: &str, part: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{part}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn only_the_part_between_the_marks_changes() {
        let page =
            |part: &str| format!("# A\n\n<!-- measured: begin -->\n{part}<!-- measured: end -->\n\nB\n");
        assert_eq!(replaced(&page("old\n"), "new\n"), Some(page("new\n")));
        assert_eq!(replaced("# A\n", "new\n"), None);
    }
}
