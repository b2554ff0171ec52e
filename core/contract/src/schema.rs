//! Pieces of schema that Rust types alone do not give: patterns of names, and parts that hold any JSON.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{EXECUTORS, RESERVED};

/// A name in camel case or with dashes, for dimensions, credential methods and their fields.
pub const IDENTIFIER: &str = "^[a-zA-Z][-_a-zA-Z0-9]*$";
/// A tool's name, as every model provider accepts it.
pub const TOOL: &str = "^[a-zA-Z0-9_-]+$";
/// A dotted operation such as `issue.read`.
pub const OPERATION: &str = r"^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$";
/// An HTTP header's name (RFC 9110 token).
pub const HEADER: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/// Text that can stand in an HTTP header's value.
pub const HEADER_VALUE: &str = r"^[\t\x20-\x7e]*$";
/// A JSON Pointer (RFC 6901); the empty one is the whole.
pub const POINTER: &str = r"^(/([^/~]|~[01])*)*$";

/// Takes a type's own description away, so that the one of each field of that type is shown.
pub fn undescribed(schema: &mut Schema) {
    schema.remove("description");
}

/// An object of any content, kept as it is.
pub fn open_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Any JSON value, kept as it is.
pub fn open_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

/// Header or query templates by name.
pub fn templates(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 1024 }
    })
}

/// The name of an executor, of this version or of later ones.
pub fn executor(_: &mut SchemaGenerator) -> Schema {
    let names = [EXECUTORS.names(), RESERVED.to_vec()].concat();
    json_schema!({ "type": "string", "enum": names })
}
