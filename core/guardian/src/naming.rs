//! What a tool is called by the model.

use crate::selector::is_name_byte;

/// Between prefix and tool name.
const SEPARATOR: &str = "__";

/// The name that the model calls a tool by.
pub(crate) fn final_name(prefix: Option<&str>, tool: &str) -> String {
    prefix.map_or_else(|| tool.to_owned(), |prefix| format!("{prefix}{SEPARATOR}{tool}"))
}

/// An alias or resource name with everything that a tool name cannot hold replaced.
pub(crate) fn sanitised(name: &str) -> String {
    let ordinary = |c: char| u8::try_from(c).is_ok_and(is_name_byte);
    name.trim()
        .chars()
        .map(|c| if ordinary(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_only_what_providers_take() {
        assert_eq!(sanitised("my.repo/é"), "my_repo__");
        assert_eq!(final_name(Some("web"), "list"), "web__list");
        assert_eq!(final_name(None, "list"), "list");
    }
}
