//! The request to stop, seen by every task.

use tokio_util::sync::CancellationToken;

/// Whether the process was asked to stop.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Resolves once a stop is requested.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + use<> {
        let token = self.token.clone();
        async move { token.cancelled().await }
    }

    /// Whether a stop was requested.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Asks everything to stop.
    pub fn request(&self) {
        self.token.cancel();
    }
}
