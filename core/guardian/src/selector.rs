//! Which tools a grant is about: by operation and by tool name, never by arguments.

use crate::source::{ApprovalRule, Grant, Tool};

/// Whether the grant covers the tool: by operation and by name, where it says both.
pub fn covers(grant: &Grant, tool: &Tool) -> bool {
    let named = !grant.operations.is_empty() || !grant.tools.is_empty();
    named
        && (grant.operations.is_empty() || any_operation(&grant.operations, &tool.operation))
        && (grant.tools.is_empty() || grant.tools.iter().any(|pattern| names_tool(pattern, &tool.name)))
}

/// Whether one of the rules asks for a person's agreement to calls of the tool.
pub(crate) fn asks(rules: &[ApprovalRule], tool: &Tool) -> bool {
    rules.iter().any(|rule| {
        rule.risk.is_none_or(|risk| tool.risk >= risk)
            && (rule.operations.is_empty() || any_operation(&rule.operations, &tool.operation))
    })
}

/// Whether one of the patterns covers the operation.
pub(crate) fn any_operation(patterns: &[String], operation: &str) -> bool {
    patterns.iter().any(|pattern| names_operation(pattern, operation))
}

/// `issue.read` itself, anything below `issue` for `issue.*`, everything for `*`.
pub(crate) fn names_operation(pattern: &str, operation: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => pattern == operation,
        Some("") => true,
        Some(prefix) => {
            prefix.ends_with('.') && operation.len() > prefix.len() && operation.starts_with(prefix)
        }
    }
}

/// A tool's own name, or a glob over it.
pub(crate) fn names_tool(pattern: &str, name: &str) -> bool {
    // Classic greedy comparison: going back to the last star is enough.
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut place) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(place) {
        match pattern.get(at) {
            Some(b'*') => {
                at = at.saturating_add(1);
                star = Some((at, place));
            }
            Some(expected) if expected == byte => {
                at = at.saturating_add(1);
                place = place.saturating_add(1);
            }
            _ => match star {
                None => return false,
                Some((after, taken)) => {
                    at = after;
                    place = taken.saturating_add(1);
                    star = Some((after, place));
                }
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// What is wrong with an operation pattern's form.
pub(crate) fn operation_pattern_fault(pattern: &str) -> Option<String> {
    let exact = pattern.strip_suffix(".*").unwrap_or(pattern);
    if pattern == "*" || is_operation(exact) {
        return None;
    }
    Some(format!(
        "{pattern:?} is neither an operation such as issue.read, nor a prefix such as issue.*, nor *"
    ))
}

/// Words of letters, digits, `_` and `-`, separated by dots.
pub(crate) fn is_operation(operation: &str) -> bool {
    operation.len() <= 128 && operation.split('.').all(is_word)
}

/// What is wrong with a tool pattern's form.
pub(crate) fn tool_pattern_fault(pattern: &str) -> Option<String> {
    let good =
        !pattern.is_empty() && pattern.len() <= 64 && pattern.bytes().all(|b| b == b'*' || is_name_byte(b));
    (!good).then(|| format!("{pattern:?} is neither a tool name nor a name with *"))
}

/// Whether a model provider takes it as a tool name: `^[a-zA-Z0-9_-]{1,64}$`.
pub(crate) fn is_tool_name(name: &str) -> bool {
    name.len() <= 64 && is_word(name)
}

/// Letters, digits, `_` and `-`, at least one.
pub(crate) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(is_name_byte)
}

pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("issue.read", "issue.read", true)]
    #[case("issue.read", "issue.readall", false)]
    #[case("issue.*", "issue.read", true)]
    #[case("issue.*", "issue.comment.read", true)]
    #[case("issue.*", "issue", false)]
    #[case("issue.*", "issue.", false)]
    #[case("issue.*", "issues.read", false)]
    #[case("issue*", "issue.read", false)]
    #[case("*", "anything.at.all", true)]
    #[case("Issue.read", "issue.read", false)]
    fn operations(#[case] pattern: &str, #[case] operation: &str, #[case] expected: bool) {
        assert_eq!(names_operation(pattern, operation), expected);
    }

    #[rstest]
    #[case("github_list_issues", "github_list_issues", true)]
    #[case("github_*", "github_list_issues", true)]
    #[case("github_*", "gitlab_list", false)]
    #[case("*_issues", "github_list_issues", true)]
    #[case("*_issue", "github_list_issues", false)]
    #[case("*list*", "github_list_issues", true)]
    #[case("a*b*c", "aXbXbc", true)]
    #[case("a*b*c", "aXbXb", false)]
    #[case("", "a", false)]
    #[case("github_list", "github_list_issues", false)]
    fn tools(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(names_tool(pattern, name), expected);
    }

    #[test]
    fn a_grant_that_names_nothing_covers_nothing() {
        let tool: Tool = serde_json::from_value(serde_json::json!({
            "name": "t", "description": "", "operation": "a.b", "parameters": {"type": "object"}
        }))
        .unwrap();
        let grant = |operations: &[&str], tools: &[&str]| Grant {
            operations: operations.iter().map(ToString::to_string).collect(),
            tools: tools.iter().map(ToString::to_string).collect(),
            ..Grant::default()
        };
        assert!(!covers(&grant(&[], &[]), &tool));
        assert!(covers(&grant(&["a.*"], &[]), &tool));
        assert!(covers(&grant(&[], &["t"]), &tool));
        assert!(covers(&grant(&["a.b"], &["t"]), &tool));
        assert!(!covers(&grant(&["a.b"], &["u"]), &tool));
        assert!(!covers(&grant(&["a.c"], &["t"]), &tool));
    }
}
