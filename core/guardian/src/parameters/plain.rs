//! The common form of parameters, compared without a general validator: one closed object of plain values.

use serde_json::{Map, Value};

/// Keywords that describe and restrict nothing.
const ANNOTATIONS: [&str; 5] = ["title", "description", "default", "examples", "$comment"];

/// A closed object schema that says nothing but the plain form of each property, and which are required.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlainObject {
    /// In the order that arguments have.
    properties: Vec<Property>,
}

#[derive(Debug, PartialEq, Eq)]
struct Property {
    name: String,
    required: bool,
    form: Form,
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// One of these texts.
    OneOf(Vec<String>),
    Integer,
    Number,
    Boolean,
    ListOf(Box<Form>),
}

impl PlainObject {
    /// None where the closed schema says more than can be compared here.
    pub(super) fn of(schema: &Value) -> Option<Self> {
        let schema = schema.as_object()?;
        let known = ["type", "properties", "required", "additionalProperties"];
        let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
        if !closed || type_of(schema) != Some("object") || !says_only(schema, &known) {
            return None;
        }
        let required = match schema.get("required") {
            Some(required) => texts(required)?,
            None => Vec::new(),
        };
        let declared = schema.get("properties")?.as_object()?;
        if !required.iter().all(|name| declared.contains_key(name)) {
            return None;
        }
        let property = |(name, schema): (&String, &Value)| {
            Some(Property {
                name: name.clone(),
                required: required.contains(name),
                form: Form::of(schema)?,
            })
        };
        let mut properties = declared.iter().map(property).collect::<Option<Vec<_>>>()?;
        properties.sort_by(|left, right| left.name.cmp(&right.name));
        Some(Self { properties })
    }

    /// Whether the arguments certainly have the declared form. The validator is asked where they do not.
    pub(super) fn admits(&self, arguments: &Value) -> bool {
        let Value::Object(fields) = arguments else {
            return false;
        };
        // Both are ordered by name; arguments that are not seem to lack something, and nothing worse.
        let mut fields = fields.iter().peekable();
        for property in &self.properties {
            match fields.next_if(|(name, _)| **name == property.name) {
                Some((_, value)) if property.form.admits(value) => {}
                None if !property.required => {}
                Some(_) | None => return false,
            }
        }
        fields.next().is_none()
    }
}

impl Form {
    fn of(schema: &Value) -> Option<Self> {
        let schema = schema.as_object()?;
        match (type_of(schema)?, schema.get("enum"), schema.get("items")) {
            ("string", Some(values), None) if says_only(schema, &["type", "enum"]) => {
                texts(values).map(Self::OneOf)
            }
            ("array", None, Some(items)) if says_only(schema, &["type", "items"]) => {
                Self::of(items).map(|form| Self::ListOf(Box::new(form)))
            }
            (name, None, None) if says_only(schema, &["type"]) => match name {
                "string" => Some(Self::Text),
                "integer" => Some(Self::Integer),
                "number" => Some(Self::Number),
                "boolean" => Some(Self::Boolean),
                _ => None,
            },
            _ => None,
        }
    }

    fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Boolean, Value::Bool(_)) => true,
            (Self::OneOf(known), Value::String(text)) => known.contains(text),
            // Whether a float is a whole number is for the validator to say.
            (Self::Integer, Value::Number(number)) => number.is_i64(),
            (Self::ListOf(form), Value::Array(items)) => items.iter().all(|item| form.admits(item)),
            _ => false,
        }
    }
}

fn type_of(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("type")?.as_str()
}

fn says_only(schema: &Map<String, Value>, keywords: &[&str]) -> bool {
    let known = |keyword: &str| keywords.contains(&keyword) || ANNOTATIONS.contains(&keyword);
    schema.keys().all(|keyword| known(keyword))
}

fn texts(list: &Value) -> Option<Vec<String>> {
    let text = |item: &Value| item.as_str().map(str::to_owned);
    list.as_array()?.iter().map(text).collect()
}

#[cfg(test)]
mod tests;
