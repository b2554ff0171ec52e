//! What a grant can restrict.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema;

/// Something about a call that a grant can restrict.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dimension {
    /// Its name: the key in a grant's `scope`.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub name: String,
    /// How a call's values are compared with a grant's patterns.
    #[serde(rename = "match")]
    pub matching: Match,
    /// What a grant that does not mention it means: `Deny` (the default) permits no call that it applies to, `Allow`
    /// does not restrict it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_unset: Option<WhenUnset>,
    /// What it is, for people who write grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
}

/// What a grant that does not mention a dimension means for it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
pub enum WhenUnset {
    /// It permits no call that the dimension applies to.
    Deny,
    /// It does not restrict it.
    Allow,
}

/// How values are compared with patterns.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Match {
    /// A string, number or boolean equal to a pattern in type and value, for example `open` or `7`.
    Exact {},
    /// Like `exact`, and only these values exist.
    Enum {
        /// The values that exist.
        #[schemars(schema_with = "schema::literals")]
        values: Vec<Value>,
    },
    /// A string against a pattern in which `*` stands for characters within a segment and `**` for any, for
    /// example `acme/*`.
    Glob {
        /// The character that ends a segment; absent means that a value is one segment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1, max = 1))]
        separator: Option<char>,
    },
    /// A file path, normalised, against a pattern with `*` and `**`, for example `docs/**`.
    Path {},
    /// A host name or IP address against a pattern or a CIDR range, for example `*.example.com` or `10.1.0.0/16`.
    Host {},
    /// A URL against scheme, host, port and path, for example `https://api.example.com/v1/**`.
    Url {},
    /// A command line of literal words against a pattern of words, for example `docker logs *`.
    Command {},
    /// A number, duration or size against an interval, for example `1..50` or `..5m`.
    Range {
        /// What is counted: `number` (the default), `duration` or `bytes`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Unit>,
    },
    /// A string against a regular expression that must match all of it, for example `[A-Z]{2}-[0-9]+`.
    Regex {},
    /// The call against a CEL expression over `call` (`tool`, `operation`, `risk`, `arguments`), `bot` and `now`, for example
    /// `call.arguments.amount <= 50`.
    Cel {},
}

/// What an interval's bounds count.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = schema::undescribed)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Plain numbers.
    Number,
    /// Time, for example `90s`.
    Duration,
    /// Sizes, for example `10Mi`.
    Bytes,
}
