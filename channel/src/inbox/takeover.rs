//! Messages that another process of the channel left.

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::ledger::ClaimedMessage;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::lease::LEASE;
use super::order::Order;
use super::{Parcel, deliver_at};
use crate::channel::Channel;
use crate::delivery::Undelivered;
use crate::intake::Recipient;
use crate::ledger::{Kept, LedgerError};

/// How often they are looked for.
const EVERY: Duration = Duration::from_secs(10);
/// Taken up in one request.
const BATCH: usize = 16;
/// After so many processes did not get it answered, a message is given up.
const MOST_ATTEMPTS: u32 = 5;
/// After so long, too.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

impl Parcel {
    fn claimed(scope: &str, claimed: ClaimedMessage, held: Instant, room: OwnedSemaphorePermit) -> Self {
        Self {
            kept: Kept {
                scope: scope.to_owned(),
                id: claimed.id,
                attempt: claimed.attempt,
            },
            age: Duration::from_secs(claimed.age_seconds),
            message: claimed.message.unwrap_or_default().into(),
            held,
            _room: room,
        }
    }
}

impl Channel {
    /// Why a message that was taken up is not delivered any more.
    pub(super) fn hopeless(&self, parcel: &Parcel) -> Option<Undelivered> {
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
        Some(Undelivered::new(code, message))
    }

    /// Whether the settings changed so that the message would not be accepted now.
    fn would_refuse(&self, parcel: &Parcel) -> bool {
        let mut recipients = self.routes.iter().map(Recipient::from);
        let routed = recipients.any(|recipient| recipient == parcel.message.bot);
        !routed || !self.talkers.may_talk(&parcel.message.user)
    }
}

/// Takes up, now and every so often, what other processes left.
pub(crate) fn follow(channel: Arc<Channel>) {
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
    let (scope, mut order) = (channel.scope(), Order::default());
    loop {
        let rooms: Vec<_> = std::iter::from_fn(|| channel.room.place()).take(BATCH).collect();
        let most = rooms.len();
        if most == 0 {
            return Ok(());
        }
        let held = Instant::now();
        let claimed = channel.ledger.claim_messages(&scope, LEASE, most).await?;
        let found = claimed.len();
        for (claimed, room) in claimed.into_iter().zip(rooms) {
            let parcel = Parcel::claimed(&scope, claimed, held, room);
            tracing::info!(
                id = parcel.kept.id,
                attempt = parcel.kept.attempt,
                "a message that was left is taken up"
            );
            channel.metrics.message("taken_up");
            let place = order.place(&parcel.message.bot, &parcel.message.session);
            deliver_at(channel, parcel, place);
        }
        if found < most {
            return Ok(());
        }
    }
}
