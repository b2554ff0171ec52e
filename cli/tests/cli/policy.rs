//! `policy test`, `policy diff` and `policy lint` on files.

use std::path::PathBuf;

use serde_json::Value;

use crate::explain::without_digest;
use crate::run::{Ran, diff_of, monstrum};

#[test]
fn passing_tests_pass_and_tell_their_coverage() {
    let ran = monstrum(&[
        "policy",
        "test",
        "passing-tests.yaml",
        "-v",
        "--min-coverage",
        "100",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn failing_tests_fail_with_what_was_expected_and_found() {
    let ran = monstrum(&["policy", "test", "failing-tests.yaml"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(without_digest(&ran.out));
}

#[test]
fn too_little_coverage_fails() {
    let ran = monstrum(&[
        "policy",
        "test",
        "uncovered-tests.yaml",
        "--min-coverage",
        "51",
        "-v",
    ]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("not covered: bot default/reader"), "{}", ran.out);
    assert_eq!(
        monstrum(&["policy", "test", "uncovered-tests.yaml", "--min-coverage", "50"]).code,
        0
    );
}

#[test]
fn junit_and_json_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xml");
    let ran = monstrum(&[
        "policy",
        "test",
        "failing-tests.yaml",
        "-o",
        "json",
        "--junit",
        path.to_str().unwrap(),
    ]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["passed"], &report["failed"]), (&1.into(), &3.into()));
    let junit = std::fs::read_to_string(path).unwrap();
    assert!(junit.contains("tests=\"4\" failures=\"3\""), "{junit}");
    assert!(
        junit.contains("decision: expected allow, found deny OutOfScope"),
        "{junit}"
    );
}

#[test]
fn a_test_that_says_too_little_is_pointed_at() {
    let ran = monstrum(&["policy", "test", "unclear-tests.yaml"]);
    assert_eq!(ran.code, 66);
    insta::assert_snapshot!(ran.err);
}

/// The tests of the shipped resource types pass and reach every grant and dimension of theirs.
#[test]
fn shipped_resource_types_pass_their_tests() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts/monstrum/resource-types/tests");
    let ran = monstrum(&["policy", "test", tests.to_str().unwrap(), "--min-coverage", "100"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

fn diff(new: &str, old: &str) -> Ran {
    diff_of(&[new, "types.yaml"], &[old, "types.yaml"])
}

#[test]
fn narrowing_is_no_widening() {
    let ran = diff("narrower.yaml", "reader.yaml");
    assert_eq!(ran.code, 0, "{}", ran.out);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn widening_is_told_with_calls_that_show_it() {
    let ran = diff("wider.yaml", "reader.yaml");
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_budget_narrows_and_what_no_longer_keeps_it_widens() {
    let ran = diff("budgeted.yaml", "reader.yaml");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out
            .contains("+ the bot's budget rate: at most 30 calls in 60 s"),
        "{}",
        ran.out
    );
    let ran = diff("reader.yaml", "budgeted.yaml");
    assert_eq!(ran.code, 4, "{}", ran.out);
    assert!(
        ran.out
            .contains("! not kept: the bot's budget daily: at most 1000000 tokens in 86400 s"),
        "{}",
        ran.out
    );
}

#[test]
fn budgets_are_tested_by_their_use() {
    let ran = monstrum(&["policy", "test", "budget-tests.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn no_change_is_told() {
    let ran = diff("reader.yaml", "reader.yaml");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "No bot's permissions change.\n")
    );
}

#[test]
fn a_missing_object_is_deleted_or_left_as_was_said() {
    let replaced = monstrum(&[
        "policy",
        "diff",
        "-f",
        "types.yaml",
        "--against",
        "reader.yaml",
        "--against",
        "types.yaml",
    ]);
    assert!(
        replaced.out.contains("no longer sees list_issues"),
        "{}",
        replaced.out
    );
    let applied = monstrum(&[
        "policy",
        "diff",
        "-f",
        "types.yaml",
        "--against",
        "reader.yaml",
        "--against",
        "types.yaml",
        "--as",
        "apply",
    ]);
    assert_eq!(applied.out, "No bot's permissions change.\n");
}

#[test]
fn another_target_under_the_same_grants_is_a_widening() {
    let folder = tempfile::tempdir().unwrap();
    let moved = folder.path().join("moved.yaml");
    let text = std::fs::read_to_string(crate::run::data().join("reader.yaml")).unwrap();
    std::fs::write(&moved, text.replace("tracker.example.com", "evil.example.com")).unwrap();
    let ran = diff(moved.to_str().unwrap(), "reader.yaml");
    assert_eq!(ran.code, 4);
    assert!(
        ran.out.contains("the resource's config of the binding changed"),
        "{}",
        ran.out
    );
}

#[test]
fn lint_tells_what_was_hardly_meant() {
    let ran = monstrum(&["policy", "lint", "-f", "lint.yaml", "-f", "types.yaml"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn lint_has_nothing_against_careful_grants() {
    let ran = monstrum(&["policy", "lint", "-f", "reader.yaml", "-f", "types.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "Nothing to say.\n"));
}

/// Each pattern that matches nothing, and each rule about nothing, is told with its place, by `lint` and by `validate`.
#[test]
fn what_can_never_match_is_told() {
    let told = [
        "dead.yaml:75:31",
        "\"*\" never matches anything",
        "\"224.0.0.0/3\" never",
        "\"https://dev-*/**\" never",
        "\"acme//*\" never",
        "\"acme/../x\" never",
        "\"docs/a.\" never",
        "\"docs/%2e\" never",
        "\"if *\" never",
        "\"a^b\" never",
        "declares the parameter typo",
    ];
    let linted = monstrum(&["policy", "lint", "-f", "dead.yaml"]);
    assert_eq!(linted.code, 1);
    assert!(
        !linted.out.contains("matches anything") || !linted.out.contains("host \"*\" matches"),
        "{}",
        linted.out
    );
    let validated = monstrum(&["validate", "-f", "dead.yaml", "-o", "json"]);
    assert_eq!(validated.code, 1);
    for part in told {
        assert!(linted.out.contains(part), "{part}: {}", linted.out);
    }
    let problems: Value = serde_json::from_str(&validated.out).unwrap();
    let problems = problems["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 10, "{problems:?}");
    for (part, problem) in told.iter().skip(1).zip(problems) {
        assert!(
            problem["message"].as_str().unwrap().contains(part),
            "{part}: {problem}"
        );
        assert!(problem["line"].as_u64().is_some(), "{problem}");
    }
}
