//! The contract between Monstrum's processes: protobuf messages, gRPC services, and the few pure rules that
//! both ends of a wire must agree on (who an identity is, what a digest covers, how the audit chain hashes).

pub mod audit;
pub mod bounds;
pub mod identity;
mod proto;
pub mod snapshot;

pub use proto::{DESCRIPTORS, chat, guardian, ledger, policy, runner};
