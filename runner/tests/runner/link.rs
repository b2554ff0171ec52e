//! The whole runner process, attached to a gateway over mutual TLS.

use std::time::Duration;

use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::runner::{Execute, FailureKind};
use rustix::process::Signal;
use serde_json::json;

use crate::gateway::{Gateway, Runner, authority, bot};
use crate::shell::workspace;
use crate::support::{eventually, http_call, runs, shell_call, with_token};
use crate::upstream::Upstream;

fn named(call_id: &str, execute: Execute) -> Execute {
    Execute {
        call_id: call_id.to_owned(),
        ..execute
    }
}

fn kind(kind: FailureKind) -> Result<Vec<u8>, i32> {
    Err(kind.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_executed_over_the_link() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    assert!(matches!(&attached.identity, Identity::Runner { runner, .. } if runner == "default"));
    assert_eq!(attached.hello.executors, ["http", "shell"]);
    assert_eq!(attached.hello.replica, "runner-0");
    let (upstream, (_folder, config)) = (Upstream::start().await, workspace());
    let call = http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/x"}),
        json!({}),
    );
    assert_eq!(
        attached.result(with_token(call)).await.unwrap(),
        "{\"target\":\"/x\"}"
    );
    assert_eq!(
        attached
            .result(shell_call(config, &["echo", "hi"]))
            .await
            .unwrap(),
        "hi\n"
    );
    assert!(runner.ready().await);
    let metrics = runner.metrics().await;
    assert!(metrics.contains("monstrum_runner_attached 1\n"), "{metrics}");
    assert!(
        metrics.contains("monstrum_runner_calls_total{executor=\"Http\",outcome=\"Success\"} 1"),
        "{metrics}"
    );
    assert!(!metrics.contains("probe"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_the_wire_that_makes_no_sense_is_answered() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let _runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    for wrong in [
        Execute {
            arguments_json: "[1".to_owned(),
            ..http_call(json!({}), json!({}), json!({}))
        },
        Execute {
            executor: "docker".to_owned(),
            ..http_call(json!({}), json!({}), json!({}))
        },
        Execute {
            config_json: "nonsense".to_owned(),
            ..shell_call(json!({}), &["true"])
        },
        Execute::default(),
    ] {
        assert_eq!(attached.result(wrong).await, Err(FailureKind::Invalid.into()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runners_own_files_and_memory_stay_its_own() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    let (_folder, mut config) = workspace();
    config["readOnlyPaths"] = json!(["/"]);
    let (pid, tls) = (runner.child.id(), runner.tls_dir().display().to_string());
    let targets = [
        format!("/proc/{pid}/environ"),
        format!("/proc/{pid}/mem"),
        format!("/proc/{pid}/maps"),
        format!("/proc/{pid}/fd/0"),
        format!("/proc/{pid}/root{tls}/tls.key"),
        format!("{tls}/tls.key"),
        format!("/proc/self/root{tls}/tls.key"),
    ];
    for target in targets {
        let output = attached
            .result(shell_call(config.clone(), &["cat", &target]))
            .await
            .unwrap();
        assert!(output.contains("Permission denied"), "{target}: {output}");
        assert!(
            !output.contains("PRIVATE KEY") && !output.contains("environment-of-the-runner"),
            "{target}"
        );
    }
    let environment = attached.result(shell_call(config, &["env"])).await.unwrap();
    assert!(!environment.contains("LEAKED_SECRET"), "{environment}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_is_stopped_and_the_others_go_on() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let _runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    let (_folder, config) = workspace();
    attached
        .execute(named("long", shell_call(config.clone(), &["sleep", "431.1"])))
        .await;
    attached
        .execute(named(
            "other",
            shell_call(config.clone(), &["bash", "-c", "sleep 1; echo other"]),
        ))
        .await;
    eventually("the command runs", || runs("431.1")).await;
    // A call that is known is not started again.
    attached
        .execute(named("long", shell_call(config, &["echo", "twice"])))
        .await;
    attached.cancel("long").await;
    attached.cancel("no such call").await;
    assert_eq!(
        attached.finished().await.unwrap(),
        ("long".to_owned(), kind(FailureKind::Cancelled))
    );
    assert!(!runs("431.1"));
    assert_eq!(
        attached.finished().await.unwrap(),
        ("other".to_owned(), Ok(b"other\n".to_vec()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_comes_back_is_attached_to_and_gets_no_old_result() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let runner = Runner::start(&authority, gateway.address, &[]);
    let attached = gateway.attached().await;
    let (_folder, config) = workspace();
    attached
        .execute(named(
            "old",
            shell_call(config.clone(), &["bash", "-c", "sleep 432.2; echo old"]),
        ))
        .await;
    eventually("the command runs", || runs("432.2")).await;
    let address = gateway.address.to_string();
    drop((attached, gateway));
    eventually("the effect is stopped", || !runs("432.2")).await;
    assert!(!runner.ready().await);
    let mut gateway = Gateway::start(&authority, &address).await;
    let mut attached = gateway.attached().await;
    let result = attached
        .result(named("new", shell_call(config, &["echo", "new"])))
        .await;
    assert_eq!(result.unwrap(), "new\n");
    assert!(runner.ready().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_runner_takes_its_commands_along() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let mut runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    let (_folder, config) = workspace();
    attached.execute(shell_call(config, &["sleep", "433.3"])).await;
    eventually("the command runs", || runs("433.3")).await;
    runner.child.kill().unwrap();
    runner.child.wait().unwrap();
    assert_eq!(attached.finished().await, None);
    eventually("the command is gone", || !runs("433.3")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_it_finishes_what_runs_and_takes_nothing_new() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let mut runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    let (_folder, config) = workspace();
    let script = "echo begun; sleep 2; echo 434.4 done";
    attached
        .execute(named(
            "running",
            shell_call(config.clone(), &["bash", "-c", script]),
        ))
        .await;
    eventually("the command runs", || runs(script)).await;
    runner.signal(Signal::TERM);
    tokio::time::sleep(Duration::from_millis(300)).await;
    attached
        .execute(named("late", shell_call(config, &["echo", "late"])))
        .await;
    assert_eq!(
        attached.finished().await.unwrap(),
        ("late".to_owned(), kind(FailureKind::Cancelled))
    );
    let (call_id, result) = attached.finished().await.unwrap();
    assert_eq!(
        (call_id.as_str(), result),
        ("running", Ok(b"begun\n434.4 done\n".to_vec()))
    );
    assert!(runner.ended().await.success());
    assert_eq!(attached.finished().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_drain_deadline_what_runs_is_killed() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let mut runner = Runner::start(&authority, gateway.address, &["--drain-seconds", "1"]);
    let attached = gateway.attached().await;
    let (_folder, config) = workspace();
    attached
        .execute(shell_call(config, &["bash", "-c", "sleep 435.5 & sleep 435.5"]))
        .await;
    eventually("the command runs", || runs("435.5")).await;
    runner.signal(Signal::TERM);
    runner.ended().await;
    eventually("the command is gone", || !runs("435.5")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_are_turned_away() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let _runner = Runner::start(&authority, gateway.address, &["--concurrency", "2"]);
    let mut attached = gateway.attached().await;
    let (_folder, config) = workspace();
    for number in 0..10 {
        attached
            .execute(named(
                &format!("c{number}"),
                shell_call(config.clone(), &["sleep", "1"]),
            ))
            .await;
    }
    let mut results = Vec::new();
    for _ in 0..10 {
        results.push(attached.finished().await.unwrap().1);
    }
    let performed = results.iter().filter(|result| result.is_ok()).count();
    let busy = results
        .iter()
        .filter(|result| **result == kind(FailureKind::Internal))
        .count();
    assert_eq!((performed, busy), (4, 6), "{results:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_larger_than_a_message_arrives_whole() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let _runner = Runner::start(&authority, gateway.address, &[]);
    let mut attached = gateway.attached().await;
    let text = "x".repeat(9_000_000);
    let expected = text.clone();
    let upstream = Upstream::answering(move |_| {
        crate::upstream::answer(200, &[("content-type", "text/plain")], text.clone())
    })
    .await;
    let mut call = http_call(
        upstream.config(),
        json!({"method": "GET", "path": "/"}),
        json!({}),
    );
    call.max_result_bytes = 10_000_000;
    assert!(attached.result(call).await.unwrap() == expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_not_attached_to_and_not_accepted() {
    let (own, foreign) = (authority(), authority());
    let mut gateway = Gateway::start(&foreign, "127.0.0.1:0").await;
    let runner = Runner::start(&own, gateway.address, &[]);
    assert!(!gateway.attached_within(Duration::from_secs(2)).await);
    assert!(!runner.ready().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_attaches_to_every_gateway_that_one_of_them_names() {
    let authority = authority();
    let mut first = Gateway::start(&authority, "127.0.0.1:0").await;
    let mut second = Gateway::start(&authority, "127.0.0.1:0").await;
    let runner = Runner::start(&authority, first.address, &[]);
    let held = first.attached().await;
    assert!(!second.attached_within(Duration::from_millis(300)).await);
    first.gateways.send_replace(vec![first.address, second.address]);
    let _second_held = second.attached().await;
    let metrics = runner.metrics().await;
    assert!(metrics.contains("monstrum_runner_attached 2\n"), "{metrics}");
    // One that is no longer named keeps its stream while it holds, and is not dialled again after.
    first.gateways.send_replace(vec![first.address]);
    drop(second);
    while !runner.metrics().await.contains("monstrum_runner_attached 1\n") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(runner.ready().await);
    assert!(
        !first.attached_within(Duration::from_millis(300)).await,
        "one stream each"
    );
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_must_show_the_services_name() {
    let authority = authority();
    let mut gateway = Gateway::start(&authority, "127.0.0.1:0").await;
    let _runner = Runner::start(
        &authority,
        gateway.address,
        &["--gateway-name", "other-gateway.team.svc"],
    );
    assert!(!gateway.attached_within(Duration::from_secs(2)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_attaches_to_no_gateway_but_that_of_its_own_bot() {
    let authority = authority();
    let namesake = BotId {
        uid: "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7".parse().unwrap(),
        ..bot()
    };
    for other in [Identity::Gateway(namesake), Identity::Operator] {
        let mut gateway = Gateway::start_as(&authority, "127.0.0.1:0", &other).await;
        let _runner = Runner::start(&authority, gateway.address, &[]);
        assert!(!gateway.attached_within(Duration::from_secs(2)).await, "{other}");
    }
}
