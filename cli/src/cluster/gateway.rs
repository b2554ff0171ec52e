//! A bot's gateway, reached through Kubernetes' port-forward.
//!
//! The gateway listens on its pod's loopback only, without TLS: who may forward ports to the pod may speak with the bot,
//! and the API server encrypts the way to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::ledger::audit_client::AuditClient;
use tonic::transport::{Channel, Endpoint, Uri};

use super::{Answer, Cluster, ClusterError, root};

/// The gateway's port on its pod's loopback: Chat, Guardian, Audit.
const PORT: u16 = 9444;
/// How long to wait for the reason of a refused connection.
const REASON_WAIT: Duration = Duration::from_millis(300);
/// The largest message that is taken from a gateway.
const MAX_MESSAGE: usize = 32 << 20;

/// A connection to one gateway pod.
pub(crate) struct Gateway {
    channel: Channel,
    bot: String,
    pod: String,
    forward: Forward,
}

/// Why a gateway gives no answer.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum GatewayError {
    /// The cluster itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
    /// No pod is ready.
    #[error("bot {bot} in namespace {namespace} has no ready gateway pod ({found} not ready)")]
    #[diagnostic(help(
        "`monstrum status {bot} -n {namespace}` says why; `kubectl get pods -n {namespace} -l monstrum.dev/bot={bot}` shows its pods"
    ))]
    NotReady {
        /// Whose gateway.
        bot: String,
        /// Where.
        namespace: String,
        /// How many pods there are.
        found: usize,
    },
    /// The port-forward or the connection over it failed.
    #[error("no connection to port {PORT} of gateway pod {pod}: {reason}")]
    #[diagnostic(help(
        "you need the permission to create and get pods/portforward; \
         `kubectl logs {pod}` shows how the gateway does"
    ))]
    Connect {
        /// Which pod.
        pod: String,
        /// What the cluster said.
        reason: String,
    },
    /// A turn was begun, and how it ended is not known.
    #[error("the connection to bot {bot} ended in the middle of the turn: {cause}")]
    CutOff {
        /// Whose turn.
        bot: String,
        /// What broke.
        cause: String,
        /// How to ask again.
        #[help]
        help: String,
    },
    /// The gateway answered with an error.
    #[error("the gateway of bot {bot} refused: {} ({})", status.message(), crate::cluster::gateway::code(status))]
    #[diagnostic(help("look at the log of pod {pod}"))]
    Refused {
        /// Whose gateway.
        bot: String,
        /// Which pod.
        pod: String,
        /// What it said.
        status: Box<tonic::Status>,
    },
}

/// The name of a status code.
pub(crate) fn code(status: &tonic::Status) -> String {
    format!("{:?}", status.code())
}

impl Gateway {
    /// Connects to a ready gateway pod of `bot`.
    pub(crate) async fn connect(cluster: &Cluster, bot: &str) -> Result<Self, GatewayError> {
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let labels = format!("monstrum.dev/bot={bot},app.kubernetes.io/component=gateway");
        let list = pods
            .list(&ListParams::default().labels(&labels))
            .await
            .map_err(|error| {
                ClusterError::request(format!("listing the gateway pods of bot {bot}"), error)
            })?;
        let Some(pod) = list
            .items
            .iter()
            .find(|pod| is_ready(pod))
            .map(ResourceExt::name_any)
        else {
            return Err(Self::unready(cluster, bot, list.items.len()).await);
        };
        let forward = Forward::default();
        let connector = forward.connector(cluster.client.clone(), cluster.namespace.clone(), pod.clone());
        let endpoint =
            Endpoint::from_static("http://gateway.invalid").connect_timeout(Duration::from_secs(15));
        match endpoint.connect_with_connector(connector).await {
            Ok(channel) => Ok(Self {
                channel,
                bot: bot.to_owned(),
                pod,
                forward,
            }),
            Err(error) => {
                let reason = forward.reason().await.unwrap_or_else(|| root(&error));
                Err(GatewayError::Connect { pod, reason })
            }
        }
    }

    /// A bot that does not exist is told apart from one whose pods are not ready.
    async fn unready(cluster: &Cluster, bot: &str, found: usize) -> GatewayError {
        let bots: Api<monstrum_crds::kinds::Bot> =
            Api::namespaced(cluster.client.clone(), &cluster.namespace);
        match bots.get_metadata_opt(bot).await {
            Ok(None) => ClusterError::Missing {
                kind: "Bot",
                name: bot.to_owned(),
                namespace: cluster.namespace.clone(),
            }
            .into(),
            Ok(Some(_)) | Err(_) => GatewayError::NotReady {
                bot: bot.to_owned(),
                namespace: cluster.namespace.clone(),
                found,
            },
        }
    }

    /// The conversation service.
    pub(crate) fn chat(&self) -> ChatClient<Channel> {
        ChatClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The permission engine.
    pub(crate) fn guardian(&self) -> GuardianClient<Channel> {
        GuardianClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The bot's audit records.
    pub(crate) fn audit(&self) -> AuditClient<Channel> {
        AuditClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// A turn of which no end came.
    pub(crate) fn cut_off(
        &self,
        session: &str,
        message_id: &str,
        cause: Option<&tonic::Status>,
    ) -> GatewayError {
        let mut again = format!("--message-id {message_id}");
        if !session.is_empty() {
            again = format!("--session {session} {again}");
        }
        GatewayError::CutOff {
            bot: self.bot.clone(),
            cause: cause.map_or_else(|| "no end of it came".to_owned(), |status| root(status)),
            help: format!(
                "the bot may still finish it; to ask again without running it twice, repeat the message with {again}"
            ),
        }
    }

    /// An error that the gateway, or the way to it, answered with.
    pub(crate) async fn refused(&self, status: tonic::Status) -> GatewayError {
        let broken = std::error::Error::source(&status).map(root);
        match self.forward.reason().await.or(broken) {
            Some(reason) => GatewayError::Connect {
                pod: self.pod.clone(),
                reason,
            },
            None => GatewayError::Refused {
                bot: self.bot.clone(),
                pod: self.pod.clone(),
                status: Box::new(status),
            },
        }
    }
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What the cluster says about the last forwarded port, should it fail.
#[derive(Clone, Default)]
struct Forward {
    reason: Arc<Mutex<Option<BoxFuture<'static, Option<String>>>>>,
}

impl Forward {
    /// Opens a new port-forward for each connection that tonic wants.
    fn connector(
        &self,
        client: Client,
        namespace: String,
        pod: String,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<tokio::io::DuplexStream>,
        Error = std::io::Error,
        Future: Send,
    > + Send
    + 'static {
        let forward = self.clone();
        tower::service_fn(move |_: Uri| {
            let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
            let (pod, forward) = (pod.clone(), forward.clone());
            async move { forward.open(&pods, &pod).await.map(TokioIo::new) }
        })
    }

    async fn open(&self, pods: &Api<Pod>, pod: &str) -> std::io::Result<tokio::io::DuplexStream> {
        let mut forwarder = pods
            .portforward(pod, &[PORT])
            .await
            .map_err(|error| std::io::Error::other(Answer::of(&error)))?;
        let reason = forwarder.take_error(PORT).map(futures::FutureExt::boxed);
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        forwarder
            .take_stream(PORT)
            .ok_or_else(|| std::io::Error::other("the forwarded port has no stream"))
    }

    async fn reason(&self) -> Option<String> {
        let reason = self
            .reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()?;
        tokio::time::timeout(REASON_WAIT, reason).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(conditions: serde_json::Value, deleted: Option<&str>) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p", "deletionTimestamp": deleted},
            "status": {"conditions": conditions}
        }))
        .unwrap()
    }

    #[test]
    fn only_a_ready_pod_that_stays_is_taken() {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        assert!(is_ready(&pod(ready.clone(), None)));
        assert!(!is_ready(&pod(ready, Some("2026-01-01T00:00:00Z"))));
        assert!(!is_ready(&pod(
            json!([{"type": "Ready", "status": "False"}]),
            None
        )));
        assert!(!is_ready(&pod(
            json!([{"type": "Initialized", "status": "True"}]),
            None
        )));
    }
}
