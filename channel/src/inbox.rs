//! Accepted messages: the ledger keeps each of them until its answer was sent, so that no process's end loses one.
//!
//! The process that accepts a message holds it by a lease that it renews. One whose lease ran out is taken up by whichever
//! process of the channel asks next. Delivering again is safe: the gateway runs a message once, by its id.

mod lease;
mod order;
mod takeover;

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::chat::SendRequest;
use monstrum_wire::ledger::AcceptedMessage;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

pub(crate) use takeover::follow;

use crate::admission::Refused;
use crate::attempt::Attempt;
use crate::ledger::Kept;
use crate::route::{Recipient, Routed};
use crate::server::Channel;
use lease::LEASE;
use monstrum_wire::bounds::MAX_TEXT;
use order::Place;

/// A message that this process delivers.
#[derive(Debug)]
pub(crate) struct Parcel {
    kept: Kept,
    age: Duration,
    bot: Recipient,
    request: SendRequest,
    /// When the lease was asked for.
    held: Instant,
    /// Among the messages that this process has under way.
    _room: OwnedSemaphorePermit,
}

impl Channel {
    /// Takes the attempt once and has the message kept; nothing if the attempt was taken before.
    pub(crate) async fn accept(&self, attempt: Attempt, routed: Routed) -> Result<Option<Parcel>, Refused> {
        if routed.request.text.len() > MAX_TEXT {
            return Err(Refused::TooLong);
        }
        let room = self.callbacks.place().ok_or(Refused::Busy)?;
        let held = Instant::now();
        let message = kept_form(&routed);
        let Attempt { scope, id, keep } = attempt;
        let fresh = self
            .ledger
            .accept_message(&scope, &id, keep, LEASE, message)
            .await?;
        Ok(fresh.then(|| Parcel {
            kept: Kept {
                scope,
                id,
                attempt: 1,
            },
            age: Duration::ZERO,
            bot: routed.bot,
            request: routed.request,
            held,
            _room: room,
        }))
    }

    /// Has the message answered, sends the answer, and lets the ledger forget it.
    async fn answer(&self, parcel: &Parcel, place: Place) {
        let place = place.reached().await;
        let outcome = match self.hopeless(parcel) {
            Some(undelivered) => Err(undelivered),
            None => self.gateways.deliver(&parcel.bot, &parcel.request).await,
        };
        drop(place);
        self.call_back(&parcel.request.message_id, outcome).await;
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

fn kept_form(routed: &Routed) -> AcceptedMessage {
    let request = routed.request.clone();
    AcceptedMessage {
        bot: routed.bot.name.clone(),
        bot_uid: routed.bot.uid.clone(),
        session: request.session,
        user: request.user,
        text: request.text,
        message_id: request.message_id,
    }
}
