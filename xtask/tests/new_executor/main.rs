//! A new executor is one file in the contract and one folder in the runner: here is one, `echo`, and nothing else knows it.
//!
//! From objects as a user writes them, through the operator's validation and conversion and the engine's compilation and decision, to
//! the order that a gateway sends and to what the runner makes of it. `docs/recipes/adding-an-executor.md` points here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod runner;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use monstrum_contract::{Executors, Placement};
use monstrum_crds::contract::Contract;
use monstrum_crds::object::Object;
use monstrum_crds::validate::{Fault, validate};
use monstrum_crds::world::World;
use monstrum_crds::{convert, kinds::ResourceType};
use monstrum_guardian::decision::{Call as Asked, Decision, Facts, Verdict};
use monstrum_guardian::source::RunnerRef;
use monstrum_guardian::{Engine, compile};
use monstrum_runner::call::{Call, Output};
use monstrum_wire::runner::Execute;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Together with the others this is the line in `EXECUTORS`.
static EXECUTORS: Executors = Executors::new(&[&contract::Echo]);

fn resource_type() -> Value {
    json!({
        "apiVersion": "monstrum.dev/v1alpha1", "kind": "ResourceType", "metadata": {"name": "parrot"},
        "spec": {
            "executor": "echo",
            "config": {"schema": {"type": "object"}},
            "dimensions": [{"name": "word", "match": {"exact": {}}}],
            "tools": [{
                "name": "say", "description": "Says a word.", "operation": "word.say",
                "parameters": {"type": "object", "required": ["word"], "properties": {"word": {"type": "string"}}},
                "scope": [{"dimension": "word", "from": {"pointer": "/word"}}],
            }],
        },
    })
}

fn contract_of(object: &Value) -> Contract {
    let object: ResourceType = serde_json::from_value(object.clone()).unwrap();
    Contract::among(Arc::new(object), &EXECUTORS)
}

/// One bot that may say "hello" on one parrot with these settings.
fn world(config: &Value, runner: Option<&Value>) -> World {
    let mut world = World::new("team");
    let object = |kind: &str, name: &str, spec: Value| {
        let value = json!({
            "apiVersion": "monstrum.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "team"}, "spec": spec,
        });
        Object::read(value).unwrap()
    };
    let mut resource = json!({"type": "parrot", "config": config});
    if let (Some(spec), Some(runner)) = (resource.as_object_mut(), runner) {
        spec.insert("runner".to_owned(), runner.clone());
    }
    for object in [
        object("Resource", "polly", resource),
        object("Bot", "pirate", json!({})),
        object(
            "BotBinding",
            "pirate-polly",
            json!({"bot": "pirate", "resource": "polly", "grants": [{"operations": ["word.*"], "scope": {"word": ["hello"]}}]}),
        ),
    ] {
        world.insert(object).unwrap();
    }
    let known = Arc::new(contract_of(&resource_type()));
    world.resource_types.insert("parrot".to_owned(), known);
    world
}

fn faults(config: &Value, runner: Option<&Value>) -> Vec<Fault> {
    let world = world(config, runner);
    let resource = world.resources.get("polly").unwrap().as_ref().clone();
    validate(&Object::Resource(Box::new(resource)), &world)
}

#[test]
fn its_file_says_what_a_type_needs() {
    assert_eq!(contract_of(&resource_type()).faults, []);
    let mut other = resource_type();
    other["spec"]["dimensions"] = json!([]);
    other["spec"]["tools"][0]["scope"] = json!([]);
    let faults = contract_of(&other).faults;
    assert!(
        faults.iter().any(|fault| fault.field == "spec.dimensions"),
        "{faults:?}"
    );
    // Without its file it is a word that nobody carries out.
    let object: ResourceType = serde_json::from_value(resource_type()).unwrap();
    let unknown = Contract::new(Arc::new(object));
    let fields: Vec<_> = unknown.faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["spec.executor"]);
}

#[test]
fn its_file_says_what_settings_mean() {
    let image = json!({"image": "debian:13"});
    assert_eq!(faults(&json!({"greeting": "Ahoy,"}), None), []);
    assert_eq!(
        faults(&json!({"greeting": "Ahoy,", "confined": true}), Some(&image)),
        []
    );
    for (config, runner, field) in [
        (json!({}), None, "spec.config.greeting"),
        (
            json!({"greeting": "Ahoy,", "volume": 11}),
            None,
            "spec.config.volume",
        ),
        (
            json!({"greeting": "Ahoy,", "listener": "ftp://a"}),
            None,
            "spec.config.listener",
        ),
        (
            json!({"greeting": "Ahoy,", "listener": "http://169.254.169.254"}),
            None,
            "spec.config.listener",
        ),
        (json!({"greeting": "Ahoy,"}), Some(&image), "spec.runner"),
        (
            json!({"greeting": "Ahoy,", "confined": true}),
            None,
            "spec.runner.image",
        ),
    ] {
        let faults = faults(&config, runner);
        assert!(
            faults.iter().any(|fault| fault.field == field),
            "{config}: {faults:?}"
        );
    }
}

#[test]
fn its_file_says_which_runner_serves_it_and_where_that_goes() {
    assert_eq!(EXECUTORS.placed(Placement::Bot), ["echo"]);
    let image = json!({"image": "debian:13"});
    let confined = json!({"greeting": "Ahoy,", "confined": true});
    let conversion = convert::bot("pirate", &world(&confined, Some(&image))).unwrap();
    assert_eq!(
        conversion.source.bindings[0].runner,
        RunnerRef::Resource("polly".to_owned())
    );
    assert!(conversion.sandboxes.contains("polly"));
    let told = json!({"greeting": "Ahoy,", "listener": "https://harbour.example"});
    let world = world(&told, None);
    let reach = world.resource_types["parrot"].reach(&told);
    let urls: Vec<_> = reach.addresses().map(|address| address.url.as_str()).collect();
    assert_eq!(urls, ["https://harbour.example"]);
}

/// The order that a gateway sends for a permitted call, made of the policy and of nothing else.
fn order(engine: &Engine, word: &str) -> Option<Execute> {
    let asked = Asked {
        tool: "say",
        arguments: &json!({ "word": word }).to_string(),
    };
    let Decision { verdict, .. } = engine.check(&asked, &Facts::default());
    let Verdict::Allow(permit) = verdict else {
        return None;
    };
    let binding = engine.binding(&permit.binding).unwrap();
    Some(Execute {
        call_id: "call-1".to_owned(),
        executor: binding.executor.clone(),
        tool: permit.tool.to_string(),
        arguments_json: permit.arguments.to_string(),
        canonical_json: json!(permit.canonical).to_string(),
        config_json: binding.config.to_string(),
        ..Execute::default()
    })
}

#[tokio::test]
async fn its_folder_carries_out_what_was_permitted() {
    let world = world(&json!({"greeting": "Ahoy,"}), None);
    let conversion = convert::bot("pirate", &world).unwrap();
    let compilation = compile(&conversion.source);
    assert_eq!(compilation.faults, []);
    let engine = Engine::load(&compilation.document).unwrap();
    assert!(order(&engine, "mutiny").is_none());
    let order = order(&engine, "hello").unwrap();

    let mut executors = monstrum_runner::executor::Executors::default();
    executors.add(runner::Echo);
    let call = Call::new(order, CancellationToken::new()).unwrap();
    let (outbox, _inbox) = tokio::sync::mpsc::channel(1);
    let outcome = executors.execute(&call, &Output::new(&call, outbox)).await;
    assert_eq!(outcome.unwrap().content, b"Ahoy, hello");
}

/// Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn nobody_else_knows_a_particular_executor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = [
        "crds",
        "operator",
        "gateway",
        "ledger",
        "cli",
        "core/egress",
        "core/guardian",
        "runner",
    ];
    let own = root.join("runner/src/executor");
    let files = crates
        .iter()
        .flat_map(|name| sources(&root.join(name).join("src")));
    let named: Vec<_> = files
        .filter(|file| !file.starts_with(&own) && *file != own.with_extension("rs"))
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            let names = monstrum_contract::EXECUTORS.names().into_iter();
            names
                .map(|name| format!("monstrum_contract::{name}"))
                .any(|path| text.split(&path).skip(1).any(is_end_of_word))
        })
        .collect();
    assert_eq!(named, [] as [PathBuf; 0]);
}

fn is_end_of_word(rest: &str) -> bool {
    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
}
