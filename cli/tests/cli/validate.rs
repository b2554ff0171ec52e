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
