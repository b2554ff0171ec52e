//! Documents that are objects of this group.

use std::sync::Arc;

use kube::Resource as _;
use kube::core::ObjectMeta;
use monstrum_crds::kinds::{GROUP, VERSION};
use monstrum_crds::object::{Kind, Object};

use super::deserializer::{Misfit, read};
use super::error::{InputError, Spot};
use super::field::{place_of, place_of_pointer};
use super::node::{Node, Place};
use super::source::{Source, parse};

/// An object and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    /// The file that it is in.
    pub(crate) source: Arc<Source>,
    /// The text that it was read from.
    pub(crate) node: Node,
    /// The object.
    pub(crate) object: Object,
}

impl Manifest {
    /// Reads every object of this group in a file; others are none of our business. A `List` is opened.
    pub(crate) fn all(source: &Arc<Source>, namespace: &str) -> Result<Vec<Self>, InputError> {
        Self::each(source, namespace).into_iter().collect()
    }

    /// The same, with every document that is no such object.
    pub(crate) fn each(source: &Arc<Source>, namespace: &str) -> Vec<Result<Self, InputError>> {
        let mut found = Vec::new();
        match parse(&source.name, &source.text) {
            Ok(nodes) => nodes
                .into_iter()
                .for_each(|node| gather(source, node, namespace, &mut found)),
            Err(error) => found.push(Err(error)),
        }
        found
    }

    /// Reads an object that stands within another document.
    pub(crate) fn within(source: &Arc<Source>, node: Node, namespace: &str) -> Result<Vec<Self>, InputError> {
        let mut found = Vec::new();
        gather(source, node, namespace, &mut found);
        found.into_iter().collect()
    }

    /// Where a field is, such as `spec.grants[0].scope`.
    pub(crate) fn spot(&self, field: &str) -> Spot {
        Spot {
            source: Arc::clone(&self.source),
            place: place_of(&self.node, field),
        }
    }

    /// Where the value is that a JSON Pointer names.
    pub(crate) fn spot_of_pointer(&self, pointer: &str) -> Spot {
        Spot {
            source: Arc::clone(&self.source),
            place: place_of_pointer(&self.node, pointer),
        }
    }

    /// `Bot team-a/triage`.
    pub(crate) fn title(&self) -> String {
        title(&self.object)
    }
}

/// `Bot team-a/triage`.
pub(crate) fn title(object: &Object) -> String {
    match &object.meta().namespace {
        Some(namespace) if !is_cluster_wide(object.kind()) => {
            format!("{} {namespace}/{}", object.kind(), object.name())
        }
        _ => format!("{} {}", object.kind(), object.name()),
    }
}

/// Whether objects of this kind live outside namespaces.
pub(crate) fn is_cluster_wide(kind: Kind) -> bool {
    kind == Kind::ResourceType
}

fn gather(source: &Arc<Source>, node: Node, namespace: &str, found: &mut Vec<Result<Manifest, InputError>>) {
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
    if api_version == "v1" && kind == "List" {
        let items = node.get("items").map(Node::items).unwrap_or_default();
        for item in items {
            gather(source, item.clone(), namespace, found);
        }
    } else if api_version.split('/').next() == Some(GROUP) {
        found.push(object(source, &node, api_version, kind).map(|mut object| {
            if !is_cluster_wide(object.kind()) {
                meta_mut(&mut object)
                    .namespace
                    .get_or_insert_with(|| namespace.to_owned());
            }
            Manifest {
                source: Arc::clone(source),
                node: node.clone(),
                object,
            }
        }));
    }
}

fn at(source: &Arc<Source>, place: Place) -> Spot {
    Spot {
        source: Arc::clone(source),
        place,
    }
}

fn object(source: &Arc<Source>, node: &Node, api_version: &str, kind: &str) -> Result<Object, InputError> {
    if api_version != format!("{GROUP}/{VERSION}") {
        let spot = at(source, place_of(node, "apiVersion"));
        return Err(InputError::content(
            format!("there is no version {api_version}"),
            spot,
            format!("write {GROUP}/{VERSION}"),
        ));
    }
    let Some(known) = Kind::ALL.into_iter().find(|known| known.as_str() == kind) else {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        let spot = at(source, place_of(node, "kind"));
        return Err(InputError::content(
            format!("there is no kind {kind} in {GROUP}"),
            spot,
            format!("the kinds are {}", kinds.join(", ")),
        ));
    };
    typed(known, node).map_err(|misfit| {
        let spot = at(source, misfit.place.unwrap_or(node.place));
        let help = format!(
            "`kubectl explain {}` shows what a {kind} holds",
            kind.to_lowercase()
        );
        InputError::content(misfit.message, spot, help)
    })
}

fn typed(kind: Kind, node: &Node) -> Result<Object, Misfit> {
    Ok(match kind {
        Kind::ResourceType => Object::ResourceType(Box::new(read(node)?)),
        Kind::Workspace => Object::Workspace(Box::new(read(node)?)),
        Kind::ModelProvider => Object::ModelProvider(Box::new(read(node)?)),
        Kind::Credential => Object::Credential(Box::new(read(node)?)),
        Kind::Resource => Object::Resource(Box::new(read(node)?)),
        Kind::Bot => Object::Bot(Box::new(read(node)?)),
        Kind::BotRole => Object::BotRole(Box::new(read(node)?)),
        Kind::BotBinding => Object::BotBinding(Box::new(read(node)?)),
        Kind::Channel => Object::Channel(Box::new(read(node)?)),
    })
}

fn meta_mut(object: &mut Object) -> &mut ObjectMeta {
    match object {
        Object::ResourceType(object) => object.meta_mut(),
        Object::Workspace(object) => object.meta_mut(),
        Object::ModelProvider(object) => object.meta_mut(),
        Object::Credential(object) => object.meta_mut(),
        Object::Resource(object) => object.meta_mut(),
        Object::Bot(object) => object.meta_mut(),
        Object::BotRole(object) => object.meta_mut(),
        Object::BotBinding(object) => object.meta_mut(),
        Object::Channel(object) => object.meta_mut(),
    }
}
