//! A channel: between one chat platform and the gateways of the bots that its routes name.
//!
//! What differs from platform to platform is one trait, [`Platform`](platform::Platform), and one folder of `platform/`. All the rest
//! is written once, and a message goes the same way whatever it came by:
//!
//! platform (verifies, and reads its own form) → [`intake`] (who may talk, by which route, in which conversation; each attempt of a
//! sender once) → inbox (the ledger keeps the message before the platform hears that it is taken) → delivery (to the bot's
//! gateway, as often as it takes; what happens meanwhile is shown on the platform) → platform (sends the answer).
//!
//! An attempt that comes again after it was answered is a replay and reaches no gateway; one that was answered with a failure that
//! may pass is taken as if it came for the first time. A new attempt of the same message reaches the gateway under the same message
//! id, which the gateway runs once: it replays the answer, or goes on where it was cut off.

pub mod args;
mod body;
mod channel;
mod delivery;
mod inbox;
pub mod intake;
mod ledger;
mod metrics;
pub mod platform;
pub mod secret;
pub mod server;
pub mod settings;
