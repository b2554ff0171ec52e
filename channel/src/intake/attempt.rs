//! One attempt of a sender that waits for the answer. It counts as taken only once it was answered or refused for good: what
//! was answered with a failure that may pass can be sent again as it is, and is then answered.

use std::sync::Arc;
use std::time::Duration;

use monstrum_wire::ledger::OnceState;

use super::Refusal;
use crate::channel::Channel;

/// How long an attempt is held without being renewed: as long as it takes until an attempt of a process that went can be made again.
const HOLD: Duration = Duration::from_secs(30);
const RENEW: Duration = Duration::from_secs(10);

/// An attempt to send a message, as the replay store knows it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Which attempt: the platform's id of it. Where a platform sends each message once, or tells attempts not apart, the message's.
    pub id: String,
    /// How long it is remembered: longer than the platform repeats it.
    pub keep: Duration,
}

/// The hold of an attempt that is under way. Dropped, for example because the sender has gone, it gives the attempt back.
#[derive(Debug)]
pub(crate) struct Held {
    channel: Arc<Channel>,
    attempt: Option<Attempt>,
}

impl Held {
    /// Holds an attempt; nothing if it was answered before.
    pub(crate) async fn take(channel: &Arc<Channel>, attempt: Attempt) -> Result<Option<Self>, Refusal> {
        match channel
            .ledger
            .hold_once(&channel.scope(), &attempt.id, HOLD)
            .await?
        {
            OnceState::Fresh => Ok(Some(Self {
                channel: Arc::clone(channel),
                attempt: Some(attempt),
            })),
            OnceState::Taken => Ok(None),
            OnceState::Held => Err(Refusal::UnderWay),
            OnceState::Unspecified => Err(Refusal::NoReplayStore),
        }
    }

    /// Does work while the attempt is held.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            never = self.renew() => match never {},
        }
    }

    async fn renew(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(RENEW).await;
            let Some(Attempt { id, .. }) = &self.attempt else {
                return std::future::pending().await;
            };
            let scope = self.channel.scope();
            if let Err(error) = self.channel.ledger.renew_hold(&scope, id, HOLD).await {
                // The gateway runs a message once, so that nothing worse happens than that it is asked twice.
                tracing::warn!(error = %error, "an attempt under way is not held any more");
            }
        }
    }

    /// The attempt is done with: it is a replay when it comes again.
    pub(crate) async fn settle(mut self) {
        if let Some(attempt) = self.attempt.take() {
            let keep = attempt.keep;
            self.channel.end_hold(attempt, keep).await;
        }
    }

    /// The attempt came to nothing, and can be made again.
    pub(crate) async fn give_back(mut self) {
        if let Some(attempt) = self.attempt.take() {
            self.channel.end_hold(attempt, Duration::ZERO).await;
        }
    }
}

impl Channel {
    async fn end_hold(&self, Attempt { id, .. }: Attempt, keep: Duration) {
        if let Err(error) = self.ledger.settle_once(&self.scope(), &id, keep).await {
            tracing::warn!(id, error = %error, "what came of an attempt is not kept; its hold runs out by itself");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(attempt) = self.attempt.take() else {
            return;
        };
        let channel = Arc::clone(&self.channel);
        self.channel.service.spawn_quiet("attempt", async move {
            channel.end_hold(attempt, Duration::ZERO).await;
        });
    }
}
