//! How a destination is reached.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A forward proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    /// The ranges that it may stand in although they are not the public internet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_addresses: Vec<IpNet>,
}
