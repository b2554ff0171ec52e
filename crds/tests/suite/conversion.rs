//! From a namespace's objects to policy sources: what is in, what is left out, and that nothing else changes.

use std::collections::BTreeSet;

use monstrum_contract::channel::Platform;
use monstrum_crds::conditions::Reason;
use monstrum_crds::convert::{self, BotConversion};
use monstrum_crds::kinds::model_provider::Dialect;
use monstrum_crds::object::Kind::{self, *};
use monstrum_crds::object::Object;
use monstrum_crds::world::{Misplaced, World};
use monstrum_guardian::source::{BindingSource, RunnerRef};
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

fn triage(scene: &Scene) -> BotConversion {
    convert::bot("triage", &scene.world()).unwrap()
}

fn other(scene: &Scene) -> BotConversion {
    convert::bot("other", &scene.world()).unwrap()
}

fn binding<'a>(conversion: &'a BotConversion, name: &str) -> Option<&'a BindingSource> {
    conversion
        .source
        .bindings
        .iter()
        .find(|binding| binding.name == name)
}

/// What a bot may do on ACME's repositories: the origin and operations of each grant.
fn granted(conversion: &BotConversion) -> Vec<(String, Vec<String>)> {
    let grants = binding(conversion, "triage-acme")
        .map(|binding| binding.grants.clone())
        .unwrap_or_default();
    grants
        .into_iter()
        .map(|grant| (grant.origin, grant.operations))
        .collect()
}

fn origins(conversion: &BotConversion) -> Vec<String> {
    granted(conversion)
        .into_iter()
        .map(|(origin, _)| origin)
        .collect()
}

#[test]
fn a_bot_has_its_bindings_with_the_grants_of_its_roles() {
    let conversion = triage(&Scene::new());
    assert_eq!(conversion.faults, []);
    assert_eq!(
        origins(&conversion),
        ["binding/triage-acme#0", "role/base#0", "role/reader#1"]
    );
    let acme = binding(&conversion, "triage-acme").unwrap();
    assert_eq!(acme.runner, RunnerRef::Bot);
    assert_eq!(acme.config["baseUrl"], "http://github.demo.svc:8080");
    assert_eq!(acme.description.as_deref(), Some("ACME's repositories."));
    let credential = acme.credential.as_ref().unwrap();
    assert_eq!(
        (credential.name.as_str(), credential.method.as_str()),
        ("github-token", "token")
    );
    assert_eq!(credential.presentation, json!({ "bearer": { "field": "token" } }));
    assert_eq!(acme.grants[0].quotas[0].window_seconds, Some(86_400));
    let bench = binding(&conversion, "triage-bench").unwrap();
    assert_eq!(bench.runner, RunnerRef::Resource("bench".to_owned()));
    assert_eq!(conversion.sandboxes, BTreeSet::from(["bench".to_owned()]));
}

#[test]
fn the_engine_compiles_what_comes_out() {
    let scene = Scene::new();
    for conversion in [triage(&scene), other(&scene)] {
        let compiled = monstrum_guardian::compile(&conversion.source);
        assert_eq!(compiled.faults, []);
        assert_eq!(compiled.document.bindings.len(), conversion.source.bindings.len());
    }
}

#[test]
fn the_order_of_the_objects_changes_nothing() {
    let scene = Scene::new();
    for bot in ["triage", "other"] {
        assert_eq!(
            convert::bot(bot, &scene.world()),
            convert::bot(bot, &scene.reversed_world())
        );
    }
}

#[rstest]
// Whatever a binding needs: without it, the binding is gone and the other one stays.
#[case(Resource, "acme", "/spec/type", json!("gone"))]
#[case(Resource, "acme", "/spec/config/baseUrl", json!("ftp://x/"))]
#[case(Resource, "acme", "/spec/credential/name", json!("gone"))]
#[case(Resource, "acme", "/spec/credential/method", json!("gone"))]
#[case(ResourceType, "github", "/spec/tools/0/http/path", json!("/{/gone}"))]
#[case(Credential, "github-token", "/spec/method/static/fields/0/name", json!("gone"))]
#[case(BotBinding, "triage-acme", "/spec/resource", json!("gone"))]
#[case(BotBinding, "triage-acme", "/spec/grants/0/operations/0", json!("issue.gone"))]
#[case(BotBinding, "triage-acme", "/spec/grants/0/quotas/0/window", json!("soon"))]
#[case(BotBinding, "triage-acme", "/spec/credential", json!({"name": "gone", "method": "token"}))]
#[case(Workspace, "workspace", "/spec/permittedResourceTypes", json!(["shell"]))]
#[case(Workspace, "workspace", "/spec/permittedResourceTypes", json!(["Github", "shell"]))]
fn a_bad_object_takes_only_what_depends_on_it(
    #[case] kind: Kind,
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] value: Value,
) {
    let mut scene = Scene::new();
    scene.set(kind, name, pointer, value);
    let conversion = triage(&scene);
    assert!(binding(&conversion, "triage-acme").is_none());
    assert!(binding(&conversion, "triage-bench").is_some());
    let fault = conversion
        .faults
        .iter()
        .find(|fault| fault.kind == BotBinding)
        .unwrap();
    assert_eq!(fault.name, "triage-acme");
    assert!(
        !fault.message.is_empty() && fault.field.starts_with("spec."),
        "{fault}"
    );
}

#[test]
fn a_bad_binding_of_one_bot_is_nothing_to_another() {
    let mut scene = Scene::new();
    let before = other(&scene);
    scene.set(
        BotBinding,
        "triage-acme",
        "/spec/grants/0/operations/0",
        json!("gone"),
    );
    scene.set(BotRole, "base", "/spec/grants/0/operations/0", json!("gone"));
    scene.remove(Resource, "bench");
    assert_eq!(other(&scene), before);
}

#[test]
fn a_secret_that_is_not_there_takes_the_binding_away() {
    let mut scene = Scene::new();
    scene.remove_secret_key("github");
    let conversion = triage(&scene);
    assert!(binding(&conversion, "triage-acme").is_none());
    assert!(
        conversion
            .faults
            .iter()
            .any(|fault| fault.message.contains("\"keys\" with key \"github\""))
    );
}

#[test]
fn another_bots_binding_gives_nothing() {
    let mut scene = Scene::new();
    scene.remove(BotBinding, "triage-acme");
    let conversion = triage(&scene);
    assert_eq!(
        conversion
            .source
            .bindings
            .iter()
            .map(|binding| &binding.name)
            .collect::<Vec<_>>(),
        ["triage-bench"]
    );
}

#[test]
fn a_role_alone_binds_nothing() {
    let mut scene = Scene::new();
    scene.set(Bot, "other", "/spec/roles", json!(["reader"]));
    scene.remove(BotBinding, "other-acme");
    assert_eq!(other(&scene).source.bindings, []);
}

#[test]
fn a_role_is_only_for_the_resources_that_it_names() {
    let mut scene = Scene::new();
    scene.set(BotRole, "reader", "/spec/grants/0/resources", json!(["acme"]));
    assert_eq!(
        origins(&triage(&scene)),
        [
            "binding/triage-acme#0",
            "role/base#0",
            "role/reader#0",
            "role/reader#1"
        ]
    );
}

#[test]
fn a_circle_of_roles_grants_nothing() {
    let mut scene = Scene::new();
    scene.set(BotRole, "base", "/spec/parent", json!("reader"));
    let conversion = triage(&scene);
    assert_eq!(origins(&conversion), ["binding/triage-acme#0"]);
    assert!(
        conversion
            .faults
            .iter()
            .any(|fault| fault.kind == BotRole && fault.reason == Reason::Cycle)
    );
}

#[test]
fn a_role_of_its_own_parent_grants_nothing() {
    let mut scene = Scene::new();
    scene.set(BotRole, "reader", "/spec/parent", json!("reader"));
    assert_eq!(origins(&triage(&scene)), ["binding/triage-acme#0"]);
}

#[test]
fn a_bad_role_grants_nothing_and_its_parent_nothing_through_it() {
    let mut scene = Scene::new();
    scene.set(BotRole, "reader", "/spec/grants/0/operations/0", json!("gone"));
    assert_eq!(origins(&triage(&scene)), ["binding/triage-acme#0"]);
}

#[test]
fn a_bad_parent_takes_only_itself_away() {
    let mut scene = Scene::new();
    scene.set(BotRole, "base", "/spec/grants/0/operations/0", json!("gone"));
    assert_eq!(
        origins(&triage(&scene)),
        ["binding/triage-acme#0", "role/reader#1"]
    );
    scene.remove(BotRole, "base");
    assert_eq!(
        origins(&triage(&scene)),
        ["binding/triage-acme#0", "role/reader#1"]
    );
}

#[test]
fn a_role_for_a_type_that_is_not_there_keeps_its_other_grants() {
    let mut scene = Scene::new();
    scene.set(BotRole, "reader", "/spec/grants/0/resourceType", json!("gone"));
    assert_eq!(
        origins(&triage(&scene)),
        ["binding/triage-acme#0", "role/base#0", "role/reader#1"]
    );
}

#[test]
fn a_role_that_is_not_there_is_told() {
    let mut scene = Scene::new();
    scene.remove(BotRole, "reader");
    let conversion = triage(&scene);
    assert_eq!(origins(&conversion), ["binding/triage-acme#0"]);
    assert_eq!(
        (conversion.faults[0].kind, conversion.faults[0].field.as_str()),
        (Bot, "spec.roles[0]")
    );
}

#[test]
fn a_binding_has_its_own_credential_if_it_names_one() {
    let mut scene = Scene::new();
    scene.add(json!({
        "apiVersion": "monstrum.dev/v1alpha1", "kind": "Credential", "metadata": { "name": "mine", "namespace": "team" },
        "spec": { "method": { "static": { "fields": [{ "name": "token", "secretKeyRef": { "name": "mine", "key": "t" } }] } }, "hosts": ["http://github.demo.svc:8080"] }
    }));
    scene.set(
        BotBinding,
        "triage-acme",
        "/spec/credential",
        json!({ "name": "mine", "method": "token" }),
    );
    let name = |conversion: &BotConversion, of: &str| {
        binding(conversion, of).unwrap().credential.clone().unwrap().name
    };
    assert_eq!(name(&triage(&scene), "triage-acme"), "mine");
    assert_eq!(name(&other(&scene), "other-acme"), "github-token");
}

#[test]
fn the_version_changes_with_the_secret_and_only_then() {
    let scene = Scene::new();
    let version = |world: &World| {
        let conversion = convert::bot("triage", world).unwrap();
        binding(&conversion, "triage-acme")
            .unwrap()
            .credential
            .clone()
            .unwrap()
            .version
    };
    let mut world = scene.world();
    let first = version(&world);
    world
        .secret_versions
        .insert(("keys".to_owned(), "model".to_owned()), Some("2".to_owned()));
    assert_eq!(version(&world), first);
    world
        .secret_versions
        .insert(("keys".to_owned(), "github".to_owned()), Some("2".to_owned()));
    assert_ne!(version(&world), first);
    let mut remade = Scene::new();
    remade.set(Credential, "github-token", "/metadata/uid", json!("uid-3"));
    assert_ne!(version(&remade.world()), first);
}

#[test]
fn model_prompts_and_limits_are_the_bots_or_the_workspaces() {
    let scene = Scene::new();
    let resolved = triage(&scene).resolved.unwrap();
    assert_eq!(resolved.display_name, "Triage");
    assert_eq!(resolved.system_prompt, "You work for ACME.");
    assert_eq!(
        (resolved.limits.max_steps, resolved.limits.call_timeout_seconds),
        (12, 60)
    );
    let model = resolved.model;
    assert_eq!(
        (model.provider.as_str(), model.id.as_str(), model.dialect),
        ("models", "small", Dialect::OpenAI)
    );
    assert_eq!(model.base_url, "https://models.example.com/v1");
    assert_eq!(
        (model.prices.input, model.prices.cached_input, model.prices.output),
        (500_000, 500_000, 1_500_000)
    );
    assert_eq!(
        (model.context_tokens, model.max_output_tokens, model.temperature),
        (32_000, 4_096, None)
    );
    assert_eq!(model.credential.unwrap().name, "model-key");

    let resolved = other(&scene).resolved.unwrap();
    assert_eq!(
        (resolved.display_name.as_str(), resolved.system_prompt.as_str()),
        ("other", "You are another one.")
    );
    assert_eq!(
        (resolved.model.id.as_str(), resolved.model.max_output_tokens),
        ("large", 100)
    );
    assert_eq!(resolved.model.temperature, Some(0.5));
}

#[test]
fn a_models_requests_are_as_it_says_and_else_as_its_provider_says() {
    let mut scene = Scene::new();
    let general =
        json!({"streaming": false, "outputLimitField": "None", "extraBody": {"top_k": 1, "store": false}});
    let own = json!({"outputLimitField": "max_completion_tokens", "extraBody": {"top_k": 2}});
    scene.set(Kind::ModelProvider, "models", "/spec/request", general);
    scene.set(Kind::ModelProvider, "models", "/spec/models/0/request", own);
    scene.set(
        Kind::ModelProvider,
        "models",
        "/spec/models/0/images",
        json!(true),
    );
    let wanted =
        json!({"topP": "0.25", "stop": ["END"], "seed": 7, "toolChoice": "Auto", "parallelToolCalls": true});
    scene.set(Kind::Bot, "triage", "/spec/model", wanted);
    let model = triage(&scene).resolved.unwrap().model;
    assert!(model.images);
    assert_eq!(
        model.request.output_limit_field.as_deref(),
        Some("max_completion_tokens")
    );
    assert_eq!(model.request.streaming, Some(false));
    assert_eq!(
        json!(model.request.extra_body),
        json!({"store": false, "top_k": 2})
    );
    assert_eq!(
        (
            model.generation.top_p,
            model.generation.seed,
            model.generation.parallel_tool_calls
        ),
        (Some(0.25), Some(7), Some(true))
    );

    let large = other(&scene).resolved.unwrap().model;
    assert_eq!(large.request.output_limit_field.as_deref(), Some("None"));
    assert!(!large.images);
}

#[test]
fn without_a_usable_model_the_permissions_stay() {
    let mut scene = Scene::new();
    scene.remove_secret_key("model");
    let conversion = triage(&scene);
    assert_eq!(conversion.resolved, None);
    assert_eq!(conversion.source.bindings.len(), 2);
    assert!(
        conversion
            .faults
            .iter()
            .any(|fault| fault.kind == Bot && fault.reason == Reason::RefInvalid)
    );
}

#[test]
fn without_a_workspace_a_bot_that_chooses_no_model_is_told_so() {
    let mut scene = Scene::new();
    scene.remove(Workspace, "workspace");
    let conversion = triage(&scene);
    assert_eq!(conversion.resolved, None);
    assert!(
        conversion
            .faults
            .iter()
            .any(|fault| fault.field == "spec.model" && fault.message.contains("Workspace"))
    );
}

#[test]
fn faults_are_ordered_and_not_repeated() {
    let mut scene = Scene::new();
    scene.set(
        Bot,
        "triage",
        "/spec/roles",
        json!(["reader", "base", "gone", "lost"]),
    );
    scene.set(BotRole, "base", "/spec/grants/0/operations/0", json!("gone"));
    let faults = triage(&scene).faults;
    let mut sorted = faults.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(faults, sorted);
    assert_eq!(faults.iter().filter(|fault| fault.kind == BotRole).count(), 1);
}

#[test]
fn a_channel_gets_its_defaults_and_loses_routes_to_nowhere() {
    let mut scene = Scene::new();
    let resolved = convert::channel::convert("inbox", &scene.world())
        .unwrap()
        .resolved
        .unwrap();
    let Platform::Webhook(webhook) = &resolved.platform;
    assert_eq!((webhook.tolerance_seconds, webhook.max_body_bytes), (300, 65_536));
    assert_eq!(
        (resolved.talkers.users.as_slice(), resolved.talkers.everyone),
        (["u-1".to_owned()].as_slice(), false)
    );
    let bots: Vec<_> = resolved.routes.iter().map(|route| route.bot.as_str()).collect();
    assert_eq!(bots, ["triage", "other"]);
    let (alerts, rest) = (&webhook.routes["alerts"], &webhook.routes["rest"]);
    assert_eq!(
        (alerts.path.as_str(), alerts.text.as_str(), alerts.user.as_str()),
        ("/alerts", "/text", "/user")
    );
    assert_eq!(alerts.matches[0].equals, json!(3));
    assert_eq!(
        (rest.path.as_str(), rest.session.as_deref()),
        ("/", Some("/thread"))
    );

    scene.remove(Bot, "triage");
    let conversion = convert::channel::convert("inbox", &scene.world()).unwrap();
    assert_eq!(conversion.resolved.unwrap().routes.len(), 1);
    assert_eq!(conversion.faults[0].field, "spec.routes[0].bot");
}

#[test]
fn a_channel_without_its_secret_or_talkers_hears_nobody() {
    let mut scene = Scene::new();
    scene.set(Channel, "inbox", "/spec/talkers", json!(null));
    let resolved = convert::channel::convert("inbox", &scene.world())
        .unwrap()
        .resolved
        .unwrap();
    assert!(resolved.talkers.users.is_empty() && !resolved.talkers.everyone);
    scene.remove_secret_key("webhook");
    assert_eq!(
        convert::channel::convert("inbox", &scene.world())
            .unwrap()
            .resolved,
        None
    );
}

#[test]
fn a_world_takes_no_object_of_another_namespace() {
    let object = |name: &str, namespace: &str| {
        Object::read(json!({
            "apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": { "name": name, "namespace": namespace }, "spec": {}
        }))
        .unwrap()
    };
    let mut world = World::new("team");
    world.insert(object("a", "team")).unwrap();
    assert!(matches!(
        world.insert(object("b", "other")),
        Err(Misplaced::Foreign { .. })
    ));
    assert!(matches!(
        world.insert(object("a", "team")),
        Err(Misplaced::Twice { .. })
    ));
    assert_eq!(world.bots.len(), 1);
}
