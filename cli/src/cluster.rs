//! The user's cluster, with the user's own rights.

mod gateway;
mod objects;

use std::path::PathBuf;

use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

pub(crate) use gateway::{Gateway, GatewayError};
pub(crate) use objects::{fetch, fetch_bots, note_secrets};

/// Which cluster and namespace.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ClusterArgs {
    /// The namespace (workspace) to look in [default: the context's]
    #[arg(short, long, global = true, value_name = "NAMESPACE", value_parser = crate::arguments::object_name)]
    pub(crate) namespace: Option<String>,
    /// The kubeconfig context to use
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file to use [default: $KUBECONFIG, else ~/.kube/config, else the pod's service account]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// A connection to the API server, and the namespace that is meant.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

/// What the API server says, in its own sentence; of another error, its innermost cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Answer(String);

impl Answer {
    fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self(status.message.clone()),
            other => Self(root(other)),
        }
    }
}

/// The innermost cause says most of what goes wrong on a wire.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Why the cluster gives no answer.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum ClusterError {
    /// The kubeconfig does not say how to connect.
    #[error("the kubeconfig names no usable cluster")]
    #[diagnostic(help(
        "check `kubectl config get-contexts`, or name a file with --kubeconfig and a context with --context"
    ))]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// Neither a kubeconfig nor a service account was found.
    #[error("there is neither a kubeconfig nor a service account to connect with")]
    #[diagnostic(help(
        "set KUBECONFIG or name a file with --kubeconfig; no cluster is needed by `validate`, `policy test`, `policy diff` with --against, and by `policy lint`, `tools` and `explain` with -f"
    ))]
    Infer(#[source] kube::config::InferConfigError),
    /// The client cannot be built.
    #[error("no connection to the cluster can be set up")]
    Client(#[source] kube::Error),
    /// A request failed.
    #[error("{action} failed")]
    Request {
        /// What was asked.
        action: String,
        /// What came back.
        #[source]
        source: Answer,
        /// What to do.
        #[help]
        help: String,
    },
    /// The object does not exist.
    #[error("there is no {kind} {name} in namespace {namespace}")]
    #[diagnostic(help(
        "`kubectl get monstrum -n {namespace}` lists what is there; choose another namespace with -n"
    ))]
    Missing {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
    },
}

impl ClusterError {
    /// A failed request, with what is most likely to help.
    pub(crate) fn request(action: impl Into<String>, source: kube::Error) -> Self {
        let help = match &source {
            kube::Error::Api(status) if status.code == 403 => {
                "your Kubernetes user lacks this permission; an administrator grants it with a Role and a RoleBinding"
            }
            kube::Error::Api(status) if status.code == 401 => {
                "the cluster does not accept your credentials; log in again"
            }
            kube::Error::Api(status) if status.code == 404 => {
                "is Monstrum installed in this cluster? `kubectl get crd bots.monstrum.dev` must show its definition"
            }
            _ => "is the cluster reachable? `kubectl version` must answer",
        };
        Self::Request {
            action: action.into(),
            source: Answer::of(&source),
            help: help.to_owned(),
        }
    }
}

impl Cluster {
    /// Reads the kubeconfig. Nothing is sent yet.
    pub(crate) async fn connect(args: &ClusterArgs) -> Result<Self, ClusterError> {
        let config = config(args).await?;
        let namespace = args
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(ClusterError::Client)?;
        Ok(Self { client, namespace })
    }
}

impl Cluster {
    /// The same in the namespace of a bot that is named as `NAMESPACE/NAME`, with the bot's own name.
    pub(crate) async fn connect_for<'a>(
        args: &ClusterArgs,
        bot: &'a str,
    ) -> Result<(Self, &'a str), ClusterError> {
        let cluster = Self::connect(args).await?;
        Ok(match bot.split_once('/') {
            Some((namespace, name)) => (
                Self {
                    namespace: namespace.to_owned(),
                    ..cluster
                },
                name,
            ),
            None => (cluster, bot),
        })
    }
}

async fn config(args: &ClusterArgs) -> Result<Config, ClusterError> {
    let options = KubeConfigOptions {
        context: args.context.clone(),
        ..KubeConfigOptions::default()
    };
    match (&args.kubeconfig, &args.context) {
        (Some(path), _) => {
            let kubeconfig = Kubeconfig::read_from(path).map_err(ClusterError::Kubeconfig)?;
            Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(ClusterError::Kubeconfig)
        }
        (None, Some(_)) => Config::from_kubeconfig(&options)
            .await
            .map_err(ClusterError::Kubeconfig),
        (None, None) => Config::infer().await.map_err(ClusterError::Infer),
    }
}
