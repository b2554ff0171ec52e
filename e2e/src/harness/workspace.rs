//! One test's own namespace.

use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use uuid::Uuid;

use super::cluster::Cluster;
use super::turn::Turn;
use super::{Fixture, Scripted, wait};

/// How long an object may take to reach a condition when images are present; generous, since tests share two cores.
const SETTLE: Duration = Duration::from_secs(90);

/// A namespace that enforces the `restricted` Pod Security Standard, gone when the test has passed; kept as evidence when it fails.
pub struct Workspace {
    cluster: Cluster,
    namespace: String,
}

impl Workspace {
    /// Makes a namespace for a test of `area`.
    pub async fn create(area: &str) -> Result<Self> {
        let cluster = Cluster::connect().await?;
        let id = Uuid::new_v4().simple().to_string();
        let namespace = format!("e2e-{area}-{}", id.get(..6).unwrap_or_default());
        cluster.kubectl(&["create", "namespace", &namespace]).await?;
        let label = "pod-security.kubernetes.io/enforce=restricted";
        cluster
            .kubectl(&["label", "namespace", &namespace, label])
            .await?;
        Ok(Self { cluster, namespace })
    }

    /// Deletes the namespace with everything in it, and makes another one of the same name.
    pub async fn replace(&self) -> Result<()> {
        self.cluster
            .kubectl(&["delete", "namespace", &self.namespace, "--wait"])
            .await?;
        self.cluster
            .kubectl(&["create", "namespace", &self.namespace])
            .await?;
        let label = "pod-security.kubernetes.io/enforce=restricted";
        self.cluster
            .kubectl(&["label", "namespace", &self.namespace, label])
            .await
            .map(drop)
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The namespace's name; unique, so that it also marks this test's traffic.
    pub fn name(&self) -> &str {
        &self.namespace
    }

    /// The scripted model.
    pub fn model(&self) -> Fixture {
        Fixture::model(self.cluster.client())
    }

    /// The GitHub-shaped API.
    pub fn github(&self) -> Fixture {
        Fixture::github(self.cluster.client())
    }

    /// The inbox.
    pub fn inbox(&self) -> Fixture {
        Fixture::inbox(self.cluster.client())
    }

    /// Applies objects into the namespace.
    pub async fn apply(&self, yaml: &str) -> Result<()> {
        self.cluster.apply(&self.namespace, yaml).await.map(drop)
    }

    /// Deletes an object and waits until it is gone.
    pub async fn delete(&self, kind: &str, name: &str) -> Result<()> {
        self.cluster
            .kubectl(&["delete", "-n", &self.namespace, kind, name])
            .await
            .map(drop)
    }

    /// An object, as JSON.
    pub async fn get(&self, kind: &str, name: &str) -> Result<Value> {
        let text = self
            .cluster
            .kubectl(&["get", "-n", &self.namespace, kind, name, "-o", "json"])
            .await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Waits until a condition of an object, seen for its current generation, has this status.
    pub async fn condition(&self, kind: &str, name: &str, condition: &str, status: &str) -> Result<Value> {
        let what = format!("{kind}/{name} {condition}={status} in {}", self.namespace);
        let reached = |object: &Value| {
            find_condition(object, condition).is_some_and(|found| {
                found["status"] == status && found["observedGeneration"] == object["metadata"]["generation"]
            })
        };
        let object = wait::until(&what, SETTLE, || self.get(kind, name), reached).await?;
        find_condition(&object, condition)
            .cloned()
            .ok_or_else(|| anyhow!("{what}: vanished"))
    }

    /// Waits until a bot's gateways enforce its current policy.
    pub async fn bot_ready(&self, bot: &str) -> Result<()> {
        self.condition("bot", bot, "Ready", "True").await.map(drop)
    }

    /// Says something to a bot and waits for the turn to end, in a new session.
    pub async fn chat(&self, bot: &str, message: &str) -> Result<Turn> {
        let args = ["chat", bot, message, "-n", &self.namespace, "-o", "json"];
        Turn::read(&self.cluster.monstrum(&args).await?)
    }

    /// Leaves a script by which the model looks at this test's own repository once, and gives the message that it follows.
    pub async fn script_a_look(&self) -> Result<String> {
        let message = format!("Look ({})", self.name());
        let script = Scripted::default()
            .calls(&[(
                "github_list_issues",
                json!({"owner": "acme", "repo": self.name()}),
            )])
            .says("Done.")
            .when(&message);
        self.model().script(self.name(), &script).await?;
        Ok(message)
    }

    /// Says something in a session that exists.
    pub async fn chat_in(&self, session: &str, bot: &str, message: &str) -> Result<Turn> {
        let args = [
            "chat",
            bot,
            message,
            "--session",
            session,
            "-n",
            &self.namespace,
            "-o",
            "json",
        ];
        Turn::read(&self.cluster.monstrum(&args).await?)
    }

    /// The bot's audit records, oldest first.
    pub async fn audit(&self, bot: &str) -> Result<Vec<Value>> {
        let output = self
            .cluster
            .monstrum(&["audit", "list", bot, "-n", &self.namespace, "-o", "json"])
            .await?;
        let text = String::from_utf8(output.stdout)?;
        let records = text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<_>, _>>();
        records.map_err(|error| {
            anyhow!(
                "audit list: {error}: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
    }

    /// The namespace goes; a test that fails before this leaves it as evidence.
    pub async fn remove(self) -> Result<()> {
        self.cluster
            .kubectl(&["delete", "namespace", &self.namespace, "--wait=false"])
            .await
            .map(drop)
    }
}

fn find_condition<'a>(object: &'a Value, condition: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|found| found["type"] == condition)
}
