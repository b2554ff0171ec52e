//! Accepted messages: the ledger keeps each of them until its answer was sent, so that no process's end loses one.
//!
//! The process that accepts a message holds it by a lease that it renews. One whose lease ran out is taken up by whichever
//! process of the channel asks next. Delivering again is safe: the gateway runs a message once, by its id.

mod lease;
mod order;
mod takeover;

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::bounds::MAX_TEXT;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

pub(crate) use takeover::follow;

use crate::channel::Channel;
use crate::intake::{Attempt, Message, Refusal};
use crate::ledger::Kept;
use lease::LEASE;
use order::Place;

/// Messages that may be under way at once; more are turned away.
const MOST: usize = 256;

/// The room for messages that one process has under way.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// A message that this process delivers.
#[derive(Debug)]
pub(crate) struct Parcel {
    kept: Kept,
    age: Duration,
    message: Message,
    /// When the lease was asked for.
    held: Instant,
    /// Among the messages that this process has under way.
    _room: OwnedSemaphorePermit,
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Room {
    /// A place for one message, unless too many are under way.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

impl Channel {
    /// Takes the attempt once and has the message kept; nothing if the attempt was taken before.
    pub(crate) async fn accept(
        &self,
        Attempt { id, keep }: Attempt,
        message: Message,
    ) -> Result<Option<Parcel>, Refusal> {
        if message.text.len() > MAX_TEXT {
            return Err(Refusal::TooLong);
        }
        let room = self.room.place().ok_or(Refusal::Busy)?;
        let (held, scope) = (Instant::now(), self.scope());
        let fresh = self
            .ledger
            .accept_message(&scope, &id, keep, LEASE, (&message).into())
            .await?;
        Ok(fresh.then(|| Parcel {
            kept: Kept {
                scope,
                id,
                attempt: 1,
            },
            age: Duration::ZERO,
            message,
            held,
            _room: room,
        }))
    }

    /// Has the message answered, sends the answer, and lets the ledger forget it.
    async fn answer(&self, parcel: &Parcel, place: Place) {
        let place = place.reached().await;
        let answer = match self.hopeless(parcel) {
            Some(undelivered) => Err(undelivered),
            None => self.deliver(&parcel.message).await,
        };
        drop(place);
        self.send(&parcel.message, &answer).await;
        if let Err(error) = self.ledger.finish_message(&parcel.kept).await {
            tracing::warn!(id = parcel.kept.id, error = %error, "an answered message stays with the ledger; it is delivered again");
        }
    }
}

/// Delivers a message that was just accepted.
pub(crate) fn deliver(channel: &Arc<Channel>, parcel: Parcel) {
    deliver_at(channel, parcel, Place::default());
}

/// Delivers the message, when it is its turn, in a task that the process waits for when it stops.
fn deliver_at(channel: &Arc<Channel>, parcel: Parcel, place: Place) {
    let working = Arc::clone(channel);
    channel.service.spawn_quiet("message", async move {
        tokio::select! {
            () = working.answer(&parcel, place) => {}
            () = working.hold(&parcel) => {
                working.metrics.message("lost");
                tracing::warn!(id = parcel.kept.id, "the message's lease was lost; it is left to whoever takes it up");
            }
        }
    });
}
