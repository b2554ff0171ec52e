//! Documents that are objects of this group.

use std::sync::Arc;

use kube::Resource as _;
use kube::core::ObjectMeta;
use monstrum_crds::object::{Kind, Object};

use super::deserializer::{Misfit, read};
use super::document::Document;
use super::error::{InputError, Spot};
use super::node::Node;
use super::source::Source;

/// An object and where it was written.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    /// The text that it was read from.
    document: Document,
    /// The object.
    pub(crate) object: Object,
}

impl Manifest {
    /// Reads every object of this group in a file; others are none of our business. A `List` is opened.
    pub(crate) fn all(source: &Arc<Source>, namespace: &str) -> Result<Vec<Self>, InputError> {
        let documents = Document::each(source);
        documents
            .into_iter()
            .map(|document| Self::of(document?, namespace))
            .collect()
    }

    /// Reads an object that stands within another document.
    pub(crate) fn within(source: &Arc<Source>, node: Node, namespace: &str) -> Result<Vec<Self>, InputError> {
        let documents = Document::within(source, node);
        documents
            .into_iter()
            .map(|document| Self::of(document?, namespace))
            .collect()
    }

    /// Reads an object. One that says no namespace is taken to be in `namespace`.
    pub(crate) fn of(document: Document, namespace: &str) -> Result<Self, InputError> {
        let kind = document.kind;
        let mut object = typed(kind, &document.node).map_err(|misfit| {
            let spot = document.spot_of(misfit.place.unwrap_or(document.node.place));
            let name = kind.as_str().to_lowercase();
            let help = format!("`kubectl explain {name}` shows what a {kind} holds");
            InputError::content(misfit.message, spot, help)
        })?;
        let own = &mut meta_mut(&mut object).namespace;
        if is_cluster_wide(kind) {
            // As the API server does: Kustomize gives a namespace to kinds that it does not know.
            *own = None;
        } else if own.as_deref().is_none_or(str::is_empty) {
            // Clients take an empty name for none.
            *own = Some(namespace.to_owned());
        }
        Ok(Self { document, object })
    }

    /// Where a field is, such as `spec.grants[0].scope`.
    pub(crate) fn spot(&self, field: &str) -> Spot {
        self.document.spot(field)
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
