//! YAML as the clients of the API server read it, or not at all.
//!
//! `kubectl`, Helm, Argo CD and Flux read with `sigs.k8s.io/yaml`, which is of YAML 1.1: `017` is fifteen there and `no` is
//! false. Whoever judges files must judge what is going to be applied. So every scalar is resolved by that module's rules
//! ([`scalar`]); what the module drops, refuses or settles by chance is refused ([`stream`], [`tree`]); and what it reads
//! otherwise than a person would is read likewise, with a remark that keeps it out of our own objects.

mod dialect;
mod scalar;
mod stream;
mod tree;

#[cfg(test)]
mod differential;

use super::node::{Node, Place};

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is wrong.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: String,
    /// Where.
    pub(super) place: Place,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<String>, place: Place) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
            place,
        }
    }
}

/// The documents of a text. Empty ones are left out.
pub(super) fn read(text: &str) -> Result<Vec<Node>, Refusal> {
    stream::check(text)?;
    tree::documents(text, stream::is_json(text))
}
