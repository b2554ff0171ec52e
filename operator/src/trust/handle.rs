//! What this process holds now, for everybody in it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use monstrum_service::Pem;
use monstrum_service::authority::{Authority, AuthorityError};
use monstrum_wire::identity::Identity;
use tokio::sync::watch;

use super::Held;

/// Signs identities, with whatever is held now. Clones share it.
#[derive(Clone)]
pub struct Trust {
    held: watch::Sender<Arc<Held>>,
    /// The bundle that the API server was given for the webhook.
    in_webhook: Arc<Mutex<Option<String>>>,
}

impl Trust {
    /// Signs with `authority`.
    pub fn new(authority: Authority) -> Self {
        Self::holding(Held::first(authority))
    }

    /// Holds this.
    pub(super) fn holding(held: Held) -> Self {
        Self {
            held: watch::Sender::new(Arc::new(held)),
            in_webhook: Arc::default(),
        }
    }

    /// What is held now.
    pub fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.borrow())
    }

    /// Holds this from now on.
    pub(super) fn take_up(&self, held: Held) {
        let held = held.after(&self.held());
        self.held.send_replace(Arc::new(held));
    }

    /// Tells of each change from now on.
    pub fn changes(&self) -> watch::Receiver<Arc<Held>> {
        self.held.subscribe()
    }

    /// A new certificate.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &[String],
        lifetime: Duration,
    ) -> Result<Pem, AuthorityError> {
        self.held().issue(identity, names, lifetime)
    }

    /// Of its identities.
    pub fn trust_domain(&self) -> String {
        self.held().trust_domain().to_owned()
    }

    /// The API server trusts this bundle now.
    pub fn put_in_webhook(&self, bundle: String) {
        *self.in_webhook.lock().unwrap_or_else(PoisonError::into_inner) = Some(bundle);
    }

    /// Whether the API server trusts what is held now.
    pub(super) fn is_in_webhook(&self) -> bool {
        let known = self.in_webhook.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref() == Some(&self.held().bundle())
    }
}

/// Waits until a certificate is due, or until something else is held; for good when the process ends.
pub(crate) async fn due(changes: &mut watch::Receiver<Arc<Held>>, wait: Duration) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        next = changes.changed() => {
            if next.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
