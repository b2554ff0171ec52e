//! From JSON text to decision: each engine with 1 to 1,000 policies, a call that the last one permits and one that none does.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use monstrum_guardian_peers::agreement::assert_agrees;
use monstrum_guardian_peers::peer::PREPARED;
use monstrum_guardian_peers::{POLICIES, rule};

fn checks(criterion: &mut Criterion) {
    for policies in POLICIES {
        for (name, prepare) in PREPARED {
            let mut peer = prepare(policies);
            assert_agrees(name, policies, peer.as_mut());
            let last = policies - 1;
            for (series, arguments) in [
                ("permitted", rule::arguments(last, 42)),
                ("denied", rule::arguments(last, 100_000)),
            ] {
                let mut group = criterion.benchmark_group(series);
                group.bench_function(BenchmarkId::new(*name, policies), |bencher| {
                    bencher.iter(|| peer.permits(black_box(&arguments)));
                });
                group.finish();
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = checks
}
criterion_main!(benches);
