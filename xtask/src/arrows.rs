//! Which crate may depend on which. A new arrow is a decision about the architecture: it is made in this list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// The crates of this workspace that a crate may use, outside its tests.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("monstrum-guardian", &[]),
    ("monstrum-wire", &["monstrum-guardian"]),
    ("monstrum-service", &["monstrum-wire"]),
    ("monstrum-crds", &["monstrum-guardian"]),
    ("monstrum-operator", &["monstrum-guardian", "monstrum-wire", "monstrum-service", "monstrum-crds"]),
    ("monstrum-gateway", &["monstrum-guardian", "monstrum-wire", "monstrum-service"]),
    ("monstrum-runner", &["monstrum-guardian", "monstrum-wire", "monstrum-service"]),
    ("monstrum-ledger", &["monstrum-guardian", "monstrum-wire", "monstrum-service"]),
    ("monstrum-cli", &["monstrum-guardian", "monstrum-wire", "monstrum-crds"]),
    ("monstrum-e2e", &["monstrum-guardian", "monstrum-wire", "monstrum-service", "monstrum-crds"]),
    ("xtask", &["monstrum-crds"]),
];

/// What must not be anywhere below a crate.
const NEVER: [(&str, &[&str]); 6] = [
    ("monstrum-guardian", &["tokio", "kube", "kube-core", "k8s-openapi", "tonic", "hyper", "reqwest", "sqlx"]),
    ("monstrum-crds", &["tonic", "sqlx"]),
    ("monstrum-gateway", &["kube", "kube-core", "k8s-openapi", "sqlx"]),
    ("monstrum-runner", &["kube", "kube-core", "k8s-openapi", "sqlx"]),
    ("monstrum-ledger", &["kube", "kube-core", "k8s-openapi"]),
    ("monstrum-operator", &["sqlx"]),
];

/// Cryptography that must be in no binary: there is one TLS stack.
const NOWHERE: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

/// Every dependency that is not allowed, as `a -> b`.
pub(crate) fn forbidden(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .context("can't read the workspace's metadata")?;
    let mut findings = edges(&metadata);
    for (name, banned) in NEVER {
        findings.extend(below(&metadata, name, banned)?);
    }
    for (name, _) in ALLOWED {
        findings.extend(below(&metadata, name, &NOWHERE)?);
    }
    Ok(findings)
}

/// Direct edges between crates of the workspace.
fn edges(metadata: &Metadata) -> Vec<String> {
    let members = metadata.workspace_packages();
    let ours: BTreeSet<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in members {
        let allowed = ALLOWED.iter().find(|(name, _)| *name == package.name.as_str());
        let Some((_, allowed)) = allowed else {
            findings.push(format!("{} is not in the list of crates", package.name));
            continue;
        };
        let used = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let wrong = used.filter(|used| ours.contains(used.name.as_str()) && !allowed.contains(&used.name.as_str()));
        findings.extend(wrong.map(|wrong| format!("{} -> {}", package.name, wrong.name)));
    }
    findings
}

/// Banned packages anywhere below a crate, outside its tests.
fn below(metadata: &Metadata, name: &str, banned: &[&str]) -> anyhow::Result<Vec<String>> {
    let resolve = metadata.resolve.as_ref().context("the metadata has no dependency graph")?;
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let packages: BTreeMap<&PackageId, &Package> = metadata.packages.iter().map(|package| (&package.id, package)).collect();
    let start = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let start = start.with_context(|| format!("there is no crate {name}"))?;
    let mut seen = BTreeSet::from([&start.id]);
    let mut open = vec![&start.id];
    while let Some(id) = open.pop() {
        let node = nodes.get(id).context("a package that is not in the dependency graph")?;
        for dependency in &node.deps {
            let is_used = dependency.dep_kinds.iter().any(|info| info.kind != DependencyKind::Development);
            if is_used && seen.insert(&dependency.pkg) {
                open.push(&dependency.pkg);
            }
        }
    }
    let names: BTreeSet<&str> =
        seen.iter().filter_map(|id| packages.get(*id)).map(|package| package.name.as_str()).collect();
    Ok(banned.iter().filter(|banned| names.contains(**banned)).map(|banned| format!("{name} -> … -> {banned}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let root = crate::command::root().unwrap();
        MetadataCommand::new().manifest_path(root.join("Cargo.toml")).exec().unwrap()
    }

    #[test]
    fn every_arrow_is_allowed() {
        let findings = forbidden(&crate::command::root().unwrap()).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }

    #[test]
    fn an_arrow_that_is_not_allowed_is_found() {
        let found = below(&metadata(), "monstrum-crds", &["kube", "no-such-crate"]).unwrap();
        assert_eq!(found, ["monstrum-crds -> … -> kube"]);
    }
}
