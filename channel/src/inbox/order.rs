//! The order of one conversation's messages: a gateway ends the turn of a message when a later one gets in before it went on.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::intake::Recipient;

/// The last place of each conversation, by bot and session.
#[derive(Debug, Default)]
pub(super) struct Order(HashMap<(Recipient, String), oneshot::Receiver<()>>);

/// A message's place behind another one; it ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Place {
    before: Option<oneshot::Receiver<()>>,
    _mine: Option<oneshot::Sender<()>>,
}

impl Order {
    /// A place behind all that were given for this conversation.
    pub(super) fn place(&mut self, bot: &Recipient, session: &str) -> Place {
        let (mine, behind) = oneshot::channel();
        Place {
            before: self.0.insert((bot.clone(), session.to_owned()), behind),
            _mine: Some(mine),
        }
    }
}

impl Place {
    /// Waits until the place before has ended.
    pub(super) async fn reached(mut self) -> Self {
        if let Some(before) = self.before.take() {
            // Nothing is ever sent: the sender's end is the signal.
            drop(before.await);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn to(name: &str) -> Recipient {
        Recipient {
            name: name.to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".to_owned(),
        }
    }

    #[test]
    fn a_conversations_messages_go_one_by_one() {
        let mut order = Order::default();
        let first = order.place(&to("triage"), "a").reached().now_or_never().unwrap();
        let mut second = Box::pin(order.place(&to("triage"), "a").reached());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn conversations_do_not_wait_for_each_other() {
        let mut order = Order::default();
        let _first = order.place(&to("triage"), "a");
        for (bot, session) in [("triage", "b"), ("scribe", "a")] {
            assert!(order.place(&to(bot), session).reached().now_or_never().is_some());
        }
        assert!(Place::default().reached().now_or_never().is_some());
    }
}
