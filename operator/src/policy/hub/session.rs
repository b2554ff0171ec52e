//! One gateway's subscription.

use std::sync::Arc;

use monstrum_wire::identity::BotId;
use monstrum_wire::policy::Ack;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Hub, Published};
use crate::roster::Around;

/// One gateway's subscription; it ends when dropped.
pub struct Session {
    hub: Arc<Hub>,
    bot: BotId,
    replica: String,
    id: u64,
    published: watch::Receiver<Arc<Published>>,
    around: watch::Receiver<Arc<Around>>,
    superseded: CancellationToken,
}

/// What a gateway is told of, in the order in which it must be.
pub(crate) enum News {
    /// Another policy.
    Policy,
    /// Others may call it, or others are by other certificates.
    Callers,
    /// A later stream has taken its place.
    Superseded,
}

impl Session {
    pub(super) fn new(
        hub: Arc<Hub>,
        (bot, replica, id): (BotId, String, u64),
        published: watch::Receiver<Arc<Published>>,
        around: watch::Receiver<Arc<Around>>,
        superseded: CancellationToken,
    ) -> Self {
        Self {
            hub,
            bot,
            replica,
            id,
            published,
            around,
            superseded,
        }
    }

    /// Who may call the gateway, as it is now.
    pub(crate) fn around(&mut self) -> Arc<Around> {
        Arc::clone(&self.around.borrow_and_update())
    }

    /// Whether the bot is gone: what was published last is the last.
    pub fn is_dismissed(&self) -> bool {
        let state = self.hub.state();
        state.bots.get(&self.bot).is_none_or(|entry| entry.withdrawn)
    }

    /// The policy as it is now; a later change is told by [`Session::news`].
    pub fn current(&mut self) -> Arc<Published> {
        Arc::clone(&self.published.borrow_and_update())
    }

    /// What comes next. A policy that permits less comes before anything else.
    pub(crate) async fn news(&mut self) -> News {
        let ended =
            |outcome: Result<(), watch::error::RecvError>, news| outcome.map_or(News::Superseded, |()| news);
        tokio::select! {
            biased;
            () = self.superseded.cancelled() => News::Superseded,
            changed = self.published.changed() => ended(changed, News::Policy),
            changed = self.around.changed() => ended(changed, News::Callers),
        }
    }

    /// Notes which version of the program the gateway runs, where that is another one than this operator's.
    pub fn runs(&self, program: &str) {
        let ours = env!("CARGO_PKG_VERSION");
        if program == ours {
            return;
        }
        tracing::warn!(bot = %self.bot, replica = %self.replica, %program, %ours, "a gateway runs another version than this operator");
        let mut state = self.hub.state();
        let replica = state
            .bots
            .get_mut(&self.bot)
            .and_then(|entry| entry.replicas.get_mut(&self.replica));
        if let Some(replica) = replica.filter(|replica| replica.session == self.id) {
            replica.other_program = Some(program.to_owned());
        }
        drop(state);
        self.hub.changed(&self.bot);
    }

    /// Notes what the gateway made of a policy that it was sent.
    pub fn acknowledge(&self, ack: Ack) {
        let mut state = self.hub.state();
        let Some(entry) = state.bots.get_mut(&self.bot) else {
            return;
        };
        let current = Arc::clone(&entry.published.borrow());
        let Some(replica) = entry
            .replicas
            .get_mut(&self.replica)
            .filter(|replica| replica.session == self.id)
        else {
            return;
        };
        if replica.digest == ack.digest && replica.fault == ack.fault {
            return;
        }
        self.hub.metrics.acknowledged(ack.fault.is_empty());
        if ack.digest == current.digest && ack.fault.is_empty() {
            self.hub
                .metrics
                .change_to_enforced
                .observe(current.since.elapsed().as_secs_f64());
        }
        replica.digest = ack.digest;
        replica.fault = ack.fault;
        drop(state);
        self.hub.changed(&self.bot);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(entry) = state.bots.get_mut(&self.bot)
            && entry
                .replicas
                .get(&self.replica)
                .is_some_and(|replica| replica.session == self.id)
        {
            entry.replicas.remove(&self.replica);
        }
        state.forget_if_unused(&self.bot);
        drop(state);
        self.hub.changed(&self.bot);
    }
}
