//! Who is at the other end of a connection.

use super::Peer;

/// Who is at the other end of a connection; in the extensions of each of its requests.
#[derive(Debug, Clone)]
pub struct PeerCertificate(Option<Peer>);

impl PeerCertificate {
    pub(crate) fn new(peer: Option<Peer>) -> Self {
        Self(peer)
    }

    /// The peer, when the certificate named an identity of this installation.
    pub fn peer(&self) -> Option<&Peer> {
        self.0.as_ref()
    }
}
