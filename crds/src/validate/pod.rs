//! What is wrong with an object's pod settings in themselves, whatever the installation permits.

use std::collections::BTreeMap;

use super::Fault;
use crate::kinds::PodSettings;

/// Prefixes of labels that find our pods and say whose they are.
const OUR_LABELS: [&str; 2] = ["monstrum.dev/", "app.kubernetes.io/"];
/// Prefixes of annotations that are ours, or loosen what confines a pod.
const OUR_ANNOTATIONS: [&str; 4] = [
    "monstrum.dev/",
    "kubernetes.io/",
    "container.apparmor.security.beta.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];
/// Variables that our processes are set up with, or that change which code, names or authorities a process trusts: whole names,
/// and prefixes.
const OUR_VARIABLES: [&str; 8] = [
    "PATH",
    "HOME",
    "GCONV_PATH",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "RESOLV_HOST_CONF",
    "NLSPATH",
];
const OUR_VARIABLE_PREFIXES: [&str; 5] = ["MONSTRUM_", "POD_", "LD_", "GLIBC_", "SSL_CERT_"];

/// Whether an environment variable is set by the operator, or must not be set by anybody else.
pub fn is_our_variable(name: &str) -> bool {
    OUR_VARIABLES.contains(&name)
        || OUR_VARIABLE_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// What is wrong with the settings of a pod with these containers.
pub fn faults(field: &str, settings: &PodSettings, containers: &[&str]) -> Vec<Fault> {
    let mut faults = keys(&format!("{field}.labels"), &settings.labels, &OUR_LABELS);
    faults.extend(keys(
        &format!("{field}.annotations"),
        &settings.annotations,
        &OUR_ANNOTATIONS,
    ));
    for (name, container) in &settings.containers {
        let field = format!("{field}.containers[{name}]");
        if !containers.contains(&name.as_str()) {
            let known = containers.join(", ");
            faults.push(Fault::invalid(
                &field,
                format!("there is no container of this name in these pods: name one of {known}"),
            ));
        }
        for variable in container.env.keys() {
            let field = format!("{field}.env[{variable}]");
            faults.extend(variable_fault(variable).map(|message| Fault::invalid(field, message)));
        }
    }
    faults
}

fn keys(field: &str, map: &BTreeMap<String, String>, ours: &[&str]) -> Vec<Fault> {
    let fault = |key: &String| {
        let message = if ours.iter().any(|prefix| key.starts_with(prefix)) {
            "is the operator's to set: use a key with a prefix of your own"
        } else if is_qualified(key) {
            return None;
        } else {
            "is not a key: write a name of at most 63 letters, digits, '-', '_' and '.', with or without a DNS name and '/' before it"
        };
        Some(Fault::invalid(format!("{field}[{key}]"), message))
    };
    map.keys().filter_map(fault).collect()
}

fn variable_fault(name: &str) -> Option<&'static str> {
    let mut bytes = name.bytes();
    let is_name = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() <= 128;
    if !is_name {
        return Some("is not a variable's name: write letters, digits and '_', at most 128");
    }
    is_our_variable(name).then_some("is the operator's to set: give the variable another name")
}

/// As Kubernetes wants keys of labels and annotations.
fn is_qualified(key: &str) -> bool {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_prefix = prefix.is_none_or(|prefix| {
        (1..=253).contains(&prefix.len())
            && prefix.split('.').all(|label| {
                is_word(
                    label,
                    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(),
                    b"-",
                )
            })
    });
    is_prefix && name.len() <= 63 && is_word(name, |byte| byte.is_ascii_alphanumeric(), b"-_.")
}

/// Of `ends`, with `inner` between them.
fn is_word(text: &str, ends: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let at = |byte: Option<u8>| byte.is_some_and(&ends);
    at(text.bytes().next())
        && at(text.bytes().next_back())
        && text.bytes().all(|byte| ends(byte) || inner.contains(&byte))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case::selector(json!({"labels": {"app.kubernetes.io/component": "operator"}}))]
    #[case::whose(json!({"labels": {"monstrum.dev/bot": "other"}}))]
    #[case::config(json!({"annotations": {"monstrum.dev/config": "x"}}))]
    #[case::profile(json!({"annotations": {"container.apparmor.security.beta.kubernetes.io/sandbox": "unconfined"}}))]
    #[case::key(json!({"labels": {"not a key": "x"}}))]
    #[case::empty_key(json!({"annotations": {"": "x"}}))]
    #[case::empty_prefix(json!({"annotations": {"/a": "x"}}))]
    #[case::long_key(json!({"labels": {"a".repeat(64): "x"}}))]
    #[case::container(json!({"containers": {"gateway": {}}}))]
    #[case::operator(json!({"containers": {"sandbox": {"env": {"MONSTRUM_OPERATOR": "https://evil.example"}}}}))]
    #[case::pod(json!({"containers": {"inject": {"env": {"POD_NAME": "x"}}}}))]
    #[case::loader(json!({"containers": {"sandbox": {"env": {"LD_PRELOAD": "/tmp/x.so"}}}}))]
    #[case::authorities(json!({"containers": {"sandbox": {"env": {"SSL_CERT_FILE": "/tmp/ca"}}}}))]
    #[case::search_list(json!({"containers": {"sandbox": {"env": {"LOCALDOMAIN": "evil.example"}}}}))]
    #[case::programs(json!({"containers": {"sandbox": {"env": {"PATH": "/tmp"}}}}))]
    #[case::variable(json!({"containers": {"sandbox": {"env": {"A=B": "x"}}}}))]
    fn what_is_ours_can_not_be_set(#[case] settings: Value) {
        let settings = serde_json::from_value(settings).unwrap();
        let found = faults("spec.runner.pod", &settings, &["sandbox", "inject"]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn what_is_a_users_can_be_set() {
        let settings = json!({
            "labels": {"team": "a", "acme.example/cost-centre": "7"},
            "annotations": {"acme.example/owners": "ann, bob", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
            "containers": {"sandbox": {"env": {"TZ": "UTC", "_a1": ""}}, "inject": {"resources": {"limits": {"cpu": "1"}}}},
        });
        let settings = serde_json::from_value(settings).unwrap();
        assert_eq!(faults("spec.runner.pod", &settings, &["sandbox", "inject"]), []);
    }
}
