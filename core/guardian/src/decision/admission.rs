//! The question before a request to the model.

use super::{Denial, Reservation};

/// What a request to the model can use at most. An upper bound: what is settled afterwards is never more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Input and output together.
    pub tokens: u64,
    /// What they cost, in millionths of a US dollar.
    pub micro_usd: u64,
}

/// Whether a request to the model may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may, once this is reserved; empty when nothing that the model uses is limited.
    Admitted(Vec<Reservation>),
    /// It may not.
    Denied(Denial),
}
