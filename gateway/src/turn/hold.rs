//! The lease that makes a gateway the one writer of a session.

use std::time::Duration;

use monstrum_wire::chat::turn_event;
use monstrum_wire::ledger::{AcquireSessionRequest, Step};
use tokio::time::Instant;

use super::context::Context;
use super::events::Events;
use super::failure::Failure;
use super::history::{History, WINDOW};
use super::message::Incoming;
use crate::gateway::Gateway;
use crate::ledger::{Held, LedgerError};

/// How long a hold lasts without renewal: so long does a conversation rest after its gateway died.
const LEASE: Duration = Duration::from_secs(15);
const RENEW_EVERY: Duration = Duration::from_secs(4);
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// A session that became ours.
#[derive(Debug)]
pub(super) struct Acquired {
    pub(super) held: Held,
    /// What was said in it.
    pub(super) history: History,
    /// Whether the writer before was cut off.
    pub(super) cut_off: bool,
    /// Whether the opening was written; otherwise something was left open before, or the message is not new.
    pub(super) opened: bool,
    /// Whether the message's id was taken before.
    pub(super) taken: bool,
}

/// Becomes the session's writer, and writes `opening` at once where the session is in order; waits while another gateway is.
pub(super) async fn acquire(
    gateway: &Gateway,
    message: &Incoming,
    opening: Step,
    events: &Events,
    patience_seconds: u32,
) -> Result<Acquired, Failure> {
    let patience = Duration::from_secs(u64::from(patience_seconds)).saturating_add(LEASE);
    let request = request(gateway, message, opening);
    let waiting = async {
        let mut told = false;
        loop {
            match gateway.ledger.acquire(request.clone()).await {
                Ok(response) => {
                    return Ok(Acquired {
                        history: History::of(&response.messages),
                        cut_off: !response.abandoned_by.is_empty(),
                        opened: response.opened,
                        taken: response.taken,
                        held: Held {
                            session: response.session,
                            fence: response.fence,
                        },
                    });
                }
                Err(LedgerError::SessionTaken) => {
                    if !std::mem::replace(&mut told, true) {
                        events.send(turn_event::Event::Queued(1)).await;
                    }
                    tokio::time::sleep(RETRY_EVERY).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::select! {
        held = waiting => held,
        () = events.closed() => Err(Failure::Cancelled),
        () = gateway.service.shutdown().requested() => Err(Failure::Draining),
        () = tokio::time::sleep(patience) => Err(Failure::QueueFull(1)),
    }
}

fn request(gateway: &Gateway, message: &Incoming, opening: Step) -> AcquireSessionRequest {
    AcquireSessionRequest {
        session: message.session.clone(),
        holder: gateway.replica.clone(),
        ttl_seconds: u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX),
        user: message.user.clone(),
        channel: message.channel.clone(),
        tail: WINDOW,
        opening: Some(opening),
    }
}

/// Renews the hold. Resolves when it is lost: taken by another, or not renewed within its length.
pub(super) async fn keep(context: &Context) {
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match context.gateway.ledger.renew(&context.held, LEASE).await {
            Ok(()) => renewed = Instant::now(),
            Err(LedgerError::Unreachable(_)) if renewed.elapsed() < LEASE => {}
            // The turn's last write was faster.
            Err(_) if context.is_ending() => return std::future::pending().await,
            Err(error) => {
                tracing::warn!(session = %context.held.session, error = %error, "the session's lease was lost");
                return;
            }
        }
    }
}

/// Gives the session back, where the turn's last write did not. If that fails, its lease runs out; and where the last write
/// failed it has to, so that whoever comes next knows that the turn was cut off.
pub(super) async fn release(context: &Context) {
    if context.is_ending() {
        return;
    }
    if let Err(error) = context.gateway.ledger.release(&context.held).await {
        tracing::debug!(session = %context.held.session, error = %error, "the session was not released");
    }
}
