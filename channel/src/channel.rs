//! What the parts of a channel share.

use std::fmt;
use std::sync::Arc;

use monstrum_service::Service;

use crate::delivery::Gateways;
use crate::inbox::Room;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::platform::Platform;
use crate::settings::{Route, Talkers};

/// One channel.
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) routes: Vec<Route>,
    pub(crate) talkers: Talkers,
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) ledger: Ledger,
    pub(crate) gateways: Gateways,
    pub(crate) room: Room,
    pub(crate) metrics: Metrics,
    pub(crate) service: Service,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("scope", &self.scope())
            .finish_non_exhaustive()
    }
}

impl Channel {
    /// Under which its ids and messages are kept.
    pub(crate) fn scope(&self) -> String {
        format!("{}/{}", self.platform.name(), self.name)
    }
}
