//! References to Kubernetes Secrets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// One key of a Secret in the same namespace. The Secret must agree to it: its annotation `monstrum.dev/used-by` names who may
/// use it, for example `credential/github` or `channel/inbox`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKeyRef {
    /// The name of a Secret in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SUBDOMAIN))]
    pub name: String,
    /// The key in that Secret whose value is taken.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::SECRET_KEY))]
    pub key: String,
}
