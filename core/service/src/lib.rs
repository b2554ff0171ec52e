//! What every process of Monstrum shares: flags, telemetry, the admin port, readiness, supervised tasks, draining,
//! listeners, mutual TLS with identities, and how the ledger is asked.
//!
//! The order of a process's life is the same everywhere: flags → telemetry → admin port → readiness tokens → work →
//! unready → drain → stop. [`run`] keeps it.

mod admin;
mod args;
pub mod authority;
pub mod json;
pub mod ledger;
pub mod listener;
mod process;
mod readiness;
mod roster;
mod shutdown;
mod telemetry;
pub mod tls;

pub use args::{ServiceArgs, TlsArgs};
pub use listener::Incoming;
pub use process::{Service, install_crypto, run};
pub use readiness::{Readiness, Token};
pub use roster::{Admission, Changes, Roster, RosterError};
pub use shutdown::Shutdown;
pub use tls::{Channel, Connections, Peer, Pem, ServerTls, Tls, TlsError, peer};
