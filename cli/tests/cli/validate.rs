//! `validate`: each fault with its place.

use serde_json::Value;

use crate::run::monstrum;

#[test]
fn right_objects_have_no_problems() {
    let ran = monstrum(&["validate", "-f", "team.yaml", "-f", "types.yaml"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "✓ 6 objects, no problems\n"),
        "{}",
        ran.err
    );
}

#[test]
fn wrong_objects_are_pointed_at() {
    let ran = monstrum(&["validate", "-f", "wrong.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn the_places_are_right_in_json() {
    let ran = monstrum(&["validate", "-f", "wrong.yaml", "-f", "types.yaml", "-o", "json"]);
    let findings: Value = serde_json::from_str(&ran.out).unwrap();
    let places: Vec<(u64, &str)> = findings["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            (
                problem["line"].as_u64().unwrap(),
                problem["reason"].as_str().unwrap(),
            )
        })
        .collect();
    insta::assert_debug_snapshot!(places);
}

#[test]
fn a_file_that_is_not_there_is_another_matter() {
    let ran = monstrum(&["validate", "-f", "absent.yaml"]);
    assert_eq!(ran.code, 66);
    assert!(ran.err.contains("absent.yaml cannot be read"), "{}", ran.err);
}

#[test]
fn a_wrong_pattern_is_pointed_at_in_its_list() {
    let ran = monstrum(&["validate", "-f", "wrong-grants.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn secrets_that_are_among_the_files_are_judged_and_others_are_named() {
    let unseen = monstrum(&["validate", "-f", "credentials.yaml"]);
    assert_eq!(
        (unseen.code, unseen.out.as_str()),
        (
            0,
            "not in these files, and taken to exist and to agree: Secret default/db, default/tracker-token\n\
             ✓ 2 objects, no problems\n"
        ),
        "{}",
        unseen.err
    );
    let seen = monstrum(&[
        "validate",
        "-f",
        "credentials.yaml",
        "-f",
        "secrets.yaml",
        "-o",
        "json",
    ]);
    assert_eq!(seen.code, 1);
    let findings: Value = serde_json::from_str(&seen.out).unwrap();
    let problems = findings["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{}", seen.out);
    assert_eq!(problems[0]["object"], "Credential default/mine");
    assert_eq!(problems[0]["reason"], "RefNotPermitted");
    let message = problems[0]["message"].as_str().unwrap();
    let remedy = "kubectl annotate secret db -n default 'monstrum.dev/used-by=credential/mine' \
                  'monstrum.dev/hosts=attacker.example.com'";
    assert!(message.contains(remedy), "{message}");
    assert!(findings["assumedSecrets"].is_null());
    assert!(!seen.out.contains("not-to-be-shown") && !seen.out.contains("bm90LXRv"));
}

/// A file can be one line of JSON, and the spot anywhere in it.
#[test]
fn a_fault_far_along_a_line_is_shown_with_little_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.json");
    let text = format!(
        r#"{{"apiVersion":"monstrum.dev/v1alpha1","kind":"Bot","metadata":{{"name":"a"}},"spec":{{"description":"{}","wrong":1,"x":"{}"}}}}"#,
        "ä".repeat(70_000),
        "x".repeat(10_000)
    );
    std::fs::write(&path, text).unwrap();
    let ran = monstrum(&["validate", "-f", path.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("\"wrong\""), "{}", ran.out);
    assert!(ran.out.len() < 20_000, "{} bytes", ran.out.len());
}

/// A mapping is as much work as it has keys, whether they stand there or are merged in.
#[test]
fn many_keys_are_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..60_000).map(|key| format!("  k{key}: a\n")).collect();
    let keys = keys.concat();
    for (name, text) in [
        (
            "keys.yaml",
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{keys}"),
        ),
        (
            "merged.yaml",
            format!("apiVersion: v1\nkind: ConfigMap\na: &a\n{keys}b:\n  <<: *a\n{keys}"),
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let start = std::time::Instant::now();
        let ran = monstrum(&["validate", "-f", path.to_str().unwrap()]);
        assert!(start.elapsed().as_secs() < 20, "{name}: {:?}", start.elapsed());
        assert!(
            ran.code == 0 || ran.out.contains("more than 250000 values"),
            "{}",
            ran.out
        );
    }
}

/// Clients take an empty namespace for none.
#[test]
fn an_empty_namespace_is_the_one_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.yaml");
    let text = "apiVersion: monstrum.dev/v1alpha1\nkind: BotRole\nmetadata: {name: a, namespace: \"\"}\nspec: {grants: []}\n";
    std::fs::write(&path, text).unwrap();
    let ran = monstrum(&["validate", "-f", path.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}
