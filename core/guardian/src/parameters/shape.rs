//! What sort of values a schema permits at one place: enough to say that a feed can never read one.
//!
//! Where nothing is certain, everything is taken to be possible.

use serde_json::{Map, Value};

/// How many references are followed.
const MAX_STEPS: usize = 32;

/// The JSON types that a value may have. A whole number is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const NULL: Self = Self(1);
    pub(crate) const BOOLEAN: Self = Self(2);
    pub(crate) const NUMBER: Self = Self(4);
    pub(crate) const STRING: Self = Self(8);
    pub(crate) const ARRAY: Self = Self(16);
    pub(crate) const OBJECT: Self = Self(32);
    const ALL: Self = Self(63);

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a value can be of both.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The type of a value.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    fn named(name: &Value) -> Self {
        match name.as_str() {
            Some("null") => Self::NULL,
            Some("boolean") => Self::BOOLEAN,
            Some("number" | "integer") => Self::NUMBER,
            Some("string") => Self::STRING,
            Some("array") => Self::ARRAY,
            Some("object") => Self::OBJECT,
            _ => Self::NONE,
        }
    }

    /// `a string or a list`. Null is left out where there is something else.
    pub(crate) fn words(self) -> String {
        let names = [
            (Self::STRING, "a string"),
            (Self::NUMBER, "a number"),
            (Self::BOOLEAN, "a boolean"),
            (Self::ARRAY, "a list"),
            (Self::OBJECT, "an object"),
        ];
        let words: Vec<&str> = names
            .iter()
            .filter(|(kind, _)| self.meets(*kind))
            .map(|(_, word)| *word)
            .collect();
        if words.is_empty() {
            "null".to_owned()
        } else {
            words.join(" or ")
        }
    }
}

/// What may stand at one place of the arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) types: Types,
    /// Of a list's items.
    pub(crate) items: Types,
    /// The values that there are, where they are listed. Of a list, its items'.
    pub(crate) literals: Option<Vec<Value>>,
}

/// Where a pointer leads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// To a value.
    Value(Shape),
    /// Through the list that this pointer names.
    WithinList(String),
    /// To nothing that is declared.
    Undeclared,
}

/// Looks a pointer up in a schema of parameters.
pub(crate) fn place(root: &Value, pointer: &str) -> Place {
    let mut schema = root;
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let Value::Object(map) = schema else {
            return Place::Value(anything());
        };
        match property(map, &name) {
            Some(next) => schema = next,
            None if is_list(root, schema) => return Place::WithinList(path),
            None if may_declare(map) => return Place::Value(anything()),
            None => return Place::Undeclared,
        }
        path = format!("{path}/{token}");
    }
    Place::Value(shape(root, schema))
}

fn property<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get("properties")?.get(name)
}

/// Whether a property may be declared somewhere else than under `properties`.
fn may_declare(map: &Map<String, Value>) -> bool {
    ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"]
        .iter()
        .any(|keyword| map.contains_key(*keyword))
        || map.get("additionalProperties").is_some_and(Value::is_object)
}

/// Whether a value can be nothing but a list.
fn is_list(root: &Value, schema: &Value) -> bool {
    types(root, schema, MAX_STEPS).and(Types(Types::ALL.0 ^ Types::NULL.0)) == Types::ARRAY
}

fn anything() -> Shape {
    Shape {
        types: Types::ALL,
        items: Types::ALL,
        literals: None,
    }
}

fn shape(root: &Value, schema: &Value) -> Shape {
    let types = types(root, schema, MAX_STEPS);
    let items = schema.get("items");
    let listed = |schema: &Value| match schema.get("const") {
        Some(only) => Some(vec![only.clone()]),
        None => schema.get("enum")?.as_array().cloned(),
    };
    Shape {
        types,
        items: items.map_or(Types::ALL, |items| self::types(root, items, MAX_STEPS)),
        literals: listed(schema).or_else(|| items.and_then(listed)),
    }
}

/// The types that a schema permits.
pub(super) fn types(root: &Value, schema: &Value, steps: usize) -> Types {
    let (Value::Object(map), Some(steps)) = (schema, steps.checked_sub(1)) else {
        return if *schema == Value::Bool(false) {
            Types::NONE
        } else {
            Types::ALL
        };
    };
    map.iter().fold(Types::ALL, |left, (keyword, value)| {
        let parts = || value.as_array().into_iter().flatten();
        let permitted = match keyword.as_str() {
            "type" => match value {
                Value::Array(names) => names.iter().map(Types::named).fold(Types::NONE, Types::or),
                name => Types::named(name),
            },
            "const" => Types::of(value),
            "enum" => parts().map(Types::of).fold(Types::NONE, Types::or),
            "anyOf" | "oneOf" => parts()
                .map(|part| types(root, part, steps))
                .fold(Types::NONE, Types::or),
            "allOf" => parts()
                .map(|part| types(root, part, steps))
                .fold(Types::ALL, Types::and),
            "$ref" => match referred(root, value) {
                Some(target) => types(root, target, steps),
                None => Types::ALL,
            },
            _ => Types::ALL,
        };
        left.and(permitted)
    })
}

/// What a reference within the schema leads to.
pub(super) fn referred<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    root.pointer(reference.as_str()?.strip_prefix('#')?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "$defs": {"id": {"type": "integer"}}, "properties": {
            "text": {"type": "string"},
            "count": {"$ref": "#/$defs/id"},
            "maybe": {"type": ["string", "null"]},
            "either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            "both": {"allOf": [{"type": ["string", "number"]}, {"type": "number"}]},
            "any": {},
            "state": {"enum": ["open", "closed"]},
            "files": {"type": "array", "items": {"type": "object", "properties": {"id": {}}}},
            "filter": {"type": "object", "properties": {"a": {"type": "boolean"}}},
            "free": {"type": "object", "additionalProperties": {"type": "string"}}
        }})
    }

    #[rstest]
    #[case("/text", Types::STRING)]
    #[case("/count", Types::NUMBER)]
    #[case("/maybe", Types::STRING.or(Types::NULL))]
    #[case("/either", Types::STRING.or(Types::NUMBER))]
    #[case("/both", Types::NUMBER)]
    #[case("/any", Types::ALL)]
    #[case("/state", Types::STRING)]
    #[case("/files", Types::ARRAY)]
    #[case("/filter/a", Types::BOOLEAN)]
    #[case("/free/x", Types::ALL)]
    fn types_are_known_where_they_are_certain(#[case] pointer: &str, #[case] expected: Types) {
        let Place::Value(shape) = place(&schema(), pointer) else {
            panic!("{pointer} leads nowhere");
        };
        assert_eq!(shape.types, expected);
    }

    #[test]
    fn what_leads_nowhere_is_told_apart() {
        assert_eq!(
            place(&schema(), "/files/*/id"),
            Place::WithinList("/files".to_owned())
        );
        assert_eq!(
            place(&schema(), "/files/0"),
            Place::WithinList("/files".to_owned())
        );
        assert_eq!(place(&schema(), "/txt"), Place::Undeclared);
        assert_eq!(place(&schema(), "/text/x"), Place::Undeclared);
        assert_eq!(place(&schema(), "/filter/b"), Place::Undeclared);
    }

    #[test]
    fn a_circle_ends() {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}});
        assert!(matches!(place(&schema, "/a"), Place::Value(_)));
    }
}
