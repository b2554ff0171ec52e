//! The request template of a tool: `{/pointer}` stands for the value at that JSON Pointer in the canonical arguments.
//!
//! The template's text is searched for pointers once; values that are put in are never searched again.

mod body;
mod text;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub(super) use text::{Filling, Text};

/// A tool's `execution`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Template {
    /// The HTTP method.
    pub(super) method: Method,
    /// The path below the resource's base URL.
    pub(super) path: String,
    /// Query parameters.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    body: Option<Value>,
    /// What is taken from a JSON answer.
    #[serde(default)]
    pub(super) response: Option<Extraction>,
}

/// The methods that a template can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// What is taken from a JSON answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Extraction {
    /// A `JSONPath` to the items.
    #[serde(default)]
    pub(super) items: Option<String>,
    /// `JSONPath`s for the fields of each item, or of the whole answer.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
    /// How many items are kept.
    #[serde(default = "fifty")]
    pub(super) max_items: usize,
}

fn fifty() -> usize {
    50
}

impl Template {
    /// The body with the arguments put in.
    pub(super) fn body(&self, arguments: &Value) -> Result<Option<Value>, crate::call::Failure> {
        self.body
            .as_ref()
            .map_or(Ok(None), |body| body::fill(body, arguments))
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}
