//! The request that a tool of executor `http` sends.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema;

/// A request template. JSON Pointers in braces, for example `{/owner}`, stand for the call's arguments.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the resource's base URL, for example `/repos/{/owner}/{/repo}/issues`. Each argument is one
    /// segment, whatever it holds.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^/[^\s?#]*$"))]
    pub path: String,
    /// Query parameters. One whose argument is absent is left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::templates")]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::templates")]
    pub headers: BTreeMap<String, String>,
    /// The JSON body. A string that is exactly one argument becomes its value; a key whose argument is absent is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::open_value")]
    pub body: Option<Value>,
    /// Which part of the response is the result; absent means all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Extraction>,
}

/// A request's method.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// Which part of a JSON response is the result.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Extraction {
    /// The items of a list, as a JSONPath (RFC 9535), for example `$[*]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub items: Option<String>,
    /// The fields to keep, as JSONPaths by name: of each item, or of the whole where there are no items.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::templates")]
    pub fields: BTreeMap<String, String>,
    /// The most items to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_items: Option<i32>,
}

/// How many items are kept where the template does not say.
const MAX_ITEMS: i32 = 50;

impl Extraction {
    /// The most items to keep.
    pub fn most_items(&self) -> usize {
        usize::try_from(self.max_items.unwrap_or(MAX_ITEMS)).unwrap_or_default()
    }
}
