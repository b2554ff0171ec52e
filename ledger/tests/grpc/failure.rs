//! When the database is gone: calls stop, and nobody is told more than that.

use monstrum_ledger::clock::Clock;
use monstrum_ledger::metrics::Metrics;
use monstrum_ledger::sqlite::SqliteStore;
use monstrum_ledger::upkeep::round;
use monstrum_wire::ledger::{AppendRequest, QuotaUseRequest, StartCallRequest};
use tonic::Code;

use crate::installation::{Installation, acquire, calls, gateway, record, unobserved};

#[tokio::test]
async fn without_its_writer_the_ledger_permits_nothing() {
    let mut installation = Installation::start().await;
    let identity = gateway("triage");
    let mut ledger = installation.ledger(&identity);
    let held = ledger
        .acquire_session(acquire("", "gateway-1"))
        .await
        .unwrap()
        .into_inner();
    installation.writer.abort();
    assert!((&mut installation.writer).await.unwrap_err().is_cancelled());
    let start = StartCallRequest {
        session: held.session,
        fence: held.fence,
        call_id: "c1".to_owned(),
        tool: "t".to_owned(),
        record: record("call.started").into(),
        ..StartCallRequest::default()
    };
    for status in [
        ledger
            .append(AppendRequest {
                record: record("decision").into(),
            })
            .await
            .unwrap_err(),
        ledger.start_call(start).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "the ledger's database failed: try again");
    }
    assert!(installation.chain(&identity).await.is_empty());
    let mut metrics = String::new();
    prometheus_client::encoding::text::encode(&mut metrics, &installation.registry).unwrap();
    for line in [
        r#"monstrum_ledger_errors_total{method="Append",class="Failure"} 1"#,
        r#"monstrum_ledger_request_seconds_count{method="AcquireSession"} 1"#,
        "monstrum_ledger_commit_seconds_count 1",
        "monstrum_ledger_appends_total 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn a_server_that_is_to_stop_answers_what_it_began_and_ends() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    ledger
        .quota_use(QuotaUseRequest {
            counters: calls(0, 0),
        })
        .await
        .unwrap();
    installation.service.request_shutdown("test");
    installation.server.await.unwrap().unwrap();
    installation.writer.await.unwrap().unwrap();
}

#[tokio::test]
async fn maintenance_settles_what_ran_out_and_counts_the_rows() {
    use monstrum_ledger::clock::Moment;
    use monstrum_ledger::quota::{Charge, CounterKey, CounterOf, QuotaStore as _};
    use monstrum_ledger::tenant::{BotKey, Owner, Spender};
    use monstrum_ledger::upkeep::UpkeepStore as _;

    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = SqliteStore::open(folder.path(), unobserved()).await.unwrap();
    tokio::spawn(writer.run());
    let spender = Spender {
        bot: BotKey::from(&crate::installation::bot_name("triage")),
        workspace: Some(Owner::workspace(
            "team-a",
            crate::installation::UID.parse().unwrap(),
        )),
    };
    let key = CounterKey {
        of: CounterOf::Workspace,
        quota: "calls".to_owned(),
        window_seconds: 0,
    };
    let long_ago = Moment::from_micros(1_000_000);
    for n in 0..700 {
        let charges = vec![Charge {
            key: key.clone(),
            amount: 1,
            limit: 1000,
        }];
        let second = std::time::Duration::from_secs(1);
        store
            .reserve(&spender, long_ago, &format!("r{n}"), charges, second)
            .await
            .unwrap();
    }
    let metrics = Metrics::default();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    round::round(&store, &Clock::default(), &metrics).await.unwrap();
    assert_eq!(store.rows().await.unwrap().open_reservations, 0);
    assert_eq!(
        store
            .quota_use(&spender, Clock::default().now(), vec![key])
            .await
            .unwrap()[0]
            .amount,
        700
    );
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(
        text.contains("monstrum_ledger_expired_reservations_total 700"),
        "{text}"
    );
    assert!(
        text.contains(r#"monstrum_ledger_rows{table="OpenReservations"} 0"#),
        "{text}"
    );
}
