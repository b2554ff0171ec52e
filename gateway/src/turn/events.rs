//! What the sender of a message sees of its turn, as it happens.

use std::time::Duration;

use monstrum_wire::chat::{TextDelta, TurnEvent, turn_event};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::providers::TextSink;

/// How long a slow reader may block its turn at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way to the sender.
#[derive(Debug, Clone)]
pub struct Events {
    sender: mpsc::Sender<Result<TurnEvent, Status>>,
    given_up: CancellationToken,
}

impl Events {
    /// Sends into a gRPC response stream.
    pub fn new(sender: mpsc::Sender<Result<TurnEvent, Status>>) -> Self {
        Self {
            sender,
            given_up: CancellationToken::new(),
        }
    }

    /// Waits for a slow reader, but not for ever; then the reader counts as gone.
    pub async fn send(&self, event: turn_event::Event) {
        if self.given_up.is_cancelled() {
            return;
        }
        let sending = self
            .sender
            .send_timeout(Ok(TurnEvent { event: Some(event) }), PATIENCE);
        if sending.await.is_err() {
            self.given_up.cancel();
        }
    }

    /// Sends text of the answer.
    pub async fn text(&self, text: &str) {
        self.send(turn_event::Event::Text(TextDelta {
            text: text.to_owned(),
        }))
        .await;
    }

    /// Resolves when nobody reads any more.
    pub async fn closed(&self) {
        tokio::select! {
            () = self.sender.closed() => {}
            () = self.given_up.cancelled() => {}
        }
    }
}

impl TextSink for Events {
    async fn text(&mut self, text: &str) {
        Self::text(self, text).await;
    }
}
