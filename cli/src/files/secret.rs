//! Secrets among the files: what their owners agree to, and which keys they have. Values are not kept.

use std::collections::{BTreeMap, BTreeSet};

use monstrum_crds::consent::Consent;

use super::error::InputError;
use super::node::{Kind, Node};
use super::source::{Source, parse};

/// What a file says of a Secret.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// What its annotations agree to.
    pub(crate) consent: Consent,
    /// The names of its keys.
    pub(crate) keys: BTreeSet<String>,
}

impl Secret {
    /// Every Secret of a file. Those without a namespace are taken to be in `namespace`.
    pub(crate) fn all(source: &Source, namespace: &str) -> Result<Vec<Self>, InputError> {
        let nodes = parse(&source.name, &source.text)?;
        Ok(nodes.iter().flat_map(|node| listed(node, namespace)).collect())
    }
}

fn listed(node: &Node, namespace: &str) -> Vec<Secret> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    if let Some(items) = node.list() {
        return items.iter().flat_map(|item| listed(item, namespace)).collect();
    }
    match (text("apiVersion"), text("kind")) {
        (Some("v1"), Some("Secret")) => secret(node, namespace).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn secret(node: &Node, namespace: &str) -> Option<Secret> {
    let metadata = node.get("metadata")?;
    let text = |key: &str| metadata.get(key).and_then(Node::text);
    let annotations: BTreeMap<String, String> = entries(metadata.get("annotations"))
        .filter_map(|(key, value)| Some((key.to_owned(), value.text()?.to_owned())))
        .collect();
    let keys = entries(node.get("data")).chain(entries(node.get("stringData")));
    Some(Secret {
        namespace: text("namespace")
            .filter(|own| !own.is_empty())
            .unwrap_or(namespace)
            .to_owned(),
        name: text("name")?.to_owned(),
        consent: Consent::of(Some(&annotations)),
        keys: keys.map(|(key, _)| key.to_owned()).collect(),
    })
}

fn entries(node: Option<&Node>) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match node.map(|node| &node.kind) {
        Some(Kind::Mapping(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, node)| (key.text.as_str(), node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_without_their_values() {
        let text = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {monstrum.dev/used-by: credential/x}}, data: {k: aHVudGVyMg==}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
---
{apiVersion: v1, kind: Secret, metadata: {name: c, namespace: other}, stringData: {l: hunter2}}
";
        let source = Source {
            name: "t".to_owned(),
            text: text.to_owned(),
        };
        let found = Secret::all(&source, "team").unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|secret| {
                (
                    secret.namespace.as_str(),
                    secret.name.as_str(),
                    secret.consent.is_given(),
                )
            })
            .collect();
        assert_eq!(told, [("team", "a", true), ("other", "c", false)]);
        assert!(!format!("{found:?}").contains("hunter2") && !format!("{found:?}").contains("aHVudGVyMg"));
    }
}
