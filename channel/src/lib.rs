//! A channel: signed webhooks in, a bot's answer out.
//!
//! A request goes through the same gates each time, and each of them refuses by itself: type and form of the signature → announced
//! size → a share of the budget for unverified bodies → signature over the raw bytes → time window → unpacking → JSON → route → who
//! may talk → replay store. Only then does a gateway hear of it.
//!
//! Every attempt of a sender is signed anew (Standard Webhooks: same `webhook-id`, new `webhook-timestamp`). An attempt
//! that comes again after it was answered is a replay and gets 200 or 202 and `{"status":"duplicate"}` without reaching a gateway; one that
//! was answered with a failure that may pass is taken as if it came for the first time. A new attempt of
//! the same message reaches it under the same message id, which the gateway runs once: it replays the answer, or goes
//! on where it was cut off.
//!
//! A message whose sender does not wait for the answer is kept by the ledger before it is answered with 202, in the write that
//! takes its attempt in the replay store, until the answer was sent.

mod admission;
pub mod args;
mod attempt;
mod callback;
mod config;
mod content;
mod delivery;
mod http;
mod inbox;
mod intake;
mod json;
mod ledger;
mod metrics;
mod route;
mod secret;
pub mod server;
mod signature;

pub use config::{Config, ConfigError};
pub use secret::SecretError;
pub use signature::sign;
