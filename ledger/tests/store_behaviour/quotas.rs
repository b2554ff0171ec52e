//! Quota counters: limits hold, whoever races.

use futures::future::join_all;
use monstrum_ledger::quota::{QuotaStore as _, Use};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::BotKey;
use monstrum_ledger::upkeep::UpkeepStore as _;

use crate::database::{Database, at, bot, charge, counter, seconds_of, spender, used};

/// Reserves and settles at once.
async fn spend<S: Store>(
    store: &S,
    bot: &BotKey,
    seconds: u64,
    id: &str,
    charge: monstrum_ledger::quota::Charge,
) {
    let actual = Use {
        key: charge.key.clone(),
        amount: charge.amount,
    };
    store
        .reserve(&spender(bot), at(seconds), id, vec![charge], seconds_of(60))
        .await
        .unwrap();
    store.settle(bot, at(seconds), id, vec![actual]).await.unwrap();
}

pub(crate) async fn sixty_four_at_once_spend_a_budget_of_one_once(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let attempts = (0..64).map(|n| {
        let (store, triage) = (store.clone(), triage.clone());
        async move {
            let charges = vec![charge("calls", 3600, 1, 1)];
            store
                .reserve(
                    &spender(&triage),
                    at(0),
                    &format!("r{n}"),
                    charges,
                    seconds_of(60),
                )
                .await
        }
    });
    let results = join_all(attempts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(
            matches!(
                error,
                StoreError::QuotaExhausted {
                    used: 1,
                    amount: 1,
                    limit: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!(used(&store, &triage, at(0), counter("calls", 3600)).await, 1);
}

pub(crate) async fn a_reservation_is_all_or_nothing(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let charges = vec![charge("calls", 60, 1, 10), charge("money", 0, 6, 5)];
    let refused = store
        .reserve(&spender(&triage), at(0), "r1", charges, seconds_of(60))
        .await;
    assert!(matches!(refused, Err(StoreError::QuotaExhausted { counter, .. }) if counter.quota == "money"));
    assert_eq!(used(&store, &triage, at(0), counter("calls", 60)).await, 0);
    let affordable = vec![charge("calls", 60, 1, 10), charge("money", 0, 5, 5)];
    store
        .reserve(&spender(&triage), at(0), "r1", affordable, seconds_of(60))
        .await
        .unwrap();
}

pub(crate) async fn a_window_slides(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    for (n, seconds) in [0, 30, 59].into_iter().enumerate() {
        spend(
            &store,
            &triage,
            seconds,
            &format!("r{n}"),
            charge("calls", 60, 1, 3),
        )
        .await;
    }
    let full = store
        .reserve(
            &spender(&triage),
            at(60),
            "r9",
            vec![charge("calls", 60, 1, 3)],
            seconds_of(9),
        )
        .await;
    assert!(
        matches!(full, Err(StoreError::QuotaExhausted { .. })),
        "a fixed window would have begun anew"
    );
    assert_eq!(used(&store, &triage, at(61), counter("calls", 60)).await, 2);
    assert_eq!(used(&store, &triage, at(91), counter("calls", 60)).await, 1);
    assert_eq!(used(&store, &triage, at(120), counter("calls", 60)).await, 0);
}

pub(crate) async fn a_budget_for_ever_never_returns(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    spend(&store, &triage, 0, "r1", charge("money", 0, 7, 10)).await;
    spend(&store, &triage, 1, "r2", charge("money", 0, 3, 10)).await;
    let century = 100 * 366 * 24 * 3600;
    store.sweep(at(century), 100).await.unwrap();
    let refused = store
        .reserve(
            &spender(&triage),
            at(century),
            "r3",
            vec![charge("money", 0, 1, 10)],
            seconds_of(9),
        )
        .await;
    assert!(matches!(
        refused,
        Err(StoreError::QuotaExhausted { used: 10, .. })
    ));
}

pub(crate) async fn a_clock_that_was_set_back_frees_nothing(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    spend(&store, &triage, 5000, "r1", charge("calls", 60, 1, 1)).await;
    let refused = store
        .reserve(
            &spender(&triage),
            at(0),
            "r2",
            vec![charge("calls", 60, 1, 1)],
            seconds_of(9),
        )
        .await;
    assert!(matches!(refused, Err(StoreError::QuotaExhausted { .. })));
}

pub(crate) async fn bots_and_windows_count_apart(mut database: impl Database) {
    let store = database.open().await;
    for (name, window) in [("triage", 60), ("triage", 3600), ("scribe", 60)] {
        store
            .reserve(
                &spender(&bot(name)),
                at(0),
                &format!("r{window}"),
                vec![charge("calls", window, 1, 1)],
                seconds_of(9),
            )
            .await
            .unwrap();
    }
    let uses = store
        .quota_use(
            &spender(&bot("scribe")),
            at(0),
            vec![counter("calls", 3600), counter("calls", 60)],
        )
        .await
        .unwrap();
    assert_eq!(
        uses.iter().map(|used| used.amount).collect::<Vec<_>>(),
        [0, 1],
        "in the order asked"
    );
}

pub(crate) async fn nothing_is_left_of_a_limit_that_was_lowered(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    spend(&store, &triage, 0, "r1", charge("calls", 60, 8, 10)).await;
    for amount in [0, 1, u64::MAX] {
        let refused = store
            .reserve(
                &spender(&triage),
                at(1),
                "r2",
                vec![charge("calls", 60, amount, 5)],
                seconds_of(9),
            )
            .await;
        assert!(matches!(
            refused,
            Err(StoreError::QuotaExhausted {
                used: 8,
                limit: 5,
                ..
            })
        ));
    }
}

pub(crate) async fn a_counters_sum_never_wraps(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let most = 1_000_000_000_000_000;
    for n in 0..20 {
        let id = format!("r{n}");
        store
            .reserve(
                &spender(&triage),
                at(n),
                &id,
                vec![charge("money", 0, 0, u64::MAX)],
                seconds_of(9),
            )
            .await
            .unwrap();
        let actual = Use {
            key: counter("money", 0),
            amount: most,
        };
        store.settle(&triage, at(n), &id, vec![actual]).await.unwrap();
    }
    let refused = store
        .reserve(
            &spender(&triage),
            at(20),
            "r",
            vec![charge("money", 0, 1, most)],
            seconds_of(9),
        )
        .await;
    assert!(matches!(refused, Err(StoreError::QuotaExhausted { .. })));
}
