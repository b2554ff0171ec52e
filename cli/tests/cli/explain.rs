//! `explain` and `tools` on files.

use serde_json::Value;

use crate::run::{Ran, monstrum};

fn explain(tool: &str, arguments: &str) -> Ran {
    monstrum(&[
        "explain",
        "triage",
        tool,
        "--args",
        arguments,
        "-f",
        "team.yaml",
        "-f",
        "types.yaml",
    ])
}

#[test]
fn an_allowed_call_shows_the_grant_and_the_pattern() {
    let ran = explain("list_issues", r#"{"team":"acme","project":"docs-api"}"#);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(without_digest(&ran.out));
}

#[test]
fn a_denied_call_shows_what_failed_and_what_would_do() {
    let ran = explain(
        "create_issue",
        r#"{"team":"acme","project":"web","title":"x","label":"security"}"#,
    );
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(without_digest(&ran.out));
}

#[test]
fn a_call_that_is_no_json_shows_where() {
    let ran = explain("list_issues", r#"{"team":"acme","team":"evil"}"#);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("DENIED MalformedArguments"), "{}", ran.out);
}

#[test]
fn an_unseen_tool_is_told_like_an_unknown_one_and_yet_what_would_do() {
    let files = ["-f", "reader.yaml", "-f", "types.yaml"];
    let call = [
        "explain",
        "reader",
        "create_issue",
        "--args",
        r#"{"team":"acme","project":"web","title":"x"}"#,
    ];
    let ran = monstrum(&[&call[..], &files[..]].concat());
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(without_digest(&ran.out));
}

#[test]
fn the_answer_is_the_same_as_json() {
    let arguments = r#"{"team":"acme","project":"secret"}"#;
    let call = [
        "explain",
        "triage",
        "list_issues",
        "--args",
        arguments,
        "-f",
        "team.yaml",
        "-f",
        "types.yaml",
    ];
    let ran = monstrum(&[&call[..], &["-o", "json"]].concat());
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.code, 2);
    assert_eq!(answer["verdict"], "deny");
    assert_eq!(answer["reason"], "OutOfScope");
    assert_eq!(answer["required"][0]["scope"]["project"][0], "acme/secret");
    assert!(
        answer["permissionsDigest"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}

/// What follows from the objects of a suspended bot is not what is enforced.
#[test]
fn a_suspended_bot_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suspended.yaml");
    let text = std::fs::read_to_string(crate::run::data().join("office.yaml")).unwrap();
    std::fs::write(&path, text.replace("suspend: false", "suspend: true")).unwrap();
    let files = ["-f", path.to_str().unwrap(), "-f", "types.yaml"];
    for command in [&["explain", "clerk", "create_issue"][..], &["tools", "clerk"]] {
        let ran = monstrum(&[command, &files].concat());
        let told = format!("{}{}", ran.out, ran.err);
        assert!(told.contains("the bot is suspended"), "{told}");
    }
}

/// A value is a literal in advice, and what the boundary does not permit is not advised.
#[test]
fn advice_launders_no_pattern_and_respects_the_boundary() {
    let files = ["-f", "office.yaml", "-f", "types.yaml"];
    let asked = |team: &str, project: &str| {
        let call = format!(r#"{{"team":"{team}","project":"{project}","title":"x","label":"a.*"}}"#);
        let ran = monstrum(
            &[
                &["explain", "clerk", "create_issue", "--args", &call, "-o", "json"][..],
                &files,
            ]
            .concat(),
        );
        assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()["required"][0].clone()
    };
    let advice = asked("acme", "*");
    assert_eq!(advice["scope"]["project"][0], "acme/\\*");
    assert_eq!(advice["scope"]["label"][0], "a.\\*");
    assert_eq!(advice["approval"][0]["risk"], "Medium");
    assert_eq!(advice["hindrance"], Value::Null);
    let hindrance = asked("evil", "web")["hindrance"].to_string();
    assert!(
        hindrance.contains("the boundary stands in the way"),
        "{hindrance}"
    );
}

/// A rule is shown by itself: it holds though another dimension fails.
#[test]
fn a_rule_that_holds_shows_so() {
    let folder = tempfile::tempdir().unwrap();
    let types = std::fs::read_to_string(crate::run::data().join("types.yaml")).unwrap();
    let office = std::fs::read_to_string(crate::run::data().join("office.yaml")).unwrap();
    let (types_path, office_path) = (
        folder.path().join("types.yaml"),
        folder.path().join("office.yaml"),
    );
    let dimension = "    - name: label\n      match: {glob: {}}\n      whenUnset: Allow\n";
    assert!(types.contains(dimension));
    let rule = format!("{dimension}    - name: rule\n      match: {{cel: {{}}}}\n      whenUnset: Allow\n");
    std::fs::write(&types_path, types.replace(dimension, &rule)).unwrap();
    let scope = "label: [bug], rule: [\"call.arguments.title == 'x'\"]}";
    std::fs::write(&office_path, office.replace("label: [bug]}", scope)).unwrap();
    let ran = monstrum(&[
        "explain",
        "clerk",
        "create_issue",
        "--args",
        r#"{"team":"acme","project":"web","title":"x","label":"other"}"#,
        "-f",
        office_path.to_str().unwrap(),
        "-f",
        types_path.to_str().unwrap(),
    ]);
    assert!(
        ran.out.contains("✓ rule holds: \"call.arguments.title == 'x'\""),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(ran.out.contains("✗ label \"other\""), "{}", ran.out);
}

#[test]
fn a_bot_that_is_not_there_is_told_with_those_that_are() {
    let ran = monstrum(&["explain", "other", "x", "-f", "team.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 66);
    assert!(
        ran.err.contains("there is no bot other among the objects"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("team-a/triage"), "{}", ran.err);
}

#[test]
fn tools_are_shown_with_the_grants_behind_them() {
    let ran = monstrum(&["tools", "triage", "-f", "team.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(without_digest(&ran.out));
}

#[test]
fn the_same_files_give_the_same_answer_in_any_order() {
    let one = monstrum(&[
        "tools",
        "triage",
        "-f",
        "team.yaml",
        "-f",
        "types.yaml",
        "-o",
        "yaml",
    ]);
    let other = monstrum(&[
        "tools",
        "triage",
        "-f",
        "types.yaml",
        "-f",
        "team.yaml",
        "-o",
        "yaml",
    ]);
    assert_eq!(one.out, other.out);
}

/// Digests change with every change of the policy's format.
pub(crate) fn without_digest(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("sha256:") {
        out.push_str(before);
        out.push_str("sha256:…");
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out + rest
}
