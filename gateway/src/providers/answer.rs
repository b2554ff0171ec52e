//! What models answer, read once for both dialects: leniently in the envelope, whose forms differ from server to server, and without
//! touching the arguments of a call, which the Guardian reads strictly.
//!
//! A [`Reader`] takes the bytes. What they are is seen from the first of them ([`sse`] or a document), not from what a header says.
//! Each piece is [`json`], in which [`fault`] looks for an error, and a dialect for parts of the answer; the [`assembler`] puts them
//! together, [`calls`] by calls and [`usage`] by counts, and [`ending`] says how it ended.

mod assembler;
mod calls;
mod ending;
mod fault;
mod json;
mod reader;
mod sse;
mod state;
mod text;
mod thinking;
mod usage;

pub(super) use assembler::Assembler;
pub(super) use calls::{Part, own_id};
pub(super) use ending::Reason;
pub(super) use fault::Fault;
pub(super) use json::Json;
pub(super) use reader::{Reader, Seen};
pub(super) use usage::tokens;
pub use usage::{Claim, Counted};

#[cfg(test)]
pub(super) mod testing;
