//! What connections go through.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// A forward proxy. `https` addresses are reached through it by CONNECT, `http` addresses by absolute requests. Names are resolved and
/// judged before, so that a proxy is no way around the rules on addresses.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proxy {
    /// Where it listens, for example `http://proxy.example.com:3128`. It holds no user name or password.
    #[schemars(length(min = 8, max = 1024), regex(pattern = schema::HTTP_URL))]
    pub url: String,
    /// Address ranges that the proxy may stand in although they are not the public internet, for example `10.20.0.0/16`. A proxy that is
    /// named by its literal address or as a Service of the cluster needs none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 2, max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allowed_addresses: Vec<String>,
}
