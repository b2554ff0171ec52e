//! Prints what a loaded policy occupies as a part of a Markdown page, counted at the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use monstrum_guardian::source::{BindingSource, BotSource, Grant, ResourceType, RunnerRef};
use monstrum_guardian::{Engine, compile};
use monstrum_guardian_peers::rule;
use serde::Deserialize as _;
use serde_json::{Value, json};

/// The bytes that are allocated now, as they were asked for.
static HELD: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; counting has no part in what it answers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of the same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of the same method.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const GITHUB: &str = include_str!("../../../../../charts/monstrum/resource-types/github.yaml");
const SHELL: &str = include_str!("../../../../../charts/monstrum/resource-types/shell.yaml");

fn main() {
    println!("| what a gateway holds in memory | heap |\n| --- | --- |");
    let bot = typical_bot();
    let grants: usize = bot.bindings.iter().map(|binding| binding.grants.len()).sum();
    let tools: usize = bot
        .bindings
        .iter()
        .map(|binding| binding.resource_type.tools.len())
        .sum();
    println!(
        "| a loaded bot: {} bindings of the charts' `github` and `shell`, {tools} tools, {grants} grants | {} |",
        bot.bindings.len(),
        kibibytes(loaded(&bot))
    );
    let (few, many) = (10, 1_010);
    let each = (loaded(&rule::bot(many)) - loaded(&rule::bot(few))) / (many - few);
    println!("| each grant of four patterns more | {} |", kibibytes(each));
}

/// What a loaded policy occupies, with the document that it keeps.
fn loaded(bot: &BotSource) -> usize {
    let compiled = compile(bot);
    assert_eq!(compiled.faults, []);
    let before = HELD.load(Ordering::Relaxed);
    let engine = Engine::load(&compiled.document).unwrap_or_else(|error| panic!("loads: {error}"));
    let held = HELD.load(Ordering::Relaxed) - before;
    drop(engine);
    held
}

/// Three repositories' worth of GitHub and two sandboxes, with the shipped types.
fn typical_bot() -> BotSource {
    let github = Arc::new(resource_type(GITHUB));
    let shell = Arc::new(resource_type(SHELL));
    let mut bindings = Vec::new();
    for team in ["web", "docs", "infra"] {
        let repositories = json!([format!("acme/{team}"), format!("acme/{team}-*")]);
        let grants = [
            json!({"origin": format!("binding/{team}#0"), "operations": ["issue.*"], "scope": {"repository": repositories}}),
            json!({"origin": format!("binding/{team}#1"), "operations": ["*"],
                   "scope": {"repository": repositories, "path": ["docs/**", "README.md"]}}),
        ];
        bindings.push(binding(team, &github, &grants));
    }
    for place in ["build", "debug"] {
        let grants = [
            json!({"origin": format!("binding/{place}#0"), "operations": ["*"],
                   "scope": {"command": ["git status", "git log --oneline *", "make test", "make lint"]}}),
            json!({"origin": format!("binding/{place}#1"), "operations": ["*"],
                   "scope": {"command": ["cargo test **", "cargo clippy **"]}}),
        ];
        bindings.push(binding(place, &shell, &grants));
    }
    rule::bot_with(bindings)
}

fn binding(name: &str, resource_type: &Arc<ResourceType>, grants: &[Value]) -> BindingSource {
    let grant = |grant: &Value| Grant::deserialize(grant).unwrap_or_else(|error| panic!("a grant: {error}"));
    BindingSource {
        name: name.to_owned(),
        alias: Some(name.to_owned()),
        resource: name.to_owned(),
        description: None,
        resource_type: Arc::clone(resource_type),
        config: json!({}),
        credential: None,
        runner: RunnerRef::Bot,
        grants: grants.iter().map(grant).collect(),
    }
}

/// The engine's part of a resource type as the charts install it.
fn resource_type(yaml: &str) -> ResourceType {
    let object: Value = serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("is YAML: {error}"));
    let mut tools = object["spec"]["tools"].clone();
    for tool in tools
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if let Some(request) = tool.remove("http") {
            tool.insert("execution".to_owned(), request);
        }
    }
    let source = json!({
        "name": object["metadata"]["name"], "executor": object["spec"]["executor"],
        "dimensions": object["spec"]["dimensions"], "tools": tools
    });
    serde_json::from_value(source).unwrap_or_else(|error| panic!("is a resource type: {error}"))
}

fn kibibytes(bytes: usize) -> String {
    let tenths = bytes * 10 / 1_024;
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}
