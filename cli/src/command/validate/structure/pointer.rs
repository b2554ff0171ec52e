//! JSON Pointers and the names of fields.

/// With one more step.
pub(super) fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// `/spec/grants/0/tools` as `spec.grants[0].tools`.
pub(super) fn field(pointer: &str) -> String {
    let mut field = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if token.chars().all(|c| c.is_ascii_digit()) && !token.is_empty() {
            field.push('[');
            field.push_str(&token);
            field.push(']');
        } else {
            if !field.is_empty() {
                field.push('.');
            }
            field.push_str(&token);
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_fields() {
        let pointer = join("/spec/grants/0/scope", "repo/x");
        assert_eq!(field(&format!("{pointer}/1")), "spec.grants[0].scope.repo/x[1]");
        assert_eq!(field(""), "");
    }
}
