//! Sessions: leases, fences, messages.

use futures::future::join_all;
use monstrum_ledger::audit::{AuditStore as _, Page};
use monstrum_ledger::call::{CallStart, CallStore as _};
use monstrum_ledger::once::{OnceStore as _, Ticket};
use monstrum_ledger::session::{Advance, Claim, Opened, SessionLease, SessionStore as _, Tail};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::{BotKey, Owner};
use monstrum_ledger::usage::UsageStore as _;
use monstrum_wire::ledger::{AuditRecord, Message, UsageRow};

use crate::database::{Database, at, bot, claim, held, seconds_of, spender};

fn message(text: &str) -> Message {
    Message {
        position: 99,
        role: "user".to_owned(),
        content_json: format!("\"{text}\""),
        turn: "t1".to_owned(),
        time_micros: -1,
    }
}

/// A step that only says something.
fn says<const N: usize>(texts: [&str; N]) -> Advance {
    Advance {
        messages: texts.map(message).to_vec(),
        ..Advance::default()
    }
}

/// The conversation as a later gateway finds it, which ends every hold of now.
async fn found<S: Store>(store: &S, bot: &BotKey) -> Vec<Message> {
    let hold = store.acquire(bot, at(9_999), claim("s", "a-later-gateway"));
    hold.await.unwrap().messages
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
    let refused = store.advance(&bot("triage"), at(1), first, says(["late"])).await;
    assert!(matches!(refused, Err(StoreError::NotHeld { .. })));
}

/// Every write that needs the hold, with one that is not it.
async fn assert_writes_nothing<S: Store>(store: &S, bot: &BotKey, seconds: u64, wrong: &SessionLease) {
    let messages = store
        .advance(bot, at(seconds), wrong.clone(), says(["late"]))
        .await;
    assert!(matches!(messages, Err(StoreError::NotHeld { .. })));
    let start = CallStart {
        lease: wrong.clone(),
        call: "late".to_owned(),
        turn: String::new(),
        tool: "x".to_owned(),
        idempotent: false,
        record: AuditRecord::default(),
        reserve: None,
    };
    assert!(matches!(
        store.start_call(&spender(bot), at(seconds), start).await,
        Err(StoreError::NotHeld { .. })
    ));
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
        let wrong = SessionLease {
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
    let present = SessionLease {
        fence: hold.fence,
        ..stale
    };
    store
        .advance(&bot("triage"), at(31), present, says(["hello"]))
        .await
        .unwrap();
    assert_eq!(found(&store, &bot("triage")).await.len(), 1);
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
        .advance(&bot("triage"), at(39), lapsed.clone(), says(["on"]))
        .await
        .unwrap();
    store.release(&bot("triage"), lapsed.clone()).await.unwrap();
    let renewed = store.renew(&bot("triage"), at(39), lapsed, seconds_of(10)).await;
    assert!(
        matches!(renewed, Err(StoreError::NotHeld { .. })),
        "a released hold is not revived"
    );
    assert_eq!(found(&store, &bot("triage")).await.len(), 1);
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
        .advance(&triage, at(1), first, says(["a", "b"]))
        .await
        .unwrap();
    assert_eq!(last, 2);
    let hold = store
        .acquire(&triage, at(30), claim("s", "gateway-2"))
        .await
        .unwrap();
    let second = SessionLease {
        session: "s".to_owned(),
        fence: hold.fence,
    };
    assert_eq!(
        store.advance(&triage, at(31), second, says(["c"])).await.unwrap(),
        3
    );
    let found = found(&store, &triage).await;
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
    let texts = ["a", "b", "c", "d"].map(|text| text.repeat(98));
    let texts = says(texts.each_ref().map(String::as_str));
    store.advance(&triage, at(1), hold, texts).await.unwrap();
    let found = async |messages, bytes| {
        let claim = Claim {
            tail: Tail { messages, bytes },
            ..claim("s", "gateway-1")
        };
        let hold = store.acquire(&triage, at(2), claim).await.unwrap();
        let positions = hold.messages.iter().map(|message| message.position);
        positions.collect::<Vec<_>>()
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
        .advance(&triage, at(1), theirs.clone(), says(["secret"]))
        .await
        .unwrap();
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownSession(_));
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
            .advance(&scribe, at(1), theirs, says(["x"]))
            .await
            .unwrap_err()
    ));
    // The same id is another session when another bot names it.
    let own = store
        .acquire(&scribe, at(1), claim("s", "gateway-9"))
        .await
        .unwrap();
    assert_eq!((own.fence, own.abandoned_by), (1, None));
    assert!(own.messages.is_empty());
    assert_eq!(found(&store, &triage).await.len(), 1);
}

fn ticket(id: &str) -> Ticket {
    Ticket {
        scope: "message/s".to_owned(),
        id: id.to_owned(),
        keep: seconds_of(60),
    }
}

/// A step with something of everything.
fn step() -> Advance {
    let elsewhere = || "another-session".to_owned();
    Advance {
        once: Some(ticket("m1")),
        records: vec![AuditRecord {
            kind: "turn.started".to_owned(),
            session: elsewhere(),
            ..AuditRecord::default()
        }],
        usage: vec![UsageRow {
            provider: "p".to_owned(),
            model: "m".to_owned(),
            session: elsewhere(),
            input_tokens: 7,
            ..UsageRow::default()
        }],
        ..says(["hello"])
    }
}

pub(crate) async fn a_step_is_written_whole(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let last = store.advance(&triage, at(1), hold, step()).await.unwrap();
    assert_eq!(last, 1);
    let head = store.head(&triage).await.unwrap();
    let page = Page {
        from: 1,
        to: head.sequence,
        limit: 9,
        session: Some("s".to_owned()),
    };
    let records = store.read(&triage, &page).await.unwrap();
    assert_eq!(records.len(), 1, "a record belongs to the session that is held");
    assert_eq!(store.sum_usage(&triage, at(0)).await.unwrap()[0].input_tokens, 7);
    assert!(
        !store
            .take_once(&Owner::from(&triage), at(2), ticket("m1"))
            .await
            .unwrap()
    );
    assert_eq!(found(&store, &triage).await.len(), 1);
}

pub(crate) async fn a_step_that_is_refused_leaves_nothing(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let wrong = SessionLease {
        fence: hold.fence + 1,
        ..hold.clone()
    };
    let refused = store.advance(&triage, at(1), wrong, step()).await;
    assert!(matches!(refused, Err(StoreError::NotHeld { .. })));
    let owner = Owner::from(&triage);
    let taken = store.take_once(&owner, at(1), ticket("m1"));
    assert!(taken.await.unwrap(), "a step that is refused takes no id");
    let refused = store.advance(&triage, at(1), hold, step()).await;
    assert!(matches!(refused, Err(StoreError::Taken(id)) if id == "m1"));
    assert_eq!(store.head(&triage).await.unwrap().sequence, 0);
    assert!(store.sum_usage(&triage, at(0)).await.unwrap().is_empty());
    assert!(found(&store, &triage).await.is_empty());
}

/// A claim that opens with `step` what is in order.
fn opening(holder: &str) -> Claim {
    Claim {
        opening: Some(step()),
        ..claim("s", holder)
    }
}

pub(crate) async fn a_session_in_order_is_opened_with_its_acquisition(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let opened = store.acquire(&triage, at(0), opening("gateway-1")).await.unwrap();
    assert_eq!(opened.opening, Some(Opened::Written));
    assert!(opened.messages.is_empty(), "only what was said before");
    assert_eq!(store.head(&triage).await.unwrap().sequence, 1);
    let held = SessionLease {
        session: "s".to_owned(),
        fence: opened.fence,
    };
    let last = Advance {
        release: true,
        ..says(["done"])
    };
    assert_eq!(store.advance(&triage, at(1), held, last).await.unwrap(), 2);
    let again = store.acquire(&triage, at(2), opening("gateway-2")).await.unwrap();
    assert_eq!(again.opening, Some(Opened::Taken));
    assert_eq!((again.abandoned_by, again.messages.len()), (None, 2));
    assert_eq!(store.head(&triage).await.unwrap().sequence, 1);
}

pub(crate) async fn an_abandoned_session_is_not_opened(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    held(&store, &triage, "s").await;
    let hold = store
        .acquire(&triage, at(30), opening("gateway-2"))
        .await
        .unwrap();
    assert_eq!(hold.opening, None);
    assert_eq!(hold.abandoned_by.as_deref(), Some("gateway-1"));
    assert_eq!(store.head(&triage).await.unwrap().sequence, 0);
    assert!(found(&store, &triage).await.is_empty());
}

pub(crate) async fn a_session_with_an_open_call_is_not_opened(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let start = CallStart {
        lease: hold.clone(),
        call: "c1".to_owned(),
        turn: String::new(),
        tool: "x".to_owned(),
        idempotent: false,
        record: AuditRecord::default(),
        reserve: None,
    };
    store.start_call(&spender(&triage), at(1), start).await.unwrap();
    store.release(&triage, hold).await.unwrap();
    let hold = store.acquire(&triage, at(2), opening("gateway-2")).await.unwrap();
    assert_eq!((hold.opening, hold.abandoned_by), (None, None));
    assert_eq!(store.head(&triage).await.unwrap().sequence, 1);
    assert!(found(&store, &triage).await.is_empty());
}

pub(crate) async fn a_last_step_gives_the_session_back(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let hold = held(&store, &triage, "s").await;
    let last = Advance {
        release: true,
        ..says(["done"])
    };
    store.advance(&triage, at(1), hold.clone(), last).await.unwrap();
    assert_writes_nothing(&store, &triage, 2, &hold).await;
    let next = store
        .acquire(&triage, at(2), claim("s", "gateway-2"))
        .await
        .unwrap();
    assert_eq!((next.abandoned_by, next.messages.len()), (None, 1));
}
