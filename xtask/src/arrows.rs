//! Which crate may depend on which. A new arrow is a decision about the architecture: it is made in this list.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The crates of this workspace that a crate may use, outside its tests.
const ALLOWED: [(&str, &[&str]); 17] = [
    ("monstrum-guardian", &[]),
    ("monstrum-contract", &["monstrum-guardian"]),
    ("monstrum-egress", &["monstrum-guardian"]),
    ("monstrum-scrub", &[]),
    ("monstrum-wire", &["monstrum-guardian"]),
    ("monstrum-service", &["monstrum-wire"]),
    ("monstrum-crds", &["monstrum-contract", "monstrum-guardian"]),
    (
        "monstrum-operator",
        &[
            "monstrum-contract",
            "monstrum-guardian",
            "monstrum-wire",
            "monstrum-service",
            "monstrum-crds",
        ],
    ),
    (
        "monstrum-gateway",
        &[
            "monstrum-egress",
            "monstrum-guardian",
            "monstrum-scrub",
            "monstrum-wire",
            "monstrum-service",
        ],
    ),
    (
        "monstrum-channel",
        &[
            "monstrum-contract",
            "monstrum-egress",
            "monstrum-service",
            "monstrum-wire",
        ],
    ),
    (
        "monstrum-runner",
        &[
            "monstrum-contract",
            "monstrum-egress",
            "monstrum-guardian",
            "monstrum-scrub",
            "monstrum-wire",
            "monstrum-service",
        ],
    ),
    (
        "monstrum-ledger",
        &["monstrum-guardian", "monstrum-wire", "monstrum-service"],
    ),
    (
        "monstrum-cli",
        &["monstrum-guardian", "monstrum-wire", "monstrum-crds"],
    ),
    ("monstrum-answers", &[]),
    (
        "monstrum-testbed",
        &[
            "monstrum-answers",
            "monstrum-egress",
            "monstrum-gateway",
            "monstrum-guardian",
            "monstrum-service",
            "monstrum-wire",
        ],
    ),
    (
        "monstrum-e2e",
        &[
            "monstrum-answers",
            "monstrum-guardian",
            "monstrum-wire",
            "monstrum-service",
            "monstrum-crds",
        ],
    ),
    ("xtask", &["monstrum-crds"]),
];

/// What a crate is not pure with.
const IO: [&str; 9] = [
    "tokio",
    "kube",
    "kube-core",
    "k8s-openapi",
    "tonic",
    "hyper",
    "reqwest",
    "libsqlite3-sys",
    "sqlx",
];

/// What must not be anywhere below a crate.
const NEVER: [(&str, &[&str]); 10] = [
    ("monstrum-contract", &IO),
    (
        "monstrum-egress",
        &[
            "kube",
            "kube-core",
            "k8s-openapi",
            "tonic",
            "libsqlite3-sys",
            "sqlx",
        ],
    ),
    ("monstrum-guardian", &IO),
    (
        "monstrum-scrub",
        &["tokio", "tonic", "hyper", "reqwest", "tracing"],
    ),
    ("monstrum-crds", &["tonic", "libsqlite3-sys", "sqlx"]),
    (
        "monstrum-gateway",
        &["kube", "kube-core", "k8s-openapi", "libsqlite3-sys", "sqlx"],
    ),
    (
        "monstrum-channel",
        &["kube", "kube-core", "k8s-openapi", "libsqlite3-sys", "sqlx"],
    ),
    (
        "monstrum-runner",
        &["kube", "kube-core", "k8s-openapi", "libsqlite3-sys", "sqlx"],
    ),
    ("monstrum-ledger", &["kube", "kube-core", "k8s-openapi"]),
    ("monstrum-operator", &["libsqlite3-sys", "sqlx"]),
];

/// Cryptography that must be in no binary: there is one TLS stack.
const NOWHERE: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

/// Features that must be on in no binary, since one crate that turns them on changes what all others read: a key of an object decides
/// what the object is taken for, or objects keep another order than the one that is digested.
const NO_FEATURES: (&str, &[&str]) = (
    "serde_json",
    &["raw_value", "arbitrary_precision", "preserve_order"],
);

/// Every dependency that is not allowed, as `a -> b`.
pub(crate) fn forbidden(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .context("can't read the workspace's metadata")?;
    let mut findings = edges(&metadata);
    for (name, banned) in NEVER {
        findings.extend(hits(name, &packages(root, &["--package", name])?, banned));
    }
    findings.extend(hits(
        "the workspace",
        &packages(root, &["--workspace"])?,
        &NOWHERE,
    ));
    let (package, features) = NO_FEATURES;
    findings.extend(hits(package, &features_of(root, package)?, features));
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
        let used = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development);
        let wrong =
            used.filter(|used| ours.contains(used.name.as_str()) && !allowed.contains(&used.name.as_str()));
        findings.extend(wrong.map(|wrong| format!("{} -> {}", package.name, wrong.name)));
    }
    findings
}

/// The names of the packages that a selection is built from, outside its tests. `cargo tree` knows which features are on;
/// the metadata does not.
fn packages(root: &Path, selection: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let tree = tree(root, "{p}", selection)?;
    let first = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(first.map(str::to_owned).collect())
}

/// The features of a package that are on in any binary of the workspace.
fn features_of(root: &Path, package: &str) -> anyhow::Result<BTreeSet<String>> {
    let tree = tree(root, "{p} {f}", &["--workspace"])?;
    let of_package = tree
        .lines()
        .filter(|line| line.split_whitespace().next() == Some(package));
    let features: BTreeSet<String> = of_package
        .filter_map(|line| line.split_whitespace().nth(2))
        .flat_map(|features| features.split(','))
        .map(str::to_owned)
        .collect();
    ensure!(
        !features.is_empty(),
        "cargo tree printed no features of {package}"
    );
    Ok(features)
}

fn tree(root: &Path, format: &str, selection: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        // What one crate needs by itself, even where the caller builds with the features of all.
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
        .args([
            "tree",
            "--locked",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            format,
        ])
        .args(selection)
        .output()
        .context("can't run cargo tree")?;
    ensure!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let tree = String::from_utf8(output.stdout).context("cargo tree wrote something else than text")?;
    ensure!(!tree.trim().is_empty(), "cargo tree printed no packages");
    Ok(tree)
}

fn hits(what: &str, packages: &BTreeSet<String>, banned: &[&str]) -> Vec<String> {
    let found = banned.iter().filter(|banned| packages.contains(**banned));
    found.map(|banned| format!("{what} -> … -> {banned}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_is_allowed() {
        let findings = forbidden(&crate::command::root().unwrap()).unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }

    #[test]
    fn an_arrow_that_is_not_allowed_is_found() {
        let below = packages(&crate::command::root().unwrap(), &["--package", "monstrum-crds"]).unwrap();
        assert_eq!(
            hits("crds", &below, &["kube", "no-such-crate"]),
            ["crds -> … -> kube"]
        );
        assert!(!below.contains("monstrum-operator"));
    }

    #[test]
    fn a_feature_that_is_on_is_found() {
        let features = features_of(&crate::command::root().unwrap(), "serde_json").unwrap();
        assert_eq!(
            hits("serde_json", &features, &["std", "raw_value"]),
            ["serde_json -> … -> std"]
        );
    }
}
