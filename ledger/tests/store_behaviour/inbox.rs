//! Messages that a channel accepted.

use futures::future::join_all;
use monstrum_ledger::inbox::{
    Acceptance, ClaimedRow, InboxStore as _, MOST_WAITING, MessageClaim, MessageLease,
};
use monstrum_ledger::once::{OnceStore as _, Ticket};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::Owner;
use monstrum_ledger::upkeep::UpkeepStore as _;
use monstrum_wire::ledger::AcceptedMessage;

use crate::database::{Database, at, channel, seconds_of};

const SCOPE: &str = "webhook/inbox";
const DAY: u64 = 24 * 3600;

fn inbox() -> Owner {
    channel("team-a", "inbox")
}

fn ticket(id: &str) -> Ticket {
    Ticket {
        scope: SCOPE.to_owned(),
        id: id.to_owned(),
        keep: seconds_of(600),
    }
}

fn message(id: &str) -> AcceptedMessage {
    AcceptedMessage {
        bot: "triage".to_owned(),
        bot_uid: crate::database::UID.to_owned(),
        session: "all.1".to_owned(),
        user: "u1".to_owned(),
        text: "hello\n\0 there".to_owned(),
        message_id: format!("msg_{id}"),
    }
}

/// Accepts it at that second for thirty seconds.
async fn accept<S: Store>(store: &S, seconds: u64, id: &str) -> Result<bool, StoreError> {
    let acceptance = Acceptance {
        ticket: ticket(id),
        lease: seconds_of(30),
        message: message(id),
    };
    store.accept(&inbox(), at(seconds), acceptance).await
}

async fn claim<S: Store>(store: &S, owner: &Owner, seconds: u64, limit: u32) -> Vec<ClaimedRow> {
    let claim = MessageClaim {
        scope: SCOPE.to_owned(),
        lease: seconds_of(30),
        limit,
    };
    store.claim(owner, at(seconds), claim).await.unwrap()
}

fn held(id: &str, attempt: u32) -> MessageLease {
    MessageLease {
        scope: SCOPE.to_owned(),
        id: id.to_owned(),
        attempt,
    }
}

async fn renew<S: Store>(store: &S, seconds: u64, id: &str, attempt: u32) -> Result<(), StoreError> {
    store
        .renew_message(&inbox(), at(seconds), held(id, attempt), seconds_of(30))
        .await
}

fn is_not_held(result: Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::MessageNotHeld { .. }))
}

pub(crate) async fn a_message_is_accepted_once_and_held_by_its_accepter(mut database: impl Database) {
    let store = database.open().await;
    assert!(accept(&store, 0, "1").await.unwrap());
    assert!(!accept(&store, 1, "1").await.unwrap());
    assert!(!store.take_once(&inbox(), at(2), ticket("1")).await.unwrap());
    assert_eq!(claim(&store, &inbox(), 29, 10).await, []);
    assert!(store.take_once(&inbox(), at(2), ticket("2")).await.unwrap());
    assert!(
        !accept(&store, 3, "2").await.unwrap(),
        "taken ids and messages are one"
    );
    assert_eq!(store.rows().await.unwrap().accepted_messages, 1);
}

pub(crate) async fn a_lapsed_lease_is_claimed_by_one(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    let claimers = (0..16).map(|_| async { claim(&store, &inbox(), 30, 10).await });
    let claimed: Vec<ClaimedRow> = join_all(claimers).await.into_iter().flatten().collect();
    let expected = ClaimedRow {
        id: "1".to_owned(),
        attempt: 2,
        accepted: at(0),
        message: message("1"),
    };
    assert_eq!(claimed, [expected]);
    assert_eq!(claim(&store, &inbox(), 60, 10).await[0].attempt, 3);
}

pub(crate) async fn a_renewed_lease_keeps_others_out(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    renew(&store, 20, "1", 1).await.unwrap();
    assert_eq!(claim(&store, &inbox(), 49, 10).await, []);
    renew(&store, 55, "1", 1).await.unwrap();
    assert_eq!(claim(&store, &inbox(), 84, 10).await, []);
    assert_eq!(claim(&store, &inbox(), 85, 10).await.len(), 1);
}

pub(crate) async fn a_stale_attempt_neither_renews_nor_finishes(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    claim(&store, &inbox(), 30, 10).await;
    assert!(is_not_held(renew(&store, 31, "1", 1).await));
    assert!(is_not_held(store.finish(&inbox(), held("1", 1)).await));
    assert!(is_not_held(renew(&store, 31, "unknown", 1).await));
    renew(&store, 31, "1", 2).await.unwrap();
}

pub(crate) async fn a_finished_message_is_gone_and_its_id_stays_taken(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    for _ in 0..2 {
        store.finish(&inbox(), held("1", 1)).await.unwrap();
    }
    assert_eq!(claim(&store, &inbox(), 100, 10).await, []);
    assert!(is_not_held(renew(&store, 1, "1", 1).await));
    assert!(!accept(&store, 2, "1").await.unwrap());
}

pub(crate) async fn another_channels_messages_are_unknown(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    for stranger in [channel("team-a", "other"), channel("team-b", "inbox")] {
        assert_eq!(claim(&store, &stranger, 100, 10).await, []);
        let renewed = store.renew_message(&stranger, at(1), held("1", 1), seconds_of(30));
        assert!(is_not_held(renewed.await));
        store.finish(&stranger, held("1", 1)).await.unwrap();
    }
    assert_eq!(claim(&store, &inbox(), 100, 10).await.len(), 1);
}

pub(crate) async fn accepted_messages_survive_a_crash(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "1").await.unwrap();
    database.crash().await;
    drop(store);
    let store = database.open().await;
    assert!(!accept(&store, 1, "1").await.unwrap());
    assert_eq!(
        claim(&store, &inbox(), 29, 10).await,
        [],
        "the lease is durable too"
    );
    assert_eq!(claim(&store, &inbox(), 30, 10).await[0].message, message("1"));
}

pub(crate) async fn a_refused_message_takes_no_id(mut database: impl Database) {
    let store = database.open().await;
    let accepting = (0..MOST_WAITING).map(|id| {
        let store = &store;
        async move { accept(store, 0, &id.to_string()).await.unwrap() }
    });
    assert!(join_all(accepting).await.into_iter().all(|fresh| fresh));
    let refused = accept(&store, 1, "one more").await;
    assert!(matches!(refused, Err(StoreError::InboxFull(MOST_WAITING))));
    store.finish(&inbox(), held("7", 1)).await.unwrap();
    assert!(accept(&store, 2, "one more").await.unwrap());
}

pub(crate) async fn a_claim_is_bounded_and_the_oldest_come_first(mut database: impl Database) {
    let store = database.open().await;
    for (seconds, id) in [(2, "a"), (0, "c"), (1, "b")] {
        accept(&store, seconds, id).await.unwrap();
    }
    let ids = async |limit| -> Vec<String> {
        let claimed = claim(&store, &inbox(), 40, limit).await;
        claimed.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(2).await, ["c", "b"]);
    assert_eq!(ids(2).await, ["a"]);
}

pub(crate) async fn sweeping_forgets_only_messages_that_nobody_fetched(mut database: impl Database) {
    let store = database.open().await;
    accept(&store, 0, "old").await.unwrap();
    accept(&store, 7 * DAY - 1, "young").await.unwrap();
    store.sweep(at(7 * DAY), 100).await.unwrap();
    let claimed = claim(&store, &inbox(), 8 * DAY, 10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].id, "young");
}
