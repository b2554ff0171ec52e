//! What a validator says, in words for people and without the value.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};

use super::Complaint;
use crate::fault::{FieldFault, excerpt};

/// How much is told of anything.
const MAX_CHARACTERS: usize = 200;

/// What is wrong with a value, at its place. What is missing has a place, too.
pub(super) fn complaint(error: &ValidationError<'_>) -> Complaint {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            Complaint {
                pointer: format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                message: "is missing".to_owned(),
            }
        }
        _ => Complaint {
            pointer: at.to_owned(),
            message: said(error),
        },
    }
}

/// What is wrong with a value, to be read after its name.
fn said(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let text = match error.kind() {
        Kind::Type {
            kind: TypeKind::Single(kind),
        } => format!("must be of type {kind}"),
        Kind::Required { property } => format!("lacks {}", property.as_str().unwrap_or_default()),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("has what is not declared: {}", names(unexpected))
        }
        Kind::Enum { options } => format!("must be one of {options}"),
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Pattern { pattern } => format!("must match {pattern}"),
        Kind::Format { format } => format!("has not the form {format}"),
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::UniqueItems => "has an item twice".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "has none of the forms that are permitted".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => "has several of the forms of which one is permitted".to_owned(),
        _ => error.masked().to_string(),
    };
    excerpt(&text, MAX_CHARACTERS)
}

/// What is wrong with a schema, at its place.
pub(super) fn misbuilt(error: &ValidationError<'_>) -> FieldFault {
    let pointer = error.instance_path().as_str();
    let keyword = pointer.rsplit('/').next().unwrap_or_default();
    let why = match (keyword, error.kind()) {
        ("type", ValidationErrorKind::AnyOf { .. }) => {
            "this is no type; write string, number, integer, boolean, array, object or null".to_owned()
        }
        ("pattern", _) => format!("this is no expression that can be used: {}", error.masked()),
        (_, ValidationErrorKind::Referencing(_)) => format!("a reference leads nowhere: {error}"),
        (_, ValidationErrorKind::AnyOf { .. }) => "this is no schema".to_owned(),
        _ => format!("{keyword} {}", said(error)),
    };
    FieldFault::new(
        field(pointer),
        excerpt(&format!("the schema does not compile: {why}"), MAX_CHARACTERS),
    )
}

/// `/properties/a/items/0` as `properties.a.items[0]`.
fn field(pointer: &str) -> String {
    let mut field = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            field = format!("{field}[{token}]");
        } else if field.is_empty() {
            field = token;
        } else {
            field = format!("{field}.{token}");
        }
    }
    field
}

fn names(names: &[String]) -> String {
    names
        .iter()
        .take(8)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
