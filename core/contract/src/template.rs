//! Whether the parameters of a tool declare what its templates name.

use monstrum_guardian::template::{Piece, pieces};
use serde_json::Value;

/// The pointers of a template, in order, or what is wrong with it (reads after the field's name).
pub fn pointers(text: &str) -> Result<Vec<&str>, &'static str> {
    let pointers = pieces(text)?.into_iter().filter_map(|piece| match piece {
        Piece::Pointer(pointer) => Some(pointer),
        Piece::Literal(_) => None,
    });
    Ok(pointers.collect())
}

/// Whether a parameter schema declares what a pointer names, and whether it is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// It is not a parameter.
    Not,
    /// It may be absent.
    Optional,
    /// Every valid call has it.
    Required,
}

/// Looks a pointer up in a parameter schema.
pub fn declared(pointer: &str, parameters: &Value) -> Declared {
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
