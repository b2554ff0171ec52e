//! What an operator and a gateway do with a policy before any call: compile it, load it, and a whole fleet of them.
//!
//! From a call to its decision, beside other engines: `core/guardian/peers`.

#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark that cannot be set up is a failed benchmark"
)]

mod fixture {
    pub(super) mod rule;
}

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fixture::rule;
use monstrum_guardian::source::{BindingSource, BotSource, Grant, ResourceType, Tool};
use monstrum_guardian::{Engine, compile};

fn policies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("policy");
    for grants in [10_usize, 1_000] {
        let source = rule::bot(grants);
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
    let mut wide = rule::resource_type();
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
    let mut source = rule::bot(0);
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
                    ..rule::grant(bot + number)
                })
                .collect(),
            ..template.clone()
        })
        .collect();
    source
}

criterion_group!(benches, policies, fleet);
criterion_main!(benches);
