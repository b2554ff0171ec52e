//! The ledger: all durable state of the installation, every row of it one bot's.
//!
//! A gateway's certificate says which bot it serves (which object, not which name), and that bot's rows are all that it
//! reaches: no request can name another. Whether that object lives, and whether the certificate is the one issued last, the
//! operator says ([`enrolment`]); without its word nobody is answered. Audit records form a hash chain per bot; whatever is answered is on disk.
//!
//! A folder per table: `store.rs` is the interface that every database implements, `rules.rs` what may follow what (pure, so
//! that no database has rules of its own), `sqlite.rs` the rows, `api.rs` the requests. [`store`] puts the tables together,
//! [`sqlite`] is the database, [`api`] what all requests share.

pub mod api;
pub mod audit;
pub mod call;
pub mod clock;
pub mod command;
pub mod enrolment;
pub mod inbox;
pub mod metrics;
pub mod once;
pub mod quota;
mod serve;
pub mod session;
pub mod sqlite;
pub mod store;
pub mod tenant;
pub mod upkeep;
pub mod usage;
