//! The chain.

use futures::future::join_all;
use monstrum_ledger::audit::excerpt::LONGEST_JSON;
use monstrum_ledger::audit::{AuditStore as _, Page};
use monstrum_ledger::store::Store;
use monstrum_ledger::tenant::BotKey;
use monstrum_wire::audit::{GENESIS, Verifier};
use monstrum_wire::ledger::AuditRecord;

use crate::database::{Database, at, bot};

fn entry(session: &str) -> AuditRecord {
    AuditRecord {
        kind: "decision".to_owned(),
        session: session.to_owned(),
        verdict: "deny".to_owned(),
        arguments_json: r#"{"owner":"a\u0000b"}"#.to_owned(),
        ..AuditRecord::default()
    }
}

async fn all<S: Store>(store: &S, bot: &BotKey) -> Vec<AuditRecord> {
    let page = Page {
        from: 0,
        to: u64::MAX,
        limit: u32::MAX,
        session: None,
    };
    store.read(bot, &page).await.unwrap()
}

async fn verify<S: Store>(store: &S, bot: &BotKey, length: u64) {
    let mut verifier = Verifier::default();
    for record in all(store, bot).await {
        verifier.push(&record).unwrap();
    }
    let head = store.head(bot).await.unwrap();
    verifier.finish(head.sequence, &head.hash).unwrap();
    assert_eq!(head.sequence, length);
}

pub(crate) async fn a_chain_verifies_for_each_bot(mut database: impl Database) {
    let store = database.open().await;
    for round in 1..=20 {
        for name in ["triage", "scribe"] {
            let head = store.append(&bot(name), at(round), entry("s")).await.unwrap();
            assert_eq!(head.sequence, round);
        }
    }
    verify(&store, &bot("triage"), 20).await;
    verify(&store, &bot("scribe"), 20).await;
}

pub(crate) async fn parallel_appends_make_one_chain(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let appends = (0..100).map(|_| store.append(&triage, at(1), entry("s")));
    let mut sequences: Vec<u64> = join_all(appends)
        .await
        .into_iter()
        .map(|head| head.unwrap().sequence)
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
    verify(&store, &triage, 100).await;
}

pub(crate) async fn a_chain_goes_on_after_a_crash(mut database: impl Database) {
    let store = database.open().await;
    for _ in 0..5 {
        store.append(&bot("triage"), at(1), entry("s")).await.unwrap();
    }
    database.crash().await;
    assert!(store.append(&bot("triage"), at(1), entry("s")).await.is_err());
    drop(store);
    let store = database.open().await;
    store.append(&bot("triage"), at(2), entry("s")).await.unwrap();
    verify(&store, &bot("triage"), 6).await;
}

pub(crate) async fn a_page_is_bounded_and_only_the_bots_own(mut database: impl Database) {
    let store = database.open().await;
    for number in 1..=10 {
        let session = if number % 2 == 0 { "even" } else { "odd" };
        store.append(&bot("triage"), at(1), entry(session)).await.unwrap();
    }
    let sequences = async |who: &str, page: Page| {
        let records = store.read(&bot(who), &page).await.unwrap();
        records.iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    let page = Page {
        from: 3,
        to: 8,
        limit: 4,
        session: None,
    };
    assert_eq!(sequences("triage", page.clone()).await, [3, 4, 5, 6]);
    assert_eq!(
        sequences(
            "triage",
            Page {
                limit: 99,
                ..page.clone()
            }
        )
        .await,
        [3, 4, 5, 6, 7, 8]
    );
    let even = Page {
        session: Some("even".to_owned()),
        ..page.clone()
    };
    assert_eq!(sequences("triage", even.clone()).await, [4, 6, 8]);
    assert!(sequences("scribe", page).await.is_empty());
    assert!(sequences("scribe", even).await.is_empty());
}

pub(crate) async fn a_giant_record_is_kept_with_its_digest(mut database: impl Database) {
    let store = database.open().await;
    let giant = format!("{{\"text\":\"{}\"}}", "\\u0000é".repeat(100_000));
    let record = AuditRecord {
        tool: "t".repeat(100_000),
        user: "\0".repeat(3),
        arguments_json: giant.clone(),
        detail_json: "\0 not json".to_owned(),
        ..entry("s")
    };
    store.append(&bot("triage"), at(1), record).await.unwrap();
    verify(&store, &bot("triage"), 1).await;
    let kept = all(&store, &bot("triage")).await.remove(0);
    assert!(kept.arguments_json.len() <= LONGEST_JSON);
    let cut: serde_json::Value = serde_json::from_str(&kept.arguments_json).unwrap();
    assert_eq!(cut["bytes"], giant.len());
    assert_eq!(kept.user, "\u{fffd}".repeat(3));
}

pub(crate) async fn a_clock_that_was_set_back_repeats_the_last_time(mut database: impl Database) {
    let store = database.open().await;
    store.append(&bot("triage"), at(100), entry("s")).await.unwrap();
    store.append(&bot("triage"), at(5), entry("s")).await.unwrap();
    let times: Vec<i64> = all(&store, &bot("triage"))
        .await
        .iter()
        .map(|record| record.time_micros)
        .collect();
    assert_eq!(times, [at(100).micros(), at(100).micros()]);
}

pub(crate) async fn an_empty_chain_has_the_genesis_head(mut database: impl Database) {
    let store = database.open().await;
    let head = store.head(&bot("triage")).await.unwrap();
    assert_eq!((head.sequence, head.hash.as_str()), (0, GENESIS));
}
