//! Why a running turn has to end early, told to everything that runs in it.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::failure::Failure;
use super::hold;

/// Ends a turn, once. Work in the turn looks at it wherever it waits for the world.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<Reason>>,
}

/// Why a turn ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its time is over.
    Deadline,
    /// Nobody listens any more.
    Deserted,
    /// Another gateway has the session, or the ledger was away for too long.
    SessionLost,
    /// This process stops.
    Draining,
}

impl Stop {
    /// Resolves when the turn has to end.
    pub(super) async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// What the user is told, if the turn has to end.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.reason.get().map(|reason| match reason {
            Reason::Deadline => Failure::TurnTimeout,
            Reason::Deserted => Failure::Cancelled,
            Reason::SessionLost => Failure::SessionLost,
            Reason::Draining => Failure::Draining,
        })
    }

    /// Fails when the turn has to end.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.failure().map_or(Ok(()), Err)
    }

    fn request(&self, reason: Reason) {
        // The first reason is the one that counts.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }
}

/// Watches everything that may end the turn, and ends it. Never resolves: the turn itself winds up.
pub(super) async fn watch(context: &Context, stop: &Stop) -> Infallible {
    let draining = async {
        context.gateway.service.shutdown().requested().await;
        tokio::time::sleep(context.gateway.drain_patience).await;
    };
    let reason = tokio::select! {
        () = tokio::time::sleep_until(context.deadline) => Reason::Deadline,
        () = context.events.closed() => Reason::Deserted,
        () = hold::keep(context) => Reason::SessionLost,
        () = draining => Reason::Draining,
    };
    stop.request(reason);
    // The session stays held while the turn winds up, unless it is lost already.
    if reason != Reason::SessionLost {
        hold::keep(context).await;
    }
    std::future::pending().await
}
