//! The request template of a tool, filled: `{/pointer}` stands for the value at that JSON Pointer in the canonical arguments.
//!
//! The template's text is searched for pointers once; values that are put in are never searched again.

pub(super) mod body;
mod text;

pub(super) use text::{Filling, Text};
