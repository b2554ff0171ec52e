//! Text with JSON Pointers in braces.

use serde_json::Value;

/// The pointers of a template, in order, or what is wrong with it (reads after the field's name).
pub(crate) fn pointers(text: &str) -> Result<Vec<&str>, String> {
    let mut pointers = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (pointer, tail) = after
            .split_once('}')
            .ok_or_else(|| "has '{' without '}': write an argument as {/name}".to_owned())?;
        if before.contains('}') || !pointer.starts_with('/') || pointer.contains('{') {
            return Err(
                "has braces around something else than a JSON Pointer: write an argument as {/name}"
                    .to_owned(),
            );
        }
        pointers.push(pointer);
        rest = tail;
    }
    if rest.contains('}') {
        return Err("has '}' without '{': write an argument as {/name}".to_owned());
    }
    Ok(pointers)
}

/// Whether a parameter schema declares what a pointer names, and whether it is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    /// It is not a parameter.
    Not,
    /// It may be absent.
    Optional,
    /// Every valid call has it.
    Required,
}

/// Looks a pointer up in a parameter schema.
pub(crate) fn declared(pointer: &str, parameters: &Value) -> Declared {
    let mut schema = parameters;
    let mut found = Declared::Required;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let element = name
            .chars()
            .all(|c| c.is_ascii_digit())
            .then(|| schema.get("items"))
            .flatten();
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(&name));
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|names| names.iter().any(|required| *required == name));
        let Some(next) = property.or(element) else {
            return Declared::Not;
        };
        if !is_required {
            found = Declared::Optional;
        }
        schema = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("plain", &[])]
    #[case("{/owner}/{/repo}", &["/owner", "/repo"])]
    #[case("a{/b}c", &["/b"])]
    fn pointers_are_found(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(pointers(text).unwrap(), expected);
    }

    #[rstest]
    #[case("{/a")]
    #[case("/a}")]
    #[case("{a}")]
    #[case("{}")]
    #[case("{{/a}}")]
    #[case("}{/a}")]
    fn other_braces_are_refused(#[case] text: &str) {
        assert!(pointers(text).unwrap_err().contains("{/name}"));
    }

    #[rstest]
    #[case("/owner", Declared::Required)]
    #[case("/page", Declared::Optional)]
    #[case("/label/name", Declared::Required)]
    #[case("/label/colour", Declared::Optional)]
    #[case("/tags/0", Declared::Optional)]
    #[case("/nothing", Declared::Not)]
    #[case("/owner/deeper", Declared::Not)]
    #[case("/a~1b", Declared::Optional)]
    fn pointers_are_looked_up(#[case] pointer: &str, #[case] expected: Declared) {
        let schema = json!({
            "type": "object", "required": ["owner", "label", "tags"],
            "properties": {
                "owner": { "type": "string" }, "page": { "type": "integer" }, "a/b": {},
                "tags": { "type": "array", "items": { "type": "string" } },
                "label": { "type": "object", "required": ["name"], "properties": { "name": {}, "colour": {} } }
            }
        });
        assert_eq!(declared(pointer, &schema), expected);
    }
}
