//! Accepted messages: the ledger keeps each of them until its answer was sent, so that no process's end loses one.
//!
//! The process that accepts a message holds it by a lease that it renews. One whose lease ran out is taken up by whichever
//! process of the channel asks next. Delivering again is safe: the gateway runs a message once, by its id.

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::chat::SendRequest;
use monstrum_wire::ledger::{AcceptedMessage, ClaimedMessage};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Channel;
use super::admission::{Attempt, Refused};
use super::delivery::Undelivered;
use super::route::{Routed, may_talk};
use crate::ledger::{Kept, LedgerError};
use crate::turn::MAX_TEXT;

const LEASE: Duration = Duration::from_secs(30);
const RENEW: Duration = Duration::from_secs(10);
/// How often messages that nobody delivers are looked for.
const EVERY: Duration = Duration::from_secs(10);
/// Taken up in one request.
const BATCH: usize = 16;
/// After so many processes did not get it answered, a message is given up.
const MOST_ATTEMPTS: u32 = 5;
/// After so long, too.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A message that this process delivers.
#[derive(Debug)]
pub(super) struct Parcel {
    kept: Kept,
    age: Duration,
    bot: String,
    request: SendRequest,
    /// When the lease was asked for.
    held: Instant,
    _place: OwnedSemaphorePermit,
}

impl Parcel {
    fn claimed(scope: &str, claimed: ClaimedMessage, held: Instant, place: OwnedSemaphorePermit) -> Self {
        let message = claimed.message.unwrap_or_default();
        Self {
            kept: Kept {
                scope: scope.to_owned(),
                id: claimed.id,
                attempt: claimed.attempt,
            },
            age: Duration::from_secs(claimed.age_seconds),
            bot: message.bot,
            request: SendRequest {
                session: message.session,
                text: message.text,
                user: message.user,
                message_id: message.message_id,
            },
            held,
            _place: place,
        }
    }
}

impl Channel {
    /// Takes the attempt once and has the message kept; nothing if the attempt was taken before.
    pub(super) async fn accept(&self, attempt: Attempt, routed: Routed) -> Result<Option<Parcel>, Refused> {
        if routed.request.text.len() > MAX_TEXT {
            return Err(Refused::TooLong);
        }
        let place = self.callbacks.place().ok_or(Refused::Busy)?;
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
            _place: place,
        }))
    }

    /// Has the message answered, sends the answer, and lets the ledger forget it.
    async fn answer(&self, parcel: &Parcel) {
        let outcome = match self.hopeless(parcel) {
            Some(undelivered) => Err(undelivered),
            None => self.gateways.deliver(&parcel.bot, &parcel.request).await,
        };
        self.call_back(&parcel.request.message_id, outcome).await;
        if let Err(error) = self.ledger.finish_message(&parcel.kept).await {
            tracing::warn!(id = parcel.kept.id, error = %error, "an answered message stays with the ledger; it is delivered again");
        }
    }

    /// Why a message that was taken up is not delivered any more.
    fn hopeless(&self, parcel: &Parcel) -> Option<Undelivered> {
        if parcel.kept.attempt == 1 {
            return None;
        }
        let (id, attempt) = (&parcel.kept.id, parcel.kept.attempt);
        let (code, message) = if attempt > MOST_ATTEMPTS || parcel.age > LONGEST_WAIT {
            tracing::error!(id, attempt, age = ?parcel.age, "the message is given up");
            self.metrics.message("given_up");
            ("GivenUp", "The bot could not answer this message. Send it again.")
        } else if self.would_refuse(parcel) {
            tracing::warn!(
                id,
                "the settings changed since the message was accepted; it is refused now"
            );
            self.metrics.message("refused");
            ("Refused", "The bot does not take this message any more.")
        } else {
            return None;
        };
        Some(Undelivered {
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// Whether the settings changed so that the message would not be accepted now.
    fn would_refuse(&self, parcel: &Parcel) -> bool {
        let routed = self.config.routes.iter().any(|route| route.bot == parcel.bot);
        !routed || !may_talk(&self.config, &parcel.request.user)
    }

    /// Renews the hold; returns when it is lost.
    async fn hold(&self, parcel: &Parcel) {
        let mut since = parcel.held;
        loop {
            let left = LEASE.saturating_sub(since.elapsed());
            match tokio::time::timeout(left, self.renew(&parcel.kept)).await {
                Ok(Some(asked)) => since = asked,
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// When the hold was renewed; nothing if the ledger refuses it.
    async fn renew(&self, kept: &Kept) -> Option<Instant> {
        loop {
            tokio::time::sleep(RENEW).await;
            let asked = Instant::now();
            match self.ledger.renew_message(kept, LEASE).await {
                Ok(()) => return Some(asked),
                Err(LedgerError::Unreachable(_)) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Delivers the message in a task that the process waits for when it stops.
pub(super) fn deliver(channel: &Arc<Channel>, parcel: Parcel) {
    let working = Arc::clone(channel);
    channel.service.spawn_quiet("message", async move {
        tokio::select! {
            () = working.answer(&parcel) => {}
            () = working.hold(&parcel) => {
                working.metrics.message("lost");
                tracing::warn!(id = parcel.kept.id, "the message's lease was lost; it is left to whoever takes it up");
            }
        }
    });
}

/// Takes up, now and every so often, what other processes left.
pub(super) fn follow(channel: Arc<Channel>) {
    let service = channel.service.clone();
    service.spawn_quiet("inbox", async move {
        loop {
            if let Err(error) = take_up(&channel).await {
                tracing::warn!(error = %error, "messages that were left can't be looked for");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = channel.service.shutdown().requested() => return,
            }
        }
    });
}

/// Takes up as much as there is room for.
async fn take_up(channel: &Arc<Channel>) -> Result<(), LedgerError> {
    let scope = channel.scope();
    loop {
        let places: Vec<_> = std::iter::from_fn(|| channel.callbacks.place())
            .take(BATCH)
            .collect();
        let room = places.len();
        if room == 0 {
            return Ok(());
        }
        let held = Instant::now();
        let claimed = channel.ledger.claim_messages(&scope, LEASE, room).await?;
        let found = claimed.len();
        for (claimed, place) in claimed.into_iter().zip(places) {
            let parcel = Parcel::claimed(&scope, claimed, held, place);
            tracing::info!(
                id = parcel.kept.id,
                attempt = parcel.kept.attempt,
                "a message that was left is taken up"
            );
            channel.metrics.message("taken_up");
            deliver(channel, parcel);
        }
        if found < room {
            return Ok(());
        }
    }
}

fn kept_form(routed: &Routed) -> AcceptedMessage {
    let request = routed.request.clone();
    AcceptedMessage {
        bot: routed.bot.clone(),
        session: request.session,
        user: request.user,
        text: request.text,
        message_id: request.message_id,
    }
}
