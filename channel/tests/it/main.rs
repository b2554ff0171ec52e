//! A channel from the outside, with a gateway and everything around it.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::pedantic,
    reason = "tests and their support"
)]

mod process;
mod toy;
mod webhook;
mod webhook_again;
mod webhook_forms;
mod webhook_inbox;
mod webhook_libraries;
mod webhook_strangers;

use monstrum_testbed as support;
