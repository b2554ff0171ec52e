//! What became of a message, and its way to the platform.

use std::time::Duration;

use crate::channel::Channel;
use crate::intake::Message;
use crate::platform::Unsent;

/// Pauses before an answer is sent again.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];
/// Failures that would be the same again; `Duplicate` was answered before.
const LASTING: [&str; 4] = ["Duplicate", "InvalidMessage", "SessionRefused", "Refused"];

/// A bot's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its conversation, as the gateway knows it.
    pub session: String,
    /// The whole of it.
    pub text: String,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The closed code.
    pub code: String,
    /// One clear sentence.
    pub message: String,
}

impl Undelivered {
    pub(crate) fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Whether the message may be answered when it comes again.
    pub(crate) fn may_pass(&self) -> bool {
        !LASTING.contains(&self.code.as_str())
    }
}

impl Channel {
    /// Sends the answer to a message, or why there is none. Given up after a minute.
    pub(crate) async fn send(&self, message: &Message, answer: &Result<Answer, Undelivered>) {
        let id = &message.id;
        let mut pauses = PAUSES.into_iter();
        loop {
            let unsent = match self.platform.send(message, answer).await {
                Ok(()) => return self.metrics.answer("delivered"),
                Err(unsent) => unsent,
            };
            let pause = match (unsent, pauses.next()) {
                (Unsent::Later(reason), Some(pause)) => {
                    tracing::info!(id, error = %reason, "the answer was not sent; it is sent again");
                    pause
                }
                (Unsent::Later(reason), None) => {
                    tracing::error!(id, error = %reason, "the answer was given up");
                    return self.metrics.answer("given_up");
                }
                (Unsent::Refused(reason), _) => {
                    tracing::error!(id, error = %reason, "the answer was refused");
                    return self.metrics.answer("refused");
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}
