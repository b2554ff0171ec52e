//! What a bot can call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::Request;
use crate::schema;

/// One callable tool.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// Its name, for example `github_list_issues`.
    #[schemars(length(min = 1, max = 48), regex(pattern = schema::TOOL))]
    pub name: String,
    /// What the model is told about it.
    #[schemars(length(min = 1, max = 2_048))]
    pub description: String,
    /// What kind of act it is, dotted: for example `issue.read`. Grants name operations.
    #[schemars(length(min = 1, max = 128), regex(pattern = schema::OPERATION))]
    pub operation: String,
    /// Its parameters, as a JSON Schema of type `object`. What it does not declare is refused.
    #[schemars(schema_with = "schema::open_object")]
    pub parameters: Value,
    /// Which part of the arguments feeds which dimension.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub scope: Vec<Feed>,
    /// How much harm it can do: `Low` (the default), `Medium` or `High`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// Whether doing it twice is the same as doing it once. Only then is it done again after a crash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// The request to send. Needed for executor `http`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Request>,
}

impl Tool {
    /// The executor's part, whichever there is; the definition's rules let only its own stand there.
    pub fn execution(&self) -> Value {
        // A part is strings, maps and JSON; that can always be written.
        self.http
            .as_ref()
            .map_or(Value::Null, |http| serde_json::to_value(http).unwrap_or_default())
    }
}

/// How much harm a tool can do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[schemars(transform = schema::undescribed)]
pub enum Risk {
    /// It reads, or changes little.
    #[default]
    Low,
    /// It changes something that can be changed back.
    Medium,
    /// It can destroy or leak.
    High,
}

/// Which part of the arguments feeds one dimension.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Feed {
    /// The dimension's name.
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::IDENTIFIER))]
    pub dimension: String,
    /// Where its values come from.
    pub from: FeedFrom,
}

/// Where a dimension's values come from.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum FeedFrom {
    /// One part of the arguments, as a JSON Pointer. Each element of a list is a value. An absent optional argument
    /// feeds nothing.
    Pointer(#[schemars(length(min = 1, max = 256), regex(pattern = schema::POINTER))] String),
    /// Text with JSON Pointers in braces, for example `{/owner}/{/repo}`. Where a part is missing, the call is refused.
    Template(#[schemars(length(min = 1, max = 512))] String),
}
