//! Our reader beside the one that the API server's clients have: the same value, or a refusal.
//!
//! `tests/clients` is a small Go program around `kubectl`'s own decoder. It is built once for each state of its sources.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "test code: a failure here is a failed test"
)]

mod clients;
mod corpus;

use serde_json::Value;

use crate::files::node::Node;

/// What we make of a text, and whether all of it means what it seems to.
fn ours(text: &str) -> Option<(Vec<Value>, bool)> {
    let nodes = super::read(text).ok()?;
    let is_plain = nodes.iter().all(|node| node.remark().is_none());
    Some((nodes.iter().map(Node::to_value).collect(), is_plain))
}

/// What our reader may take that clients refuse.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    Nothing,
    /// Anything, as long as nobody reads another value in it.
    Refused,
}

/// Every text is read alike or not at all; how many were read.
fn compared(texts: &[String], beyond: Beyond) -> usize {
    let mut wrong = Vec::new();
    let mut read: usize = 0;
    for (text, theirs) in texts.iter().zip(clients::read(texts)) {
        let Some((ours, is_plain)) = ours(text) else {
            continue;
        };
        read += usize::from(is_plain);
        let is_told = is_plain && beyond == Beyond::Nothing;
        if theirs.as_ref() != Some(&ours) && (is_told || theirs.is_some()) {
            wrong.push(format!("{text:?}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} read otherwise:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
    read
}

#[test]
fn scalars_mean_what_they_mean_to_clients() {
    let texts = corpus::scalars();
    assert!(compared(&texts, Beyond::Nothing) > texts.len() / 2);
}

#[test]
fn documents_mean_what_they_mean_to_clients() {
    let texts = corpus::documents();
    assert!(compared(&texts, Beyond::Nothing) > texts.len() / 2);
}

#[test]
fn damaged_documents_mean_what_they_mean_to_clients() {
    let texts = corpus::damaged();
    assert!(compared(&texts, Beyond::Refused) > texts.len() / 10);
}

/// A reader that refuses everything would pass the others.
#[test]
fn ordinary_texts_are_read() {
    for text in corpus::ORDINARY {
        assert!(
            ours(text).is_some_and(|(_, is_plain)| is_plain),
            "{text:?}: {:?}",
            super::read(text)
        );
    }
}
