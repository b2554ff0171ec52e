//! The cases in `tests/cases`: each rule of a definition has an object that it accepts and one that it refuses.
//!
//! Whether the API server agrees is what the end-to-end tests find out; here it is made sure that no rule lacks its cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use monstrum_crds::definition;
use monstrum_crds::object::Object;
use monstrum_crds::validate;
use monstrum_crds::world::World;
use serde_json::Value;

/// The case files by `kind/name`.
fn cases() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases = BTreeMap::new();
    for folder in fs::read_dir(root).unwrap() {
        let folder = folder.unwrap().path();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let name = format!(
                "{}/{}",
                folder.file_name().unwrap().to_str().unwrap(),
                file.file_stem().unwrap().to_str().unwrap()
            );
            cases.insert(name, fs::read_to_string(file).unwrap());
        }
    }
    cases
}

fn expected(case: &str) -> Option<&str> {
    case.lines().find_map(|line| line.strip_prefix("# expect: "))
}

/// Every rule's message, with the kind that has it.
fn messages() -> Vec<(String, String)> {
    fn collect(kind: &str, schema: &Value, found: &mut Vec<(String, String)>) {
        if let Some(Value::Array(rules)) = schema.get("x-kubernetes-validations") {
            found.extend(
                rules
                    .iter()
                    .map(|rule| (kind.to_owned(), rule["message"].as_str().unwrap().to_owned())),
            );
        }
        match schema {
            Value::Object(entries) => entries.values().for_each(|entry| collect(kind, entry, found)),
            Value::Array(items) => items.iter().for_each(|item| collect(kind, item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for definition in definition::all() {
        let kind = definition["spec"]["names"]["singular"]
            .as_str()
            .unwrap()
            .to_owned();
        collect(&kind, &definition["spec"]["versions"][0]["schema"], &mut found);
    }
    found
}

#[test]
fn every_rule_has_a_refused_case() {
    let cases = cases();
    let messages = messages();
    assert!(messages.len() > 15, "{messages:?}");
    for (kind, message) in messages {
        let is_covered = cases.iter().any(|(name, case)| {
            name.starts_with(&format!("{kind}/refused-"))
                && expected(case).is_some_and(|part| message.contains(part))
        });
        assert!(is_covered, "no refused case of {kind} expects {message:?}");
    }
}

#[test]
fn every_refused_case_has_an_accepted_sibling_and_says_what_to_expect() {
    let cases = cases();
    for (name, case) in cases.iter().filter(|(name, _)| name.contains("/refused-")) {
        assert!(
            expected(case).is_some_and(|part| !part.is_empty()),
            "{name} expects nothing"
        );
        let sibling = name.replace("/refused-", "/accepted-");
        assert!(cases.contains_key(&sibling), "{name} has no {sibling}");
    }
}

#[test]
fn what_the_schema_accepts_is_not_refused_at_admission() {
    let mut count = 0;
    for (name, case) in cases().iter().filter(|(name, _)| name.contains("/accepted-")) {
        let object = Object::read(serde_saphyr::from_str(case).unwrap()).unwrap();
        assert_eq!(validate::refusals(&object, &World::new("team")), [], "{name}");
        count += 1;
    }
    assert!(count > 30);
}
