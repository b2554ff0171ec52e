//! Executes calls that a gateway's guardian permitted, and nothing else.
//!
//! A runner dials each of its bot's gateways (`gateways`, `link`), says which executors it has, and gets one [`call`] after the other. It decides
//! nothing about permission: what arrives is the canonical value that was judged, and an [`executor`] performs exactly
//! that. What only shows while a call runs (where a name resolves to, where a redirect points, what a process
//! reaches for) is guarded here.

pub mod args;
mod backoff;
pub mod call;
pub mod executor;
mod gateways;
mod install;
mod link;
mod metrics;
mod presence;
mod process;

pub use metrics::Metrics;
pub use process::{main, start};
