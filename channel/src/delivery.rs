//! Messages to the bots' gateways, what happens meanwhile to the platform, and the answers to it.

mod answer;
mod gateways;

use std::pin::pin;
use std::time::Duration;

use monstrum_wire::chat::turn_event::Event;
use tokio::sync::mpsc;

pub use answer::{Answer, Undelivered};
pub(crate) use gateways::Gateways;

use crate::channel::Channel;
use crate::intake::Message;

/// Steps that may wait for the platform to show them; more are left out.
const MOST_STEPS: usize = 64;
/// How long an answer waits for what is still to be shown before it.
const LAST_STEPS: Duration = Duration::from_secs(2);
/// The reason of a decision that people have to make.
const APPROVAL_REQUIRED: &str = "ApprovalRequired";

impl Channel {
    /// Has a message answered. A slow platform holds up neither the turn nor, for long, its answer; and shows no step after it.
    pub(crate) async fn deliver(&self, message: &Message) -> Result<Answer, Undelivered> {
        let (steps, waiting) = mpsc::channel(MOST_STEPS);
        let mut showing = pin!(self.show(message, waiting));
        let mut answering = pin!(async move { self.gateways.deliver(message, &steps).await });
        tokio::select! {
            answer = &mut answering => {
                drop(tokio::time::timeout(LAST_STEPS, showing).await);
                answer
            }
            // No step comes any more when the answer is there, and not before.
            () = &mut showing => answering.await,
        }
    }

    async fn show(&self, message: &Message, mut waiting: mpsc::Receiver<Event>) {
        while let Some(step) = waiting.recv().await {
            match step {
                Event::Decision(decision) if decision.reason == APPROVAL_REQUIRED => {
                    self.platform.ask(message, &decision).await;
                }
                step => self.platform.progress(message, &step).await,
            }
        }
    }
}
