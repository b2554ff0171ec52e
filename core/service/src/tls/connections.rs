//! The connections that a listener has open, so that those of a dismissed peer can be ended.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Peer;

/// The open connections of one listener, by who is at their other end. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    peers: HashMap<u64, (Peer, CancellationToken)>,
}

/// One connection's place among them, given up when it is dropped.
pub(crate) struct Entry {
    connections: Connections,
    number: u64,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    token: CancellationToken,
}

impl Connections {
    /// Ends every connection, with all of its streams, whose peer `keep` refuses. Says how many there were.
    pub fn retain(&self, keep: impl Fn(&Peer) -> bool) -> usize {
        let refused: Vec<CancellationToken> = {
            let open = self.lock();
            let refused = open.peers.values().filter(|(peer, _)| !keep(peer));
            refused.map(|(_, token)| token.clone()).collect()
        };
        // Outside of the lock: a task that is woken may drop its connection at once.
        refused.iter().for_each(CancellationToken::cancel);
        refused.len()
    }

    /// How many connections of known peers are open.
    pub fn count(&self) -> usize {
        self.lock().peers.len()
    }

    pub(crate) fn enter(&self, peer: Option<&Peer>) -> Entry {
        let token = CancellationToken::new();
        let mut open = self.lock();
        open.last = open.last.wrapping_add(1);
        let number = open.last;
        if let Some(peer) = peer {
            open.peers.insert(number, (peer.clone(), token.clone()));
        }
        drop(open);
        Entry {
            connections: self.clone(),
            number,
            ended: Box::pin(token.clone().cancelled_owned()),
            token,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Ready once the connection is to end; wakes whoever reads from it.
    pub(crate) fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.ended.as_mut().poll(context)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.token.is_cancelled()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.lock().peers.remove(&self.number);
    }
}
