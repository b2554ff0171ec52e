//! Calls: once started, once finished, each with its record.

use futures::future::join_all;
use monstrum_ledger::audit::Page;
use monstrum_ledger::call::{CallEnd, CallStart, CallStore as _, Outcome, Reserve};
use monstrum_ledger::quota::Use;
use monstrum_ledger::session::{SessionLease, SessionStore as _};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::BotKey;
use monstrum_ledger::upkeep::UpkeepStore as _;
use monstrum_wire::ledger::AuditRecord;

use crate::database::{Database, at, bot, charge, claim, counter, held, seconds_of, spender, used};

fn start(held: &SessionLease, call: &str) -> CallStart {
    CallStart {
        lease: held.clone(),
        call: call.to_owned(),
        turn: "t1".to_owned(),
        tool: "github__list_issues".to_owned(),
        idempotent: true,
        record: AuditRecord {
            verdict: "allow".to_owned(),
            grant: "g".to_owned(),
            ..AuditRecord::default()
        },
        reserve: None,
    }
}

fn end(call: &str, outcome: Outcome, record: AuditRecord) -> CallEnd {
    CallEnd {
        call: call.to_owned(),
        outcome,
        record,
        uses: None,
    }
}

async fn records<S: Store>(store: &S, bot: &BotKey) -> Vec<AuditRecord> {
    store
        .read(
            bot,
            &Page {
                from: 0,
                to: u64::MAX,
                limit: 1000,
                session: None,
            },
        )
        .await
        .unwrap()
}

async fn unfinished<S: Store>(store: &S, bot: &BotKey) -> Vec<String> {
    let calls = store.unfinished_calls(bot, "s", 100).await.unwrap();
    calls.into_iter().map(|call| call.call_id).collect()
}

pub(crate) async fn a_call_starts_once_however_many_try(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let spends = spender(&triage);
    let attempts = (0..32).map(|_| store.start_call(&spends, at(1), start(&hold, "c1")));
    let results = join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.into_iter().filter_map(Result::err);
    assert!(
        refused
            .into_iter()
            .all(|error| matches!(error, StoreError::CallStarted(_)))
    );
    assert_eq!(records(&store, &triage).await.len(), 1);
    store
        .finish_call(&triage, at(2), end("c1", Outcome::Ok, AuditRecord::default()))
        .await
        .unwrap();
    let again = store
        .start_call(&spender(&triage), at(3), start(&hold, "c1"))
        .await;
    assert!(
        matches!(again, Err(StoreError::CallStarted(_))),
        "a finished call does not start again"
    );
}

pub(crate) async fn a_started_call_is_recorded_under_its_own_names(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let lying = AuditRecord {
        kind: "decision".to_owned(),
        session: "other".to_owned(),
        turn: "other".to_owned(),
        call_id: "other".to_owned(),
        tool: "other".to_owned(),
        verdict: "allow".to_owned(),
        ..AuditRecord::default()
    };
    let begun = CallStart {
        record: lying.clone(),
        ..start(&hold, "c1")
    };
    assert_eq!(
        store.start_call(&spender(&triage), at(1), begun).await.unwrap(),
        1
    );
    assert_eq!(
        store
            .finish_call(&triage, at(2), end("c1", Outcome::Error, lying))
            .await
            .unwrap(),
        2
    );
    for (record, kind) in records(&store, &triage)
        .await
        .iter()
        .zip(["call.started", "call.finished"])
    {
        assert_eq!(record.kind, kind);
        let names = [&record.session, &record.turn, &record.call_id, &record.tool];
        assert_eq!(names, ["s", "t1", "c1", "github__list_issues"]);
        assert_eq!(record.verdict, "allow");
    }
}

pub(crate) async fn a_refused_start_leaves_no_trace(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let stale = SessionLease {
        fence: 77,
        ..hold.clone()
    };
    let nowhere = SessionLease {
        session: "nowhere".to_owned(),
        ..hold
    };
    assert!(matches!(
        store
            .start_call(&spender(&triage), at(1), start(&stale, "c1"))
            .await,
        Err(StoreError::NotHeld { .. })
    ));
    assert!(matches!(
        store
            .start_call(&spender(&triage), at(1), start(&nowhere, "c1"))
            .await,
        Err(StoreError::UnknownSession(_))
    ));
    assert!(records(&store, &triage).await.is_empty());
    assert!(unfinished(&store, &triage).await.is_empty());
}

pub(crate) async fn a_call_finishes_once(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    store
        .start_call(&spender(&triage), at(1), start(&hold, "c1"))
        .await
        .unwrap();
    let finishes = (0..16).map(|_| {
        store.finish_call(
            &triage,
            at(2),
            end("c1", Outcome::Unknown, AuditRecord::default()),
        )
    });
    let results = join_all(finishes).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(records(&store, &triage).await.len(), 2);
    let unknown = store
        .finish_call(&triage, at(2), end("c2", Outcome::Ok, AuditRecord::default()))
        .await;
    assert!(matches!(unknown, Err(StoreError::UnknownCall(_))));
}

pub(crate) async fn a_call_may_finish_without_the_session(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    store
        .start_call(&spender(&triage), at(1), start(&hold, "c1"))
        .await
        .unwrap();
    store
        .acquire(&triage, at(30), claim("s", "gateway-2"))
        .await
        .unwrap();
    store
        .finish_call(&triage, at(31), end("c1", Outcome::Ok, AuditRecord::default()))
        .await
        .unwrap();
}

pub(crate) async fn a_crash_leaves_the_call_unfinished(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    for call in ["c1", "c2", "c3"] {
        store
            .start_call(&spender(&triage), at(1), start(&hold, call))
            .await
            .unwrap();
    }
    store
        .finish_call(&triage, at(2), end("c2", Outcome::Ok, AuditRecord::default()))
        .await
        .unwrap();
    database.crash().await;
    drop(store);
    let store = database.open().await;
    assert_eq!(unfinished(&store, &triage).await, ["c1", "c3"]);
    let call = store.unfinished_calls(&triage, "s", 1).await.unwrap().remove(0);
    assert!(call.idempotent);
    assert_eq!((call.turn.as_str(), call.started_micros), ("t1", at(1).micros()));
}

pub(crate) async fn another_bots_call_is_unknown(mut database: impl Database) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    let hold = held(&store, &triage, "s").await;
    store
        .start_call(&spender(&triage), at(1), start(&hold, "c1"))
        .await
        .unwrap();
    let finished = store
        .finish_call(&scribe, at(2), end("c1", Outcome::Ok, AuditRecord::default()))
        .await;
    assert!(matches!(finished, Err(StoreError::UnknownCall(_))));
    let started = store
        .start_call(&spender(&scribe), at(2), start(&hold, "c2"))
        .await;
    assert!(matches!(started, Err(StoreError::UnknownSession(_))));
    // The same ids are free for another bot, and no hint that they are used here.
    let own = held(&store, &scribe, "s").await;
    assert!(unfinished(&store, &scribe).await.is_empty());
    store
        .start_call(&spender(&scribe), at(2), start(&own, "c1"))
        .await
        .unwrap();
    assert_eq!(unfinished(&store, &triage).await, ["c1"]);
    assert_eq!(records(&store, &triage).await.len(), 1);
}

/// A call that reserves so many of its bot's calls of a minute, of which there are three, for ten seconds.
fn reserving(held: &SessionLease, call: &str, amount: u64) -> CallStart {
    CallStart {
        reserve: Some(Reserve {
            charges: vec![charge("calls", 60, amount, 3)],
            keep: seconds_of(10),
        }),
        ..start(held, call)
    }
}

/// A call's reservation is written with it, and what it used with its end.
pub(crate) async fn a_call_carries_its_reservation(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let (hold, spends) = (held(&store, &triage, "s1").await, spender(&triage));
    let calls = counter("calls", 60);
    store
        .start_call(&spends, at(1), reserving(&hold, "c1", 2))
        .await
        .unwrap();
    assert_eq!(used(&store, &triage, at(1), calls.clone()).await, 2);
    let refused = store.start_call(&spends, at(1), reserving(&hold, "c2", 2)).await;
    assert!(matches!(refused, Err(StoreError::QuotaExhausted { .. })));
    let unfinished = store.unfinished_calls(&triage, "s1", 10).await.unwrap();
    assert_eq!(unfinished.len(), 1, "what found no room was not started");
    let finished = CallEnd {
        uses: Some(vec![Use {
            key: calls.clone(),
            amount: 1,
        }]),
        ..end("c1", Outcome::Ok, AuditRecord::default())
    };
    store.finish_call(&triage, at(2), finished).await.unwrap();
    assert_eq!(used(&store, &triage, at(2), calls.clone()).await, 1);
    store
        .start_call(&spends, at(2), reserving(&hold, "c2", 2))
        .await
        .unwrap();
}

/// What a call reserved whose end nobody recorded is used, not lost and not held for ever.
pub(crate) async fn what_a_lost_call_reserved_becomes_use(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let (hold, spends) = (held(&store, &triage, "s1").await, spender(&triage));
    let calls = counter("calls", 60);
    store
        .start_call(&spends, at(1), reserving(&hold, "c1", 2))
        .await
        .unwrap();
    store.sweep(at(12), 100).await.unwrap();
    assert_eq!(used(&store, &triage, at(12), calls.clone()).await, 2);
    let lost = end("c1", Outcome::Unknown, AuditRecord::default());
    store.finish_call(&triage, at(13), lost).await.unwrap();
    assert_eq!(used(&store, &triage, at(13), calls.clone()).await, 2);
    assert_eq!(
        used(&store, &triage, at(63), calls.clone()).await,
        0,
        "it left the window"
    );
}

/// That a call ended is recorded, whatever became of its reservation.
pub(crate) async fn a_call_ends_also_without_its_reservation(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s1").await;
    store
        .start_call(&spender(&triage), at(1), start(&hold, "c1"))
        .await
        .unwrap();
    let finished = CallEnd {
        uses: Some(Vec::new()),
        ..end("c1", Outcome::Ok, AuditRecord::default())
    };
    store.finish_call(&triage, at(2), finished).await.unwrap();
}
