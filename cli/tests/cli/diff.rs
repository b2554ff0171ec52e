//! `policy diff`: what may permit more is never passed over, and what permits less is not cried about.

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rstest::rstest;
use serde_json::Value;

use crate::run::{Ran, data, diff_of, monstrum};

/// Compares the office with itself after each text was replaced by another; each must be there.
fn office(edits: &[(&str, &str)]) -> Ran {
    edited("office.yaml", "types.yaml", edits)
}

/// The same where the contract changes.
fn contract(edits: &[(&str, &str)]) -> Ran {
    edited("types.yaml", "office.yaml", edits)
}

fn edited(file: &str, other: &str, edits: &[(&str, &str)]) -> Ran {
    let old = std::fs::read_to_string(data().join(file)).unwrap();
    let mut new = old.clone();
    for (from, to) in edits {
        assert!(new.contains(from), "{from} is not in {file}");
        new = new.replace(from, to);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.yaml");
    std::fs::write(&path, new).unwrap();
    diff_of(&[path.to_str().unwrap(), other], &[file, other])
}

#[test]
fn the_office_is_right() {
    let ran = monstrum(&["validate", "-f", "office.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(office(&[]).out, "No bot's permissions change.\n");
}

const QUOTA: &str = "{name: daily, counts: Calls, limit: 5, window: 1d}";
const BOUNDARY: &str = "  boundary:
    - resourceTypes: [tracker]
      operations: [issue.*]
      scope: {project: [\"acme/*\"]}
";

/// What is written, what takes its place, and what must be told of it.
const MORE: [(&str, &str, &str); 44] = [
    (
        "name: tracker, key: token",
        "name: admin, key: token",
        "taken from key token of Secret tracker → key token of Secret admin",
    ),
    (
        "name: tracker, key: token",
        "name: tracker, key: admin",
        "key token of Secret tracker → key admin of Secret tracker",
    ),
    (
        "hosts: [tracker.example.com]",
        "hosts: [tracker.example.com, hooks.example.com]",
        "it may also be sent to https://hooks.example.com",
    ),
    (
        "credential: {name: token, method: token}",
        "",
        "the credential of the binding changed",
    ),
    (BOUNDARY, "", "Workspace workspace spec.boundary: is removed"),
    (
        "scope: {project: [\"acme/*\"]}",
        "scope: {project: [\"**\"]}",
        "Workspace workspace spec.boundary: is raised",
    ),
    (
        "  permittedHosts: [tracker.example.com, models.example.com, hooks.example.com]\n",
        "",
        "spec.permittedHosts: is removed",
    ),
    (
        "models.example.com, hooks",
        "models.example.com, evil.example, hooks",
        "spec.permittedHosts: is raised: https://evil.example",
    ),
    (
        "  permittedAddresses: [10.0.0.0/16]\n",
        "",
        "spec.permittedAddresses: is removed",
    ),
    (
        "permittedAddresses: [10.0.0.0/16]",
        "permittedAddresses: [10.0.0.0/8]",
        "spec.permittedAddresses: is raised: 10.0.0.0/8",
    ),
    (
        "  permittedResourceTypes: [tracker]\n",
        "",
        "spec.permittedResourceTypes: is removed",
    ),
    (
        "baseUrl: https://models.example.com/v1",
        "baseUrl: https://hooks.example.com/v1",
        "ModelProvider model spec.baseUrl: \"https://models.example.com/v1\" → ",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "allowedAddresses: [10.0.1.0/24, 10.0.2.0/24]",
        "spec.allowedAddresses: + \"10.0.2.0/24\"",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "caCertificate: \"-----BEGIN CERTIFICATE-----\"",
        "spec.caCertificate",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "proxy: {url: https://hooks.example.com}",
        "spec.proxy",
    ),
    (
        "baseUrl: https://tracker.example.com",
        "baseUrl: https://tracker.example.com/other",
        "the resource's config of the binding changed: baseUrl: ",
    ),
    (
        "maxSteps: 5",
        "maxSteps: 50",
        "Bot clerk spec.limits.maxSteps: 5 → 50",
    ),
    (
        QUOTA,
        "{name: daily, counts: Calls, limit: 6, window: 1d}",
        "its quota daily of 5 calls in 1d is raised to 6 calls in 1d",
    ),
    (
        "      quotas: [{name: daily, counts: Calls, limit: 5, window: 1d}]\n",
        "",
        "its quota daily of 5 calls in 1d is not kept",
    ),
    (
        "name: daily",
        "name: other",
        "its quota daily of 5 calls in 1d is not kept",
    ),
    (
        "limit: 5, window: 1d",
        "limit: 5, window: 1h",
        "is not kept, but is 5 calls in 1h",
    ),
    (
        "      approval: [{risk: Medium}]\n",
        "",
        "it asks for a person's approval, which is not asked for any more",
    ),
    (
        "approval: [{risk: Medium}]",
        "approval: [{risk: High}]",
        "it asks for a person's approval, which is not asked for any more",
    ),
    (
        "approval: [{risk: Medium}]",
        "approval: [{operations: [issue.read]}]",
        "it asks for a person's approval",
    ),
    ("2040-01-01", "2041-01-01", "it holds longer"),
    (
        "project: [acme/web, acme/docs]",
        "project: [acme/web, acme/docs, acme/api]",
        "~ grant binding/clerk#0 (clerk): project + acme/api",
    ),
    (", label: [bug]", "", "label is no longer restricted (was bug)"),
    (
        "talkers: {users: [ann]}",
        "talkers: {everyone: true}",
        "Channel desk spec.talkers: everyone may talk with the bot",
    ),
    (
        "users: [ann]",
        "users: [ann, eve]",
        "who may talk with the bot: + \"eve\"",
    ),
    (
        "secret: {name: desk, key: key}",
        "secret: {name: other, key: key}",
        "Channel desk spec.type.webhook.secret: name: \"desk\" → \"other\"",
    ),
    (
        "https://hooks.example.com/in",
        "https://hooks.example.com/eve",
        "spec.type.webhook.callbackUrl",
    ),
    (
        "tolerance: 60s",
        "tolerance: 600s",
        "spec.type.webhook.tolerance: 60 → 600",
    ),
    (
        ", match: [{pointer: /kind, equals: issue}]",
        "",
        "Channel desk spec.routes[0]: messages to /clerk that say [] reach the bot",
    ),
    ("path: /clerk", "path: /anybody", "messages to /anybody"),
    (
        "    - {name: shared, counts: Calls, limit: 100, window: 1d}",
        "    - {name: shared, counts: Calls, limit: 101, window: 1d}",
        "! not kept: the workspace's budget shared",
    ),
    (
        "  talkers: {users: [ann]}",
        "  talkers: {users: [\"ann\"]}\n  pod: {containers: {channel: {env: {A: b}}}}",
        "Channel desk spec.pod",
    ),
    (
        "  talkers: {users: [ann]}",
        "  talkers: {users: [\"ann\"]}\n  pod: {nodeSelector: {disk: shared}}",
        "Channel desk spec.pod",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "allowedAddresses: [10.0.1.0/24]\n  request: {outputLimitField: max_new_tokens}",
        "ModelProvider model spec.request: outputLimitField: absent → \"max_new_tokens\"",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "allowedAddresses: [10.0.1.0/24]\n  request: {extraBody: {provider: {order: [elsewhere]}}}",
        "ModelProvider model spec.request: extraBody",
    ),
    (
        "maxOutputTokens: 4096}",
        "maxOutputTokens: 4096, request: {extraBody: {store: true}}}",
        "ModelProvider model spec.request: extraBody",
    ),
    (
        "allowedAddresses: [10.0.1.0/24]",
        "allowedAddresses: [10.0.1.0/24]\n  requestTimeout: 30m",
        "ModelProvider model spec.requestTimeout: 300 → 1800",
    ),
    (
        "maxOutputTokens: 4096}",
        "maxOutputTokens: 4096, images: true}",
        "ModelProvider model spec.models: model m is shown images",
    ),
    (
        "contextTokens: 128000,",
        "contextTokens: 100,",
        "Bot clerk spec.budgets: how much its budgets reserve at most for a question, contextTokens: 128000 → 100",
    ),
    (
        "- {name: shared-tokens, counts: Tokens, limit: 1000, window: 1d}",
        "- {name: shared-tokens, counts: Tokens, limit: 2000, window: 1d}",
        "! not kept: the workspace's budget shared-tokens",
    ),
];

/// What is written, and what permits less in its place.
const LESS: [(&str, &str); 18] = [
    ("maxSteps: 5", "maxSteps: 4"),
    ("limit: 5,", "limit: 4,"),
    (
        QUOTA,
        "{name: daily, counts: Calls, limit: 5, window: 1d}, {name: all, counts: Calls, limit: 50}",
    ),
    ("acme/web, acme/docs", "acme/web"),
    ("2040-01-01", "2039-01-01"),
    ("approval: [{risk: Medium}]", "approval: [{}]"),
    ("suspend: false", "suspend: true"),
    (
        "scope: {project: [\"acme/*\"]}",
        "scope: {project: [acme/web, acme/docs]}",
    ),
    ("equals: issue}", "equals: issue}, {pointer: /team, equals: acme}"),
    ("tolerance: 60s", "tolerance: 30s"),
    ("limit: 100", "limit: 99"),
    ("allowedAddresses: [10.0.1.0/24]", "allowedAddresses: []"),
    (
        "spec:\n  type: tracker",
        "spec:\n  description: Work.\n  type: tracker",
    ),
    ("contextTokens: 128000,", "contextTokens: 200000,"),
    ("contextTokens: 128000, ", ""),
    // Sizes are no permissions.
    (
        "  suspend: false",
        "  suspend: false\n  gateway: {replicas: 3, pod: {containers: {gateway: {resources: {limits: {memory: 1Gi}}}}}}",
    ),
    (
        "  suspend: false",
        "  suspend: false\n  runner: {pod: {containers: {runner: {resources: {requests: {cpu: 100m}}}}}}",
    ),
    (
        "  talkers: {users: [ann]}",
        "  talkers: {users: [ann]}\n  replicas: 3\n  pod: {containers: {channel: {resources: {requests: {cpu: 100m}}}}}",
    ),
];

#[test]
fn what_may_permit_more_is_told() {
    for (from, to, told) in MORE {
        let ran = office(&[(from, to)]);
        assert_eq!(ran.code, 4, "{to}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(told), "{to}: {}", ran.out);
        assert!(!ran.out.contains("Nothing is permitted"), "{to}: {}", ran.out);
    }
}

#[test]
fn what_permits_less_is_not_told_as_more() {
    for (from, to) in LESS {
        let ran = office(&[(from, to)]);
        assert_eq!(ran.code, 0, "{to}: {}{}", ran.out, ran.err);
        let more = ran.out.contains("permit more") || ran.out.contains("permits more");
        assert!(!more, "{to}: {}", ran.out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One thing more is told among any number of things less, but where nothing is left: a suspended bot, or a grant that is refused.
    #[test]
    fn less_elsewhere_hides_nothing(more in select(MORE.to_vec()), less in subsequence(LESS.to_vec(), 0..6)) {
        let text = std::fs::read_to_string(data().join("office.yaml")).unwrap();
        let mut edits = vec![(more.0, more.1)];
        let mut new = text.replace(more.0, more.1);
        for (from, to) in less {
            if new.contains(from) && text.contains(from) {
                new = new.replace(from, to);
                edits.push((from, to));
            }
        }
        let ran = office(&edits);
        let nothing_left = ran.out.contains("no longer sees");
        prop_assert!(ran.code == 4 || nothing_left, "{:?} {}", edits, ran.out);
    }
}

/// Which route takes a message says where in it the sender stands, so that whose word it is depends on the order.
#[rstest]
#[case::swapped(&[ROUTES[1], ROUTES[0]], 4)]
#[case::first_gone(&[ROUTES[1]], 4)]
#[case::second_gone(&[ROUTES[0]], 0)]
#[case::the_same(&ROUTES, 0)]
#[case::one_narrower(&[ROUTES[0], "{name: b, bot: clerk, webhook: {path: /c, user: /sender, match: [{pointer: /team, equals: a}]}}"], 0)]
fn routes_that_read_otherwise_keep_their_order(#[case] new: &[&str], #[case] code: i32) {
    let written = |routes: &[&str]| {
        let lines: Vec<_> = routes.iter().map(|route| format!("    - {route}\n")).collect();
        lines.concat()
    };
    let text = std::fs::read_to_string(data().join("office.yaml")).unwrap();
    let only = "    - {name: clerk, bot: clerk, webhook: {path: /clerk, match: [{pointer: /kind, equals: issue}]}}\n";
    assert!(text.contains(only));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, routes: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text.replace(only, &written(routes))).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (old, new) = (file("old.yaml", &ROUTES), file("new.yaml", new));
    let ran = diff_of(&[&new, "types.yaml"], &[&old, "types.yaml"]);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
}

const ROUTES: [&str; 2] = [
    "{name: a, bot: clerk, webhook: {path: /c, user: /user, match: [{pointer: /kind, equals: issue}]}}",
    "{name: b, bot: clerk, webhook: {path: /c, user: /sender}}",
];

/// Clients take the objects out of whatever has `items`, and an empty namespace for none.
#[rstest]
#[case::list("apiVersion: v1\nkind: List\nitems:\n", "")]
#[case::list_of_others("apiVersion: apps/v1\nkind: List\nitems:\n", "")]
#[case::list_of_ours("apiVersion: monstrum.dev/v1alpha1\nkind: List\nitems:\n", "")]
#[case::something_else("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nitems:\n", "")]
#[case::list_in_a_list(
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: List\n  items:\n",
    ""
)]
#[case::empty_namespace("", ", namespace: ''")]
fn objects_are_found_wherever_clients_find_them(#[case] around: &str, #[case] namespace: &str) {
    let folder = tempfile::tempdir().unwrap();
    let wide = format!(
        "{{apiVersion: monstrum.dev/v1alpha1, kind: BotBinding, metadata: {{name: clerk{namespace}}}, spec: {{bot: clerk, \
         resource: work, grants: [{{operations: ['issue.*'], scope: {{project: ['acme/*']}}}}]}}}}\n"
    );
    let indent = if around.ends_with("  items:\n") {
        "  - "
    } else {
        "- "
    };
    let text = if around.is_empty() {
        wide
    } else {
        format!("{around}{indent}{wide}")
    };
    let path = folder.path().join("wide.yaml");
    std::fs::write(&path, text).unwrap();
    let old = ["office.yaml", "types.yaml"];
    let ran = crate::run::monstrum(&[
        "policy",
        "diff",
        "--as",
        "apply",
        "-f",
        path.to_str().unwrap(),
        "--against",
        old[0],
        "--against",
        old[1],
    ]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("+ sees list_issues"), "{}", ran.out);
}

#[test]
fn a_bot_that_is_no_longer_suspended_does_all_that_its_objects_permit() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(data().join("office.yaml")).unwrap();
    let path = folder.path().join("old.yaml");
    std::fs::write(&path, text.replace("suspend: false", "suspend: true")).unwrap();
    let ran = diff_of(
        &["office.yaml", "types.yaml"],
        &[path.to_str().unwrap(), "types.yaml"],
    );
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("+ sees create_issue"), "{}", ran.out);
    assert!(
        ran.out
            .contains("Bot clerk spec.suspend: the bot is no longer suspended"),
        "{}",
        ran.out
    );
}

/// The second grant counts for itself, so that twice as many calls are permitted.
#[rstest]
#[case::twice("[acme/web, acme/docs]", "[acme/web, acme/docs]")]
#[case::split("[acme/web]", "[acme/docs]")]
fn a_quota_written_twice_or_split_is_told(#[case] first: &str, #[case] second: &str) {
    let text = std::fs::read_to_string(data().join("office.yaml")).unwrap();
    let (_, after) = text.split_once("  grants:\n").unwrap();
    let (grant, _) = after.split_once("---").unwrap();
    let one = |projects: &str| grant.replace("[acme/web, acme/docs]", projects);
    let both = format!("{}{}", one(first), one(second));
    let ran = office(&[(grant, both.as_str())]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("is counted beside it, from nothing"),
        "{}",
        ran.out
    );
}

#[rstest]
#[case::feed_gone(
    "        - {dimension: label, from: {pointer: /label}}\n",
    "",
    "~ tool create_issue: label is no longer fed from /label"
)]
#[case::feed_moved(
    "{pointer: /label}",
    "{pointer: /title}",
    "label is no longer fed from /label; label is fed from /title"
)]
#[case::new_parameter(
    "          label: {type: string, maxLength: 50}",
    "          label: {type: string, maxLength: 50}\n          bcc: {type: string, maxLength: 50}",
    "its parameter bcc is new"
)]
#[case::longer_parameter(
    "label: {type: string, maxLength: 50}",
    "label: {type: string, maxLength: 51}",
    "its parameter label: maxLength: 50 → 51"
)]
#[case::optional_parameter(
    "required: [team, project, title]",
    "required: [team, project]",
    "its parameter title may be left out"
)]
#[case::another_request(
    "method: POST, path: \"/{/team}",
    "method: PUT, path: \"/{/team}",
    "what the tool does: method: \"POST\" → \"PUT\""
)]
#[case::lower_risk("risk: Medium", "risk: Low", "its risk Medium → Low")]
#[case::another_kind(
    "      match: {glob: {}}",
    "      match: {exact: {}}",
    "dimension label: match {\"glob\":{}} → {\"exact\":{}}"
)]
#[case::another_header(
    "presentation: {bearer: {field: token}}",
    "presentation: {header: {name: X-Token, field: token}}",
    "the credential of the binding changed"
)]
fn what_changed_of_a_tool_is_told(#[case] from: &str, #[case] to: &str, #[case] told: &str) {
    let ran = contract(&[(from, to)]);
    assert!(ran.out.contains(told), "{}{}", ran.out, ran.err);
    let harmless = told.contains("no longer fed from /label") && !told.contains(';');
    assert_eq!(ran.code, if harmless { 0 } else { 4 }, "{}", ran.out);
}

/// Words for people alone.
#[test]
fn another_description_permits_nothing_more() {
    let ran = contract(&[("Open an issue.", "Open one.")]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

/// Whether a Secret agrees to be used is as much a part of the files as the objects that use it.
#[test]
fn a_secret_that_comes_to_agree_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, annotations: &str| {
        let path = folder.path().join(name);
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: tracker, annotations: {{{annotations}}}}}\nstringData: {{token: x}}\n"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let silent = secret("silent.yaml", "");
    let agreed = secret(
        "agreed.yaml",
        "monstrum.dev/used-by: credential/token, monstrum.dev/hosts: tracker.example.com",
    );
    let ran = diff_of(
        &["office.yaml", "types.yaml", &agreed],
        &["office.yaml", "types.yaml", &silent],
    );
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("+ sees create_issue"), "{}", ran.out);
}

/// A grant that also names an operation of which nothing else is granted does not drop out of the comparison.
#[test]
fn a_grant_of_the_shipped_types_that_also_names_what_it_does_not_show_is_compared() {
    let types =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts/monstrum/resource-types/github.yaml");
    let folder = tempfile::tempdir().unwrap();
    let bound = |name: &str, repositories: &str| {
        let path = folder.path().join(name);
        let text = format!(
            "apiVersion: monstrum.dev/v1alpha1\nkind: Resource\nmetadata: {{name: forge}}\nspec: {{type: github, config: {{}}}}\n---\n\
             apiVersion: monstrum.dev/v1alpha1\nkind: Bot\nmetadata: {{name: reader}}\nspec: {{}}\n---\n\
             apiVersion: monstrum.dev/v1alpha1\nkind: BotBinding\nmetadata: {{name: reader}}\nspec:\n  bot: reader\n  resource: forge\n  \
             grants:\n  - {{operations: [issue.read, comment.write], tools: [github_list_issues], scope: {{repository: [{repositories}]}}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let types = types.to_str().unwrap();
    let (old, new) = (bound("old.yaml", "acme/web"), bound("new.yaml", "\"**\""));
    let ran = diff_of(&[&new, types], &[&old, types]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(
        ran.out
            .contains("! permits more: github_list_issues by binding/reader#0"),
        "{}",
        ran.out
    );
}

#[test]
fn json_says_what_the_text_says() {
    let text = std::fs::read_to_string(data().join("office.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.yaml");
    let new = text
        .replace("acme/web, acme/docs", "acme/web, acme/docs, acme/api")
        .replace(BOUNDARY, "")
        .replace("name: tracker, key: token", "name: admin, key: token");
    std::fs::write(&path, new).unwrap();
    let ran = monstrum(&[
        "policy",
        "diff",
        "-f",
        path.to_str().unwrap(),
        "-f",
        "types.yaml",
        "--against",
        "office.yaml",
        "--against",
        "types.yaml",
        "-o",
        "json",
    ]);
    assert_eq!(ran.code, 4);
    let changes: Value = serde_json::from_str(&ran.out).unwrap();
    let (bot, namespace) = (&changes[1], &changes[0]);
    assert_eq!(namespace["bot"], "default/*");
    assert_eq!(namespace["objects"][0]["field"], "spec.boundary");
    assert_eq!(namespace["objects"][0]["mayWiden"], true);
    assert_eq!(bot["bot"], "default/clerk");
    assert_eq!(bot["grantsChanged"][0]["changes"][0], "project + acme/api");
    assert_eq!(bot["widenings"][0]["proven"], true);
    assert_eq!(bot["objects"][0]["object"], "Credential token");
}
