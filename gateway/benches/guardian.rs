//! A check as a runner asks for it: gRPC with mutual TLS over loopback, to a gateway with a runtime of its own, as it runs in its
//! process. Each check is timed by itself, one after the other.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    reason = "a benchmark that cannot be set up is a failed benchmark"
)]

use std::time::{Duration, Instant};

use monstrum_service::Channel;
use monstrum_testbed::world::{World, own_runner};
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckRequest, Verdict};
use tokio::runtime::{Builder, Runtime};

const WARM_UP: usize = 2_000;
const CHECKS: usize = 50_000;
/// As many as a gateway has when nothing is said.
const WORKERS: usize = 2;

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

fn main() {
    let (gateway, runner) = (runtime(WORKERS), runtime(1));
    let world = gateway.block_on(World::start());
    let tls = world.tls(&own_runner());
    let mut times = runner.block_on(async {
        let channel = world.connect(&tls);
        tokio::spawn(checks(GuardianClient::new(channel))).await.unwrap()
    });
    times.sort_unstable();
    let at = |thousandth: usize| times[times.len() * thousandth / 1000].as_micros();
    println!("| what | p50 | p99 | p99.9 | samples |\n| --- | --- | --- | --- | --- |");
    println!(
        "| a check over loopback gRPC with mutual TLS | {} µs | {} µs | {} µs | {CHECKS} |",
        at(500),
        at(990),
        at(999)
    );
    gateway.shutdown_background();
}

async fn checks(mut guardian: GuardianClient<Channel>) -> Vec<Duration> {
    let mut times = Vec::with_capacity(CHECKS);
    for check in 0..WARM_UP + CHECKS {
        let request = CheckRequest {
            tool: "list_issues".to_owned(),
            arguments_json: format!(r#"{{"owner":"acme","repo":"web-{check}"}}"#),
        };
        let started = Instant::now();
        let answer = guardian.check(request).await.unwrap().into_inner();
        let took = started.elapsed();
        assert_eq!(answer.verdict(), Verdict::Allow, "{}", answer.message);
        if check >= WARM_UP {
            times.push(took);
        }
    }
    times
}
