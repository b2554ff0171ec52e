//! From JSON text to decision, with 1 to 1,000 grants of which the last one permits.
//!
//! Each grant is a host glob, a path prefix, a command prefix and an integer bound, as in the comparison with other engines.

#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark that cannot be set up is a failed benchmark"
)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::source::{BindingSource, BotName, BotSource, Grant, ResourceType, RunnerRef, Tool};
use monstrum_guardian::{Engine, compile};
use serde_json::json;

fn resource_type() -> ResourceType {
    let text = json!({"type": "string"});
    let feed = |name: &str| json!({"dimension": name, "from": {"pointer": format!("/{name}")}});
    serde_json::from_value(json!({
        "name": "bench", "executor": "shell",
        "dimensions": [
            {"name": "host", "match": {"host": {}}},
            {"name": "path", "match": {"path": {}}},
            {"name": "command", "match": {"command": {}}},
            {"name": "limit", "match": {"range": {}}}
        ],
        "tools": [{
            "name": "run", "description": "", "operation": "command.run",
            "parameters": {
                "type": "object", "required": ["host", "path", "command", "limit"],
                "properties": {"host": text, "path": text, "command": text, "limit": {"type": "integer"}}
            },
            "scope": [feed("host"), feed("path"), feed("command"), feed("limit")]
        }]
    }))
    .unwrap_or_else(|error| panic!("the resource type is well formed: {error}"))
}

fn grant(number: usize) -> Grant {
    Grant {
        origin: format!("binding/bench#{number:05}"),
        operations: vec!["command.run".to_owned()],
        scope: [
            ("host", json!([format!("*.s{number:05}.example.com")])),
            ("path", json!([format!("/srv/s{number:05}/**")])),
            ("command", json!([format!("deploy s{number:05} **")])),
            ("limit", json!([format!("1..{}", 100 + number)])),
        ]
        .into_iter()
        .map(|(name, patterns)| (name.to_owned(), patterns.as_array().cloned().unwrap_or_default()))
        .collect(),
        ..Grant::default()
    }
}

fn source(grants: usize) -> BotSource {
    BotSource {
        bot: BotName {
            namespace: "bench".to_owned(),
            name: "bench".to_owned(),
        },
        bindings: vec![BindingSource {
            name: "bench".to_owned(),
            alias: None,
            resource: "bench".to_owned(),
            description: None,
            resource_type: Arc::new(resource_type()),
            config: json!({}),
            credential: None,
            runner: RunnerRef::Bot,
            grants: (0..grants).map(grant).collect(),
        }],
        budgets: Vec::new(),
        delegations: Vec::new(),
    }
}

fn arguments(number: usize, limit: usize) -> String {
    json!({
        "host": format!("api.s{number:05}.example.com"), "path": format!("/srv/s{number:05}/releases/7"),
        "command": format!("deploy s{number:05} web blue"), "limit": limit
    })
    .to_string()
}

fn checks(criterion: &mut Criterion) {
    let facts = Facts::default();
    let mut group = criterion.benchmark_group("check");
    for grants in [1_usize, 10, 100, 1_000] {
        let engine =
            Engine::load(&compile(&source(grants)).document).unwrap_or_else(|error| panic!("loads: {error}"));
        let last = grants.saturating_sub(1);
        let permitted = arguments(last, 42);
        let denied = arguments(last, 100_000);
        for (name, text, allowed) in [("permitted", &permitted, true), ("denied", &denied, false)] {
            let call = Call {
                tool: "run",
                arguments: text,
            };
            assert_eq!(
                matches!(engine.check(&call, &facts).verdict, Verdict::Allow(_)),
                allowed,
                "{name}"
            );
            group.bench_with_input(BenchmarkId::new(name, grants), &call, |bencher, call| {
                bencher.iter(|| engine.check(black_box(call), &facts));
            });
        }
    }
    group.finish();
}

fn loads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    for grants in [10_usize, 1_000] {
        let source = source(grants);
        let document = compile(&source).document;
        group.bench_function(BenchmarkId::new("compile", grants), |bencher| {
            bencher.iter(|| compile(black_box(&source)));
        });
        group.bench_function(BenchmarkId::new("load", grants), |bencher| {
            bencher.iter(|| Engine::load(black_box(&document)));
        });
    }
    group.finish();
}

/// A thousand bots of five bindings each, every type with eight tools: what an operator does after a restart.
fn fleet(criterion: &mut Criterion) {
    let types: Vec<_> = (0..5).map(|number| Arc::new(wide_type(number))).collect();
    let bots: Vec<_> = (0..1_000).map(|bot| bot_of(bot, &types)).collect();
    assert_eq!(compile(&bots[0]).faults, []);
    let mut group = criterion.benchmark_group("fleet");
    group.sample_size(10);
    group.bench_function("compile 1,000 bots", |bencher| {
        bencher.iter(|| {
            bots.iter()
                .map(|bot| compile(bot).document.bindings.len())
                .sum::<usize>()
        });
    });
    group.finish();
}

fn wide_type(number: usize) -> ResourceType {
    let mut wide = resource_type();
    wide.name = format!("type{number}");
    let tool = wide.tools[0].clone();
    wide.tools = (0..8)
        .map(|place| Tool {
            name: format!("type{number}_tool{place}"),
            operation: format!("tool{place}.run"),
            ..tool.clone()
        })
        .collect();
    wide
}

fn bot_of(bot: usize, types: &[Arc<ResourceType>]) -> BotSource {
    let mut source = source(0);
    let template = source.bindings.remove(0);
    source.bindings = types
        .iter()
        .enumerate()
        .map(|(place, resource_type)| BindingSource {
            name: format!("binding{place}"),
            resource_type: Arc::clone(resource_type),
            grants: (0..2)
                .map(|number| Grant {
                    operations: vec!["*".to_owned()],
                    ..grant(bot + number)
                })
                .collect(),
            ..template.clone()
        })
        .collect();
    source
}

criterion_group!(benches, checks, loads, fleet);
criterion_main!(benches);
