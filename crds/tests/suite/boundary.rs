//! The boundary of a Workspace: who is refused, with which words, and that nobody else's grants are touched.

use monstrum_crds::conditions::Reason;
use monstrum_crds::convert;
use monstrum_crds::object::Kind::{self, *};
use monstrum_crds::validate::{self, Fault};
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

/// A scene whose Workspace has this boundary.
fn bounded(boundary: Value) -> Scene {
    let mut scene = Scene::new();
    scene.set(Workspace, "workspace", "/spec/boundary", boundary);
    scene
}

fn wide() -> Value {
    json!([
        {"resourceTypes": ["github"], "operations": ["*"], "scope": {"repository": ["acme/*"]}},
        {"resourceTypes": ["shell"], "operations": ["command.*"], "scope": {"command": ["git **", "ls --* **"]}}
    ])
}

fn refusals(scene: &Scene, kind: Kind, name: &str) -> Vec<Fault> {
    validate::refusals(&scene.object(kind, name), &scene.world())
}

/// The names of the bindings that a bot keeps.
fn kept(scene: &Scene, bot: &str) -> Vec<String> {
    let conversion = convert::bot(bot, &scene.world()).unwrap();
    conversion
        .source
        .bindings
        .into_iter()
        .map(|binding| binding.name)
        .collect()
}

#[test]
fn what_is_within_is_not_refused() {
    let scene = bounded(wide());
    assert_eq!(scene.faults(Workspace, "workspace"), []);
    for name in ["triage-acme", "triage-bench", "other-acme"] {
        assert_eq!(scene.faults(BotBinding, name), [], "{name}");
    }
    assert_eq!(scene.faults(BotRole, "reader"), []);
}

#[rstest]
#[case(BotBinding, "triage-acme", "/spec/grants/0/scope/repository", json!(["acme/web", "*/web"]), "spec.grants[0].scope.repository[1]", "repository a/web")]
#[case(BotBinding, "triage-bench", "/spec/grants/0/scope/command", json!(["git **", "git --* **"]), "spec.grants[0].scope.command[1]", "command git -a")]
#[case(BotRole, "base", "/spec/grants/0/scope/repository", json!(["**"]), "spec.grants[0].scope.repository[0]", "repository a")]
#[case(BotRole, "reader", "/spec/grants/1/scope/repository", json!(["acme/**"]), "spec.grants[1].scope.repository[0]", "repository acme/a/a")]
fn what_is_beyond_is_refused_with_the_smallest_example(
    #[case] kind: Kind,
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] field: &str,
    #[case] part: &str,
) {
    let mut scene = bounded(wide());
    scene.set(kind, name, pointer, value);
    let found = refusals(&scene, kind, name);
    assert!(
        found.iter().all(|fault| fault.reason == Reason::NotPermitted),
        "{found:#?}"
    );
    assert!(
        found.iter().any(|fault| fault.field == field
            && fault.message.contains(part)
            && fault.message.contains("widen spec.boundary")),
        "{found:#?}"
    );
}

#[test]
fn an_empty_boundary_permits_no_grant_at_all() {
    let scene = bounded(json!([]));
    for (kind, name) in [
        (BotBinding, "triage-acme"),
        (BotBinding, "other-acme"),
        (BotRole, "base"),
        (BotRole, "reader"),
    ] {
        assert_ne!(refusals(&scene, kind, name), [], "{kind} {name}");
    }
    assert_eq!(kept(&scene, "triage"), Vec::<String>::new());
}

#[test]
fn a_narrower_boundary_takes_grants_only_from_those_that_exceed_it() {
    let mut boundary = wide();
    boundary[0]["scope"]["repository"] = json!(["acme/web"]);
    let scene = bounded(boundary);
    assert_eq!(kept(&scene, "triage"), ["triage-acme", "triage-bench"]);
    assert_eq!(kept(&scene, "other"), Vec::<String>::new());
    let conversion = convert::bot("other", &scene.world()).unwrap();
    let fault = &conversion.faults[0];
    assert_eq!(
        (fault.kind, fault.name.as_str(), fault.reason),
        (BotBinding, "other-acme", Reason::NotPermitted)
    );
    assert!(fault.message.contains("repository acme/other"), "{fault}");
}

#[test]
fn a_role_beyond_the_boundary_grants_nothing_and_the_binding_stays() {
    let mut scene = bounded(wide());
    scene.set(BotRole, "base", "/spec/grants/0/scope/repository", json!(["**"]));
    let conversion = convert::bot("triage", &scene.world()).unwrap();
    let acme = conversion
        .source
        .bindings
        .iter()
        .find(|binding| binding.name == "triage-acme")
        .unwrap();
    let origins: Vec<_> = acme.grants.iter().map(|grant| grant.origin.as_str()).collect();
    assert_eq!(origins, ["binding/triage-acme#0", "role/reader#1"]);
    assert!(
        conversion
            .faults
            .iter()
            .any(|fault| fault.kind == BotRole && fault.name == "base")
    );
}

#[test]
fn nothing_is_within_the_boundary_of_a_workspace_that_cannot_be_read() {
    let mut scene = Scene::new();
    scene.remove(Workspace, "workspace");
    let mut world = scene.world();
    world.is_workspace_unreadable = true;
    let found = validate::refusals(&scene.object(BotBinding, "triage-acme"), &world);
    assert_eq!(
        found.iter().map(|fault| fault.reason).collect::<Vec<_>>(),
        [Reason::NotPermitted]
    );
    assert_eq!(convert::bot("triage", &world).unwrap().source.bindings, []);
}

/// A resource that is not right yet is no way around: its type says what the grants are about.
#[test]
fn grants_on_a_resource_that_is_not_right_are_judged() {
    let mut scene = bounded(json!([]));
    scene.set(Resource, "acme", "/spec/credential/name", json!("gone"));
    let found = refusals(&scene, BotBinding, "triage-acme");
    assert!(
        found.iter().any(|fault| fault.reason == Reason::NotPermitted),
        "{found:#?}"
    );
}

#[rstest]
#[case("/spec/boundary/0/scope/repository", json!(["acme/{a,b}"]), "spec.boundary[0].scope.repository[0]", Reason::Invalid)]
#[case("/spec/boundary/0/scope", json!({"repo": ["a/b"]}), "spec.boundary[0].scope.repo", Reason::Invalid)]
#[case("/spec/boundary/0/operations", json!(["issue.delete"]), "spec.boundary[0].operations[0]", Reason::Invalid)]
#[case("/spec/boundary/0/resourceTypes", json!(["gone"]), "spec.boundary[0].resourceTypes[0]", Reason::NotFound)]
fn a_boundary_must_make_sense(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] field: &str,
    #[case] reason: Reason,
) {
    let mut scene = bounded(wide());
    scene.set(Workspace, "workspace", pointer, value);
    let faults = scene.faults(Workspace, "workspace");
    assert!(
        faults
            .iter()
            .any(|fault| fault.field == field && fault.reason == reason),
        "{faults:#?}"
    );
    // And contains nothing meanwhile.
    assert_ne!(refusals(&scene, BotBinding, "other-acme"), []);
}

/// An operation that only one of several types has is no mistake.
#[test]
fn an_entry_about_several_types_may_name_what_one_of_them_has() {
    let scene = bounded(
        json!([{"resourceTypes": ["github", "shell"], "operations": ["issue.read", "command.execute"]}]),
    );
    assert_eq!(scene.faults(Workspace, "workspace"), []);
}
