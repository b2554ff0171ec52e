//! A webhook channel, and messages sent to it.

use std::time::SystemTime;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use http::{Request, Response};
use sha2::Sha256;
use uuid::Uuid;

use super::{Workspace, tunnel};

/// The pods of the channel.
pub const PODS: &str = "app.kubernetes.io/component=channel,app.kubernetes.io/instance=inbox";

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// The channel `inbox` to the bot `triage`, for the user `u-1`; `mode` are further fields of its type.
pub fn channel(mode: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: inbox-secret
  annotations:
    monstrum.dev/used-by: channel/inbox
    monstrum.dev/hosts: http://inbox.monstrum-fixtures.svc:8080
stringData: {{secret: 'whsec_{}'}}
---
apiVersion: monstrum.dev/v1alpha1
kind: Channel
metadata: {{name: inbox}}
spec:
  type: {{webhook: {{secret: {{name: inbox-secret, key: secret}}, {mode}}}}}
  routes: [{{name: all, bot: triage, webhook: {{path: /hook}}}}]
  talkers: {{users: [u-1]}}",
        STANDARD.encode(SECRET)
    )
}

/// The signature under the channel's own secret.
pub fn signature(id: &str, timestamp: &str, body: &str) -> Result<String> {
    sign(SECRET, id, timestamp, body)
}

fn sign(secret: &[u8], id: &str, timestamp: &str, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// A signed request, to be spoilt by the test.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message's.
    pub id: String,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// JSON.
    pub body: String,
    /// Of the body.
    pub content_type: &'static str,
    /// What it is signed with.
    pub secret: Vec<u8>,
}

impl Delivery {
    /// A good one.
    pub fn new(user: &str, text: &str) -> Result<Self> {
        Ok(Self {
            id: format!("msg_{}", Uuid::new_v4().simple()),
            timestamp: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)?
                .as_secs(),
            body: serde_json::json!({"user": user, "text": text}).to_string(),
            content_type: "application/json",
            secret: SECRET.to_vec(),
        })
    }

    /// Posts it to a pod of the channel.
    pub async fn send(&self, workspace: &Workspace) -> Result<Response<String>> {
        let signature = sign(&self.secret, &self.id, &self.timestamp.to_string(), &self.body)?;
        let request = Request::post("/hook")
            .header("content-type", self.content_type)
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", self.timestamp)
            .header("webhook-signature", signature)
            .body(self.body.clone())?;
        let client = workspace.cluster().client();
        tunnel::send(&client, workspace.name(), PODS, 8080, request).await
    }
}
