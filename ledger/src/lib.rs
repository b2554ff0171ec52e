//! The ledger: all durable state of the installation, every row of it one bot's.
//!
//! A gateway's certificate says which bot it serves (which object, not which name), and that bot's rows are all that it
//! reaches: no request can name another. Whether that object lives, and whether the certificate is the one issued last, the
//! operator says ([`enrolment`]); without its word nobody is answered. Audit records form a hash chain per bot; whatever is answered is on disk.
//!
//! [`api`] is the contract of `monstrum.ledger.v1` over [`store`], which one database implements so far. `chain` and
//! `excerpt` are pure: how a record takes its place, and how it is kept within its bounds.

pub mod api;
pub mod chain;
pub mod clock;
pub mod command;
pub mod enrolment;
pub mod excerpt;
pub mod maintenance;
pub mod metrics;
mod serve;
pub mod store;
pub mod tenant;
