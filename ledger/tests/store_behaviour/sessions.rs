//! Sessions: leases, fences, messages.

use futures::future::join_all;
use monstrum_ledger::store::{
    CallStore as _, Claim, Held, SessionStore as _, Start, Store, StoreError, Tail,
};
use monstrum_ledger::tenant::BotKey;
use monstrum_wire::ledger::{AuditRecord, Message};

use crate::database::{Database, at, bot, claim, held, seconds_of};

fn message(text: &str) -> Message {
    Message {
        position: 99,
        role: "user".to_owned(),
        content_json: format!("\"{text}\""),
        turn: "t1".to_owned(),
        time_micros: -1,
    }
}

const WHOLE: Tail = Tail {
    messages: 1000,
    bytes: 1_000_000,
};

async fn positions<S: Store>(store: &S, bot: &BotKey, tail: Tail) -> Vec<(u64, String)> {
    let messages = store.load_messages(bot, "s", tail).await.unwrap();
    messages
        .into_iter()
        .map(|message| (message.position, message.content_json))
        .collect()
}

pub(crate) async fn a_living_lease_keeps_others_out(mut database: impl Database) {
    let store = database.open().await;
    held(&store, &bot("triage"), "s").await;
    let refused = store
        .acquire(&bot("triage"), at(29), claim("s", "gateway-2"))
        .await;
    assert!(matches!(refused, Err(StoreError::SessionHeld { .. })));
}

pub(crate) async fn a_lapsed_lease_is_taken_and_its_holder_named(mut database: impl Database) {
    let store = database.open().await;
    let first = held(&store, &bot("triage"), "s").await;
    let hold = store
        .acquire(&bot("triage"), at(30), claim("s", "gateway-2"))
        .await
        .unwrap();
    assert!(hold.fence > first.fence);
    assert_eq!(hold.abandoned_by.as_deref(), Some("gateway-1"));
}

pub(crate) async fn a_released_session_was_not_abandoned(mut database: impl Database) {
    let store = database.open().await;
    let first = held(&store, &bot("triage"), "s").await;
    store.release(&bot("triage"), first.clone()).await.unwrap();
    let hold = store
        .acquire(&bot("triage"), at(1), claim("s", "gateway-2"))
        .await
        .unwrap();
    assert!(hold.fence > first.fence);
    assert_eq!(hold.abandoned_by, None);
}

pub(crate) async fn the_same_holder_again_ends_its_old_hold(mut database: impl Database) {
    let store = database.open().await;
    let first = held(&store, &bot("triage"), "s").await;
    let hold = store
        .acquire(&bot("triage"), at(1), claim("s", "gateway-1"))
        .await
        .unwrap();
    assert!(hold.fence > first.fence);
    // A container that was restarted in its pod keeps its name: its turn was cut off all the same.
    assert_eq!(hold.abandoned_by.as_deref(), Some("gateway-1"));
    let refused = store
        .append_messages(&bot("triage"), at(1), first, vec![message("late")])
        .await;
    assert!(matches!(refused, Err(StoreError::NotHeld { .. })));
}

/// Every write that needs the hold, with one that is not it.
async fn assert_writes_nothing<S: Store>(store: &S, bot: &BotKey, seconds: u64, wrong: &Held) {
    let messages = store
        .append_messages(bot, at(seconds), wrong.clone(), vec![message("late")])
        .await;
    assert!(matches!(messages, Err(StoreError::NotHeld { .. })));
    let start = Start {
        held: wrong.clone(),
        call: "late".to_owned(),
        turn: String::new(),
        tool: "x".to_owned(),
        idempotent: false,
        record: AuditRecord::default(),
    };
    assert!(matches!(
        store.start_call(bot, at(seconds), start).await,
        Err(StoreError::NotHeld { .. })
    ));
    assert!(positions(store, bot, WHOLE).await.is_empty());
    assert!(store.unfinished_calls(bot, "s", 9).await.unwrap().is_empty());
}

pub(crate) async fn a_stale_fence_writes_nothing(mut database: impl Database) {
    let store = database.open().await;
    let stale = held(&store, &bot("triage"), "s").await;
    let hold = store
        .acquire(&bot("triage"), at(30), claim("s", "gateway-2"))
        .await
        .unwrap();
    for fence in [0, stale.fence, hold.fence + 1, u64::MAX] {
        let wrong = Held {
            fence,
            ..stale.clone()
        };
        assert_writes_nothing(&store, &bot("triage"), 31, &wrong).await;
        let renewed = store
            .renew(&bot("triage"), at(31), wrong.clone(), seconds_of(30))
            .await;
        assert!(matches!(renewed, Err(StoreError::NotHeld { .. })));
        assert!(matches!(
            store.release(&bot("triage"), wrong).await,
            Err(StoreError::NotHeld { .. })
        ));
    }
    let present = Held {
        fence: hold.fence,
        ..stale
    };
    store
        .append_messages(&bot("triage"), at(31), present, vec![message("hello")])
        .await
        .unwrap();
}

pub(crate) async fn a_lapsed_hold_writes_nothing_until_it_is_renewed(mut database: impl Database) {
    let store = database.open().await;
    let lapsed = held(&store, &bot("triage"), "s").await;
    assert_writes_nothing(&store, &bot("triage"), 30, &lapsed).await;
    store
        .renew(&bot("triage"), at(30), lapsed.clone(), seconds_of(10))
        .await
        .unwrap();
    store
        .append_messages(&bot("triage"), at(39), lapsed.clone(), vec![message("on")])
        .await
        .unwrap();
    store.release(&bot("triage"), lapsed.clone()).await.unwrap();
    let renewed = store.renew(&bot("triage"), at(39), lapsed, seconds_of(10)).await;
    assert!(
        matches!(renewed, Err(StoreError::NotHeld { .. })),
        "a released hold is not revived"
    );
}

pub(crate) async fn releasing_twice_is_no_error(mut database: impl Database) {
    let store = database.open().await;
    let hold = held(&store, &bot("triage"), "s").await;
    store.release(&bot("triage"), hold.clone()).await.unwrap();
    store.release(&bot("triage"), hold).await.unwrap();
}

pub(crate) async fn parallel_claims_have_one_winner(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let claims = (0..32).map(|n| store.acquire(&triage, at(0), claim("s", &format!("gateway-{n}"))));
    let won = join_all(claims)
        .await
        .iter()
        .filter(|claim| claim.is_ok())
        .count();
    assert_eq!(won, 1);
}

pub(crate) async fn a_session_stays_with_its_channel(mut database: impl Database) {
    let store = database.open().await;
    let hold = held(&store, &bot("triage"), "s").await;
    store.release(&bot("triage"), hold).await.unwrap();
    let other = Claim {
        channel: "other".to_owned(),
        ..claim("s", "gateway-1")
    };
    let refused = store.acquire(&bot("triage"), at(1), other).await;
    assert!(matches!(refused, Err(StoreError::ForeignChannel { .. })));
}

pub(crate) async fn messages_keep_their_order_across_holds(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let first = held(&store, &triage, "s").await;
    let last = store
        .append_messages(&triage, at(1), first, vec![message("a"), message("b")])
        .await
        .unwrap();
    assert_eq!(last, 2);
    let hold = store
        .acquire(&triage, at(30), claim("s", "gateway-2"))
        .await
        .unwrap();
    let second = Held {
        session: "s".to_owned(),
        fence: hold.fence,
    };
    assert_eq!(
        store
            .append_messages(&triage, at(31), second, vec![message("c")])
            .await
            .unwrap(),
        3
    );
    let found = store.load_messages(&triage, "s", WHOLE).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|m| (m.position, m.content_json.as_str(), m.time_micros))
        .collect();
    let time = |seconds| at(seconds).micros();
    assert_eq!(
        found,
        [
            (1, "\"a\"", time(1)),
            (2, "\"b\"", time(1)),
            (3, "\"c\"", time(31))
        ]
    );
}

pub(crate) async fn a_tail_is_bounded_by_count_and_bytes(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let texts = ["a", "b", "c", "d"].map(|text| message(&text.repeat(98)));
    store
        .append_messages(&triage, at(1), hold, texts.to_vec())
        .await
        .unwrap();
    let found = async |messages, bytes| {
        let found = positions(&store, &triage, Tail { messages, bytes }).await;
        found
            .into_iter()
            .map(|(position, _)| position)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(2, 10_000).await, [3, 4]);
    assert_eq!(found(99, 300).await, [2, 3, 4]);
    assert_eq!(found(99, 299).await, [3, 4]);
    assert_eq!(found(99, 1).await, [4], "the newest is always loaded");
}

pub(crate) async fn another_bots_session_is_unknown(mut database: impl Database) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    let theirs = held(&store, &triage, "s").await;
    store
        .append_messages(&triage, at(1), theirs.clone(), vec![message("secret")])
        .await
        .unwrap();
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownSession(_));
    assert!(unknown(
        store.load_messages(&scribe, "s", WHOLE).await.unwrap_err()
    ));
    assert!(unknown(
        store.unfinished_calls(&scribe, "s", 9).await.unwrap_err()
    ));
    assert!(unknown(
        store
            .renew(&scribe, at(1), theirs.clone(), seconds_of(9))
            .await
            .unwrap_err()
    ));
    assert!(unknown(store.release(&scribe, theirs.clone()).await.unwrap_err()));
    assert!(unknown(
        store
            .append_messages(&scribe, at(1), theirs, vec![message("x")])
            .await
            .unwrap_err()
    ));
    // The same id is another session when another bot names it.
    let own = store
        .acquire(&scribe, at(1), claim("s", "gateway-9"))
        .await
        .unwrap();
    assert_eq!((own.fence, own.abandoned_by), (1, None));
    assert!(store.load_messages(&scribe, "s", WHOLE).await.unwrap().is_empty());
    assert_eq!(positions(&store, &triage, WHOLE).await.len(), 1);
}
