//! The boundary of a Workspace on files.

use crate::run::{diff_of, monstrum};

#[test]
fn grants_beyond_the_boundary_are_pointed_at_with_the_smallest_example() {
    let ran = monstrum(&[
        "validate",
        "-f",
        "beyond.yaml",
        "-f",
        "boundary.yaml",
        "-f",
        "types.yaml",
    ]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn without_the_workspace_there_is_no_boundary() {
    let ran = monstrum(&["validate", "-f", "beyond.yaml", "-f", "types.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "✓ 5 objects, no problems\n"));
}

#[test]
fn grants_within_the_boundary_are_right() {
    let ran = monstrum(&[
        "validate",
        "-f",
        "reader.yaml",
        "-f",
        "boundary.yaml",
        "-f",
        "types.yaml",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

/// What is refused in a cluster permits nothing here either.
#[test]
fn a_binding_beyond_the_boundary_permits_nothing() {
    let call = [
        "explain",
        "reader",
        "list_issues",
        "--args",
        r#"{"team":"acme","project":"web"}"#,
    ];
    let files = ["-f", "beyond.yaml", "-f", "types.yaml"];
    let ran = monstrum(&[call.as_slice(), &files].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = monstrum(&[call.as_slice(), &files, &["-f", "boundary.yaml"]].concat());
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("UnknownTool"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_new_boundary_narrows_what_bots_may_do() {
    let new = ["beyond.yaml", "boundary.yaml", "types.yaml"];
    let ran = diff_of(&new, &["beyond.yaml", "types.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn a_widening_is_shown_by_the_smallest_call_that_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let wider = folder.path().join("wider.yaml");
    let text = std::fs::read_to_string(crate::run::data().join("reader.yaml")).unwrap();
    std::fs::write(
        &wider,
        text.replace("[acme/web, \"acme/docs-*\"]", "[acme/web, \"acme/d*\"]"),
    )
    .unwrap();
    let new = [wider.to_str().unwrap(), "types.yaml"];
    let ran = diff_of(&new, &["reader.yaml", "types.yaml"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    insta::assert_snapshot!(ran.out);
}
