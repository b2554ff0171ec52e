//! Who is at the other end of a connection.

use monstrum_wire::identity::Identity;

/// Who is at the other end of a connection; in the extensions of each of its requests.
#[derive(Debug, Clone)]
pub struct PeerIdentity(Option<Identity>);

impl PeerIdentity {
    pub(crate) fn new(identity: Option<Identity>) -> Self {
        Self(identity)
    }

    /// The identity, when the certificate named one of this installation.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.as_ref()
    }
}
