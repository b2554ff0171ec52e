//! Reservations: from opening to settlement or expiry.

use monstrum_ledger::quota::{QuotaStore as _, Use};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::BotKey;
use monstrum_ledger::upkeep::UpkeepStore as _;

use crate::database::{Database, at, bot, charge, counter, seconds_of, spender, used};

/// Reserves calls of a window of a minute for ten seconds.
async fn reserve<S: Store>(
    store: &S,
    bot: &BotKey,
    seconds: u64,
    id: &str,
    amount: u64,
) -> Result<(), StoreError> {
    store
        .reserve(
            &spender(bot),
            at(seconds),
            id,
            vec![charge("calls", 60, amount, 10)],
            seconds_of(10),
        )
        .await
}

async fn settle<S: Store>(
    store: &S,
    bot: &BotKey,
    seconds: u64,
    id: &str,
    amount: u64,
) -> Result<(), StoreError> {
    store
        .settle(
            bot,
            at(seconds),
            id,
            vec![Use {
                key: counter("calls", 60),
                amount,
            }],
        )
        .await
}

async fn calls<S: Store>(store: &S, bot: &BotKey, seconds: u64) -> u64 {
    used(store, bot, at(seconds), counter("calls", 60)).await
}

pub(crate) async fn the_same_reservation_again_counts_once(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    for _ in 0..3 {
        reserve(&store, &triage, 0, "r1", 10).await.unwrap();
    }
    assert_eq!(calls(&store, &triage, 0).await, 10);
}

pub(crate) async fn an_id_is_not_reused_for_other_counters(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 1).await.unwrap();
    assert!(matches!(
        reserve(&store, &triage, 0, "r1", 2).await,
        Err(StoreError::ReservationDiffers(_))
    ));
    let more = vec![charge("calls", 60, 1, 10), charge("money", 0, 1, 10)];
    let refused = store
        .reserve(&spender(&triage), at(0), "r1", more, seconds_of(10))
        .await;
    assert!(matches!(refused, Err(StoreError::ReservationDiffers(_))));
    assert_eq!(calls(&store, &triage, 0).await, 1);
}

pub(crate) async fn settling_replaces_the_reservation(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 8).await.unwrap();
    settle(&store, &triage, 1, "r1", 3).await.unwrap();
    assert_eq!(calls(&store, &triage, 1).await, 3);
    settle(&store, &triage, 2, "r1", 9).await.unwrap();
    assert_eq!(calls(&store, &triage, 2).await, 3, "once more changes nothing");
    assert_eq!(store.rows().await.unwrap().open_reservations, 0);
}

pub(crate) async fn settling_counts_what_was_used_beyond_it(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 1).await.unwrap();
    settle(&store, &triage, 1, "r1", 50).await.unwrap();
    assert_eq!(calls(&store, &triage, 1).await, 50);
    assert!(reserve(&store, &triage, 1, "r2", 1).await.is_err());
}

pub(crate) async fn a_counter_that_is_not_settled_counts_in_full(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 8).await.unwrap();
    store.settle(&triage, at(1), "r1", Vec::new()).await.unwrap();
    assert_eq!(calls(&store, &triage, 1).await, 8);
}

pub(crate) async fn a_settlement_knows_only_its_own_counters(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 8).await.unwrap();
    let other = vec![Use {
        key: counter("calls", 3600),
        amount: 0,
    }];
    let refused = store.settle(&triage, at(1), "r1", other).await;
    assert!(matches!(refused, Err(StoreError::UnknownCounter { .. })));
    assert_eq!(calls(&store, &triage, 1).await, 8);
}

pub(crate) async fn an_ended_reservation_cannot_be_had_again(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "settled", 1).await.unwrap();
    settle(&store, &triage, 1, "settled", 0).await.unwrap();
    reserve(&store, &triage, 0, "expired", 1).await.unwrap();
    store.sweep(at(10), 100).await.unwrap();
    for id in ["settled", "expired"] {
        // Else a request that was delayed would permit a second effect at no charge.
        assert!(matches!(
            reserve(&store, &triage, 11, id, 1).await,
            Err(StoreError::ReservationEnded(_))
        ));
    }
}

pub(crate) async fn a_crash_before_settling_loses_nothing(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 10).await.unwrap();
    database.crash().await;
    drop(store);
    let store = database.open().await;
    assert_eq!(calls(&store, &triage, 1).await, 10);
    assert!(matches!(
        reserve(&store, &triage, 1, "r2", 1).await,
        Err(StoreError::QuotaExhausted { used: 10, .. })
    ));
    store.sweep(at(10), 100).await.unwrap();
    assert_eq!(
        calls(&store, &triage, 10).await,
        10,
        "nobody settled it: it is use"
    );
}

pub(crate) async fn an_unsettled_reservation_outlives_its_window_until_it_expires(
    mut database: impl Database,
) {
    let store = database.open().await;
    let triage = bot("triage");
    let charges = vec![charge("calls", 60, 10, 10)];
    store
        .reserve(&spender(&triage), at(0), "long", charges, seconds_of(600))
        .await
        .unwrap();
    assert_eq!(calls(&store, &triage, 599).await, 10);
    store.sweep(at(599), 100).await.unwrap();
    assert!(reserve(&store, &triage, 599, "r2", 1).await.is_err());
    assert_eq!(
        calls(&store, &triage, 600).await,
        0,
        "the window of its use is over"
    );
    store.sweep(at(600), 100).await.unwrap();
    reserve(&store, &triage, 600, "r2", 10).await.unwrap();
}

pub(crate) async fn an_expired_reservation_is_use_before_and_after_the_sweep(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "r1", 6).await.unwrap();
    assert_eq!(calls(&store, &triage, 10).await, 6);
    assert_eq!(store.sweep(at(10), 100).await.unwrap().expired_reservations, 1);
    assert_eq!(calls(&store, &triage, 10).await, 6);
    assert_eq!(calls(&store, &triage, 60).await, 6);
    assert_eq!(calls(&store, &triage, 61).await, 0);
    assert_eq!(store.sweep(at(10), 100).await.unwrap().expired_reservations, 0);
}

pub(crate) async fn a_late_settlement_corrects_the_use(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    reserve(&store, &triage, 0, "less", 4).await.unwrap();
    reserve(&store, &triage, 0, "more", 4).await.unwrap();
    store.sweep(at(10), 100).await.unwrap();
    settle(&store, &triage, 11, "less", 1).await.unwrap();
    assert_eq!(calls(&store, &triage, 11).await, 5);
    settle(&store, &triage, 11, "more", 30).await.unwrap();
    assert_eq!(calls(&store, &triage, 11).await, 31);
    settle(&store, &triage, 12, "more", 0).await.unwrap();
    assert_eq!(calls(&store, &triage, 12).await, 31, "once more changes nothing");
}

pub(crate) async fn a_sweep_is_bounded(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    for n in 0..5 {
        reserve(&store, &triage, 0, &format!("r{n}"), 1).await.unwrap();
    }
    let mut rounds = Vec::new();
    for _ in 0..4 {
        rounds.push(store.sweep(at(10), 2).await.unwrap().expired_reservations);
    }
    assert_eq!(rounds, [2, 2, 1, 0]);
    assert_eq!(calls(&store, &triage, 10).await, 5);
    let day = 24 * 3600;
    assert_eq!(
        store.sweep(at(day), 100).await.unwrap().forgotten_rows,
        0,
        "kept for late settlements"
    );
    assert_eq!(
        store.sweep(at(day + 3600), 100).await.unwrap().forgotten_rows,
        6,
        "five and their bucket"
    );
}

pub(crate) async fn another_bots_reservation_is_unknown(mut database: impl Database) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    reserve(&store, &triage, 0, "r1", 8).await.unwrap();
    assert!(matches!(
        settle(&store, &scribe, 1, "r1", 0).await,
        Err(StoreError::UnknownReservation(_))
    ));
    assert_eq!(calls(&store, &triage, 1).await, 8);
    assert_eq!(calls(&store, &scribe, 1).await, 0);
    // The same id is free for another bot.
    reserve(&store, &scribe, 1, "r1", 3).await.unwrap();
    settle(&store, &scribe, 2, "r1", 1).await.unwrap();
    assert_eq!(
        (calls(&store, &triage, 2).await, calls(&store, &scribe, 2).await),
        (8, 1)
    );
}
