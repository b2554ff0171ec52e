//! Signed HTTP requests, as Standard Webhooks describes them.

use std::collections::BTreeMap;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::egress::Proxy;

/// What channels of webhooks alone have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// Whether answers are responses or callbacks.
    pub mode: Mode,
    /// Where callbacks go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The ranges that they may arrive at although they are not the public internet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_addresses: Vec<IpNet>,
    /// PEM certificates of the authorities to trust, where they are not the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// What they go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// How far a timestamp may be from the present.
    pub tolerance_seconds: u32,
    /// The largest body that is read.
    pub max_body_bytes: u32,
    /// Which messages take each of the channel's routes, by its name.
    pub routes: BTreeMap<String, Route>,
}

/// When a webhook's sender gets the answer.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the response to its request.
    Synchronous,
    /// In a request of ours, later.
    Callback,
}

/// Which messages take one route, and where in them the parts stand: JSON Pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The request path.
    pub path: String,
    /// What the body must say; all of it must fit.
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// Where the text stands.
    pub text: String,
    /// Where the sender's id stands.
    pub user: String,
    /// Where the conversation's id stands; without it, there is one for each sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// One thing that a body must say, equal in type and value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub struct Match {
    pub pointer: String,
    pub equals: Value,
}
