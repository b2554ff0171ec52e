//! Documents that mean to be objects of this group, before anybody looked at their fields.

use std::sync::Arc;

use monstrum_crds::kinds::{GROUP, VERSION};
use monstrum_crds::object::Kind;

use super::error::{InputError, Spot};
use super::field::{place_of, place_of_pointer};
use super::node::{Node, Place};
use super::source::{Source, parse};

/// A document that says to be one of our kinds.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The file that it is in.
    source: Arc<Source>,
    /// What it says.
    pub(crate) node: Node,
    /// What it says to be.
    pub(crate) kind: Kind,
}

impl Document {
    /// Every document of a file that says to be of this group; others are none of our business, but for lists, which are opened.
    pub(crate) fn each(source: &Arc<Source>) -> Vec<Result<Self, InputError>> {
        match parse(&source.name, &source.text) {
            Ok(nodes) => nodes
                .into_iter()
                .flat_map(|node| Self::within(source, node))
                .collect(),
            Err(error) => vec![Err(error)],
        }
    }

    /// The same of one part of a file.
    pub(crate) fn within(source: &Arc<Source>, node: Node) -> Vec<Result<Self, InputError>> {
        let mut found = Vec::new();
        gather(source, node, &mut found);
        found
    }

    /// Where a field is, such as `spec.grants[0].scope`.
    pub(crate) fn spot(&self, field: &str) -> Spot {
        at(&self.source, place_of(&self.node, field))
    }

    /// Where the value is that a JSON Pointer names.
    pub(crate) fn spot_of_pointer(&self, pointer: &str) -> Spot {
        at(&self.source, place_of_pointer(&self.node, pointer))
    }

    /// Where something is within the file.
    pub(crate) fn spot_of(&self, place: Place) -> Spot {
        at(&self.source, place)
    }

    /// A text of its metadata.
    pub(crate) fn meta(&self, key: &str) -> Option<&str> {
        self.node.get("metadata")?.get(key)?.text()
    }
}

fn at(source: &Arc<Source>, place: Place) -> Spot {
    Spot {
        source: Arc::clone(source),
        place,
    }
}

fn gather(source: &Arc<Source>, node: Node, found: &mut Vec<Result<Document, InputError>>) {
    // A policy test lies beside the objects that it is about.
    if node.get("kind").is_none() && node.get("tests").is_some() {
        return;
    }
    let text = |key: &str| node.get(key).and_then(Node::text);
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else {
        found.push(Err(InputError::content(
            "this is no Kubernetes object: it needs apiVersion and kind",
            at(source, node.place),
            format!("objects of this group have apiVersion {GROUP}/{VERSION}"),
        )));
        return;
    };
    let is_ours = is_ours(api_version);
    if let Some(items) = node.list().filter(|_| !is_ours || kind == "List") {
        let is_something = |item: &&Node| item.get("kind").is_some() || item.get("apiVersion").is_some();
        // What says nothing of itself is what the list says, and so none of ours.
        for item in items.iter().filter(|item| is_ours || is_something(item)) {
            gather(source, item.clone(), found);
        }
    } else if is_ours {
        let kind = known(source, &node, api_version, kind);
        found.push(kind.map(|kind| Document {
            source: Arc::clone(source),
            node,
            kind,
        }));
    }
}

/// Whether it is of this group, or was meant to be: an object that is skipped because of a slip would be found right.
fn is_ours(api_version: &str) -> bool {
    api_version.contains("monstrum") || api_version == VERSION
}

fn known(source: &Arc<Source>, node: &Node, api_version: &str, kind: &str) -> Result<Kind, InputError> {
    if api_version != format!("{GROUP}/{VERSION}") {
        return Err(InputError::content(
            format!("there is no apiVersion {api_version}"),
            at(source, place_of(node, "apiVersion")),
            format!("write {GROUP}/{VERSION}"),
        ));
    }
    Kind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| {
            let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            InputError::content(
                format!("there is no kind {kind} in {GROUP}"),
                at(source, place_of(node, "kind")),
                format!("the kinds are {}", kinds.join(", ")),
            )
        })
}
