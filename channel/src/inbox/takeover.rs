//! Messages that another process of the channel left.

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::chat::SendRequest;
use monstrum_wire::ledger::ClaimedMessage;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::lease::LEASE;
use super::order::Order;
use super::{Parcel, deliver_at};
use crate::delivery::Undelivered;
use crate::ledger::{Kept, LedgerError};
use crate::route::{Recipient, may_talk};
use crate::server::Channel;

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
        let message = claimed.message.unwrap_or_default();
        Self {
            kept: Kept {
                scope: scope.to_owned(),
                id: claimed.id,
                attempt: claimed.attempt,
            },
            age: Duration::from_secs(claimed.age_seconds),
            bot: Recipient {
                name: message.bot,
                uid: message.bot_uid,
            },
            request: SendRequest {
                session: message.session,
                text: message.text,
                user: message.user,
                message_id: message.message_id,
                images: Vec::new(),
            },
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
        Some(Undelivered {
            code: code.to_owned(),
            message: message.to_owned(),
        })
    }

    /// Whether the settings changed so that the message would not be accepted now.
    fn would_refuse(&self, parcel: &Parcel) -> bool {
        let routed = self
            .config
            .routes
            .iter()
            .any(|route| route.recipient() == parcel.bot);
        !routed || !may_talk(&self.config, &parcel.request.user)
    }
}

/// Takes up, now and every so often, what other processes left.
pub(in crate::channel) fn follow(channel: Arc<Channel>) {
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
        let rooms: Vec<_> = std::iter::from_fn(|| channel.callbacks.place())
            .take(BATCH)
            .collect();
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
            let place = order.place(&parcel.bot, &parcel.request.session);
            deliver_at(channel, parcel, place);
        }
        if found < most {
            return Ok(());
        }
    }
}
