//! What processes agree on that share no crate otherwise: settings that the operator writes and another process reads.
//!
//! **Architecture invariant:** everything here is pure.

pub mod channel;
pub mod egress;
