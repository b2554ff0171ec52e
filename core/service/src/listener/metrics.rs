//! Who had to give way, by listener: the first sign of an attack, and of limits that are too low behind a proxy.

use std::sync::LazyLock;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Entrance;

/// Of all listeners of the process.
static GAVE_WAY: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    listener: Listener,
    standing: Standing,
}

/// Which listener of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Listener {
    /// gRPC over mutual TLS.
    Grpc,
    /// The admission webhook.
    Https,
    /// Webhooks of a channel.
    Http,
    /// The gateway's port for whoever Kubernetes lets into the pod.
    Local,
    /// Health and metrics.
    Admin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Standing {
    Stranger,
    Known,
}

/// The counters of one listener.
#[derive(Debug, Clone, Default)]
pub(super) struct GaveWay {
    pub(super) strangers: Counter,
    pub(super) known: Counter,
}

impl GaveWay {
    pub(super) fn of(listener: Listener) -> Self {
        let counter = |standing| GAVE_WAY.get_or_create_owned(&Labels { listener, standing });
        Self {
            strangers: counter(Standing::Stranger),
            known: counter(Standing::Known),
        }
    }
}

impl From<&Entrance> for Listener {
    fn from(entrance: &Entrance) -> Self {
        match entrance {
            Entrance::Mutual(_) => Self::Grpc,
            Entrance::Https(_) => Self::Https,
            Entrance::Plain => Self::Http,
            Entrance::Pod => Self::Local,
        }
    }
}

/// Adds the counters to those that the process shows.
pub(crate) fn register(registry: &mut Registry) {
    registry.sub_registry_with_prefix("monstrum_listener").register(
        "connections_gave_way",
        "Connections that were ended for others, since there was no further place: of strangers, who had shown neither certificate nor \
         signature, and of known peers",
        GAVE_WAY.clone(),
    );
}
