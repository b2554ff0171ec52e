//! The cases of all definitions, and each of the API server's own rules.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::files::{Manifest, Source};

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(Definitions::installed);

/// What is wrong with the documents of a text, with the text that each fault points at.
fn problems(text: &str) -> Vec<(String, String)> {
    let source = Arc::new(Source {
        name: "t.yaml".to_owned(),
        text: text.to_owned(),
    });
    let documents = Document::each(&source).into_iter().map(Result::unwrap);
    documents
        .flat_map(|document| DEFINITIONS.problems(&document, "team"))
        .map(|problem| {
            let place = problem.place.as_ref().unwrap().0.place;
            (problem.to_string(), text[place.range()].to_owned())
        })
        .collect()
}

fn cases() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/cases");
    let mut cases = Vec::new();
    for kind in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(kind.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            cases.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
        }
    }
    assert!(cases.len() > 60);
    cases
}

#[test]
fn what_the_api_server_refuses_is_refused_with_its_place() {
    for (name, case) in cases().iter().filter(|(name, _)| name.contains("/refused-")) {
        // What may not change is no fault of a file.
        let is_change = name.contains("-immutable");
        let found = problems(case);
        assert_eq!(found.is_empty(), is_change, "{name}: {found:?}");
        assert!(found.iter().all(|(_, at)| !at.is_empty()), "{name}: {found:?}");
        assert!(found.len() < 2, "{name}: {found:#?}");
    }
}

#[test]
fn what_the_api_server_accepts_is_accepted() {
    for (name, case) in cases().iter().filter(|(name, _)| name.contains("/accepted-")) {
        assert_eq!(problems(case), [], "{name}");
        let source = Arc::new(Source {
            name: name.clone(),
            text: case.clone(),
        });
        assert!(Manifest::all(&source, "team").is_ok(), "{name}");
    }
}

#[test]
fn every_kind_has_a_definition() {
    assert_eq!(DEFINITIONS.0.len(), Kind::ALL.len());
}

const BOT: &str = "apiVersion: monstrum.dev/v1alpha1\nkind: Bot\nmetadata: {name: a}\nspec:\n  model: {provider: p, name: m}\n";

#[rstest]
#[case::unknown(
    "  rolls: [a]\n",
    "spec.rolls: there is no field rolls: did you mean roles?",
    "rolls"
)]
#[case::word(
    "  displayName: no\n",
    "spec.displayName: must be a string, and is a boolean: put it in quotes",
    "no"
)]
#[case::digits(
    "  displayName: 5\n",
    "spec.displayName: must be a string, and is a number: put it in quotes",
    "5"
)]
#[case::quoted(
    "  suspend: 'true'\n",
    "spec.suspend: must be true or false, and is a string: remove the quotes",
    "'true'"
)]
#[case::list(
    "  roles: {a: b}\n",
    "spec.roles: must be a list, and is a mapping: write a list",
    "roles"
)]
#[case::twice("  roles: [a, a]\n", "spec.roles[1]: \"a\" is in the list already", "a")]
#[case::form(
    "  roles: [A_b]\n",
    "spec.roles[0]: \"A_b\" has not the right form: write lower-case",
    "A_b"
)]
#[case::missing_below("  budgets: [{window: 1d}]\n", "is missing: set it", "window")]
fn one_fault_is_one_message_in_words(#[case] more: &str, #[case] message: &str, #[case] at: &str) {
    let found = problems(&format!("{BOT}{more}"));
    assert!(!found.is_empty());
    assert!(found[0].0.contains(message), "{found:?}");
    assert_eq!(found[0].1, at);
    assert!(found.iter().all(|(text, _)| text.len() < 400), "{found:?}");
}

#[test]
fn a_long_list_is_not_told() {
    let roles: Vec<String> = (0..400).map(|number| format!("r{number}")).collect();
    let found = problems(&format!("{BOT}  roles: [{}]\n", roles.join(", ")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("has 400 items: at most"), "{found:?}");
    assert!(found[0].0.len() < 120, "{found:?}");
}

#[rstest]
#[case::upper(json!({"name": "Triage"}), "metadata.name: use lower-case letters")]
#[case::missing(json!({}), "metadata.name: is missing")]
#[case::number(json!({"name": 5}), "metadata.name: must be a string")]
#[case::long(json!({"name": "a".repeat(254)}), "metadata.name: has 254 characters")]
#[case::dots(json!({"name": "a..b"}), "metadata.name: use lower-case letters")]
#[case::longer_than_a_bots(json!({"name": "a".repeat(28)}), "metadata.name: a Bot's name has at most 27 characters")]
#[case::reserved(json!({"name": "a-runner"}), "metadata.name: a Bot's name can't contain")]
#[case::namespace(json!({"name": "a", "namespace": "a.b"}), "metadata.namespace: use")]
#[case::slip(json!({"name": "a", "lables": {}}), "did you mean labels?")]
#[case::label_value(json!({"name": "a", "labels": {"a": "b c"}}), "metadata.labels.a: a label has")]
#[case::label_type(json!({"name": "a", "labels": {"a": true}}), "metadata.labels.a: must be a string")]
#[case::label_key(json!({"name": "a", "labels": {"a/b/c": "d"}}), "is no key")]
#[case::annotation(json!({"name": "a", "annotations": {"a": 1}}), "metadata.annotations.a: must be a string")]
#[case::annotations(json!({"name": "a", "annotations": {"a": "x".repeat(262_200)}}), "bytes: at most")]
#[case::finalizer(json!({"name": "a", "finalizers": ["a b"]}), "is no finalizer")]
fn metadata_is_judged(#[case] metadata: Value, #[case] message: &str) {
    let bot = json!({
        "apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": metadata,
        "spec": {"model": {"provider": "p", "name": "m"}}
    });
    let found = problems(&bot.to_string());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains(message), "{found:?}");
}

#[test]
fn nulls_and_status_are_nothing() {
    let text = format!("{BOT}  displayName: null\n  roles:\nstatus: {{nothing: [known]}}\n");
    let text = text.replace("name: m}", "name: m, stop: null}");
    assert_eq!(problems(&text), []);
    let source = Arc::new(Source {
        name: "t.yaml".to_owned(),
        text: text.replace("status: {nothing: [known]}\n", ""),
    });
    assert!(Manifest::all(&source, "team").is_ok());
}
