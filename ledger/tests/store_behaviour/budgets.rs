//! Budgets of bots, and of a workspace that its bots share.

use futures::future::join_all;
use monstrum_ledger::clock::Moment;
use monstrum_ledger::quota::{Charge, CounterKey, CounterOf, QuotaStore as _, Use};
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::{BotKey, Owner, Spender};
use monstrum_ledger::upkeep::UpkeepStore as _;
use monstrum_wire::identity::BotId;

use crate::database::{Database, OTHER_UID, UID, at, bot, charge, seconds_of, spender, used};

fn budget(of: CounterOf, window_seconds: u64) -> CounterKey {
    CounterKey {
        of,
        quota: "money".to_owned(),
        window_seconds,
    }
}

fn shared() -> CounterKey {
    budget(CounterOf::Workspace, 3600)
}

async fn reserve<S: Store>(
    store: &S,
    bot: &BotKey,
    now: Moment,
    id: &str,
    (key, amount, limit): (CounterKey, u64, u64),
) -> Result<(), StoreError> {
    let charges = vec![Charge { key, amount, limit }];
    store
        .reserve(&spender(bot), now, id, charges, seconds_of(60))
        .await
}

pub(crate) async fn sixty_four_at_once_of_all_bots_never_overspend_a_workspaces_budget(
    mut database: impl Database,
) {
    let store = database.open().await;
    let attempts = (0..64_u64).map(|n| {
        let store = store.clone();
        async move {
            let id = format!("r{n}");
            let bot = bot(&format!("bot-{}", n % 8));
            let reserved = reserve(&store, &bot, at(0), &id, (shared(), 30, 100)).await;
            if reserved.is_ok() && n % 2 == 0 {
                // Some use less, while others still try.
                let uses = vec![Use {
                    key: shared(),
                    amount: 7,
                }];
                store.settle(&bot, at(0), &id, uses).await.unwrap();
                return 7;
            }
            if reserved.is_ok() { 30 } else { 0 }
        }
    });
    let spent: u64 = join_all(attempts).await.into_iter().sum();
    assert!((21..=100).contains(&spent), "{spent}");
    assert_eq!(used(&store, &bot("bot-0"), at(0), shared()).await, spent);
}

pub(crate) async fn a_workspaces_budget_is_shared_and_a_bots_own_is_not(mut database: impl Database) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    reserve(&store, &triage, at(0), "r", (shared(), 6, 10))
        .await
        .unwrap();
    let own = || budget(CounterOf::Bot, 3600);
    reserve(&store, &triage, at(0), "own", (own(), 6, 10))
        .await
        .unwrap();
    let refused = reserve(&store, &scribe, at(0), "r", (shared(), 5, 10)).await;
    assert!(matches!(
        refused,
        Err(StoreError::QuotaExhausted { used: 6, counter, .. }) if counter.of == CounterOf::Workspace
    ));
    reserve(&store, &scribe, at(0), "own", (own(), 10, 10))
        .await
        .unwrap();
    assert_eq!(used(&store, &triage, at(0), own()).await, 6);
    assert_eq!(used(&store, &scribe, at(0), shared()).await, 6);
}

pub(crate) async fn another_workspaces_budget_is_another_one(mut database: impl Database) {
    let store = database.open().await;
    let namesake = BotKey::from(&BotId {
        namespace: "team-b".to_owned(),
        name: "triage".to_owned(),
        uid: UID.parse().unwrap(),
    });
    reserve(&store, &bot("triage"), at(0), "r", (shared(), 10, 10))
        .await
        .unwrap();
    assert_eq!(used(&store, &namesake, at(0), shared()).await, 0);
    reserve(&store, &namesake, at(0), "r", (shared(), 10, 10))
        .await
        .unwrap();
}

pub(crate) async fn a_workspace_that_comes_later_counts_from_nothing(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let before = spender(&triage);
    let later = Spender {
        workspace: Some(Owner::workspace("team-a", OTHER_UID.parse().unwrap())),
        ..before.clone()
    };
    assert_ne!(before.workspace, later.workspace);
    let charge = |amount| {
        vec![Charge {
            key: shared(),
            amount,
            limit: 10,
        }]
    };
    store
        .reserve(&before, at(0), "r", charge(10), seconds_of(60))
        .await
        .unwrap();
    let of =
        async |spender: &Spender| store.quota_use(spender, at(1), vec![shared()]).await.unwrap()[0].amount;
    assert_eq!((of(&before).await, of(&later).await), (10, 0));
    // What was reserved of the one is settled there, though the other has taken its place.
    let settled = vec![Use {
        key: shared(),
        amount: 4,
    }];
    store.settle(&triage, at(1), "r", settled).await.unwrap();
    assert_eq!((of(&before).await, of(&later).await), (4, 0));
    let none = Spender {
        workspace: None,
        ..before
    };
    let refused = store
        .reserve(&none, at(0), "none", charge(1), seconds_of(60))
        .await;
    assert!(matches!(refused, Err(StoreError::NoWorkspace)));
}

pub(crate) async fn only_its_reserver_settles_a_share_of_a_workspaces_budget(mut database: impl Database) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    reserve(&store, &triage, at(0), "r", (shared(), 10, 10))
        .await
        .unwrap();
    let nothing = || {
        vec![Use {
            key: shared(),
            amount: 0,
        }]
    };
    assert!(matches!(
        store.settle(&scribe, at(1), "r", nothing()).await,
        Err(StoreError::UnknownReservation(_))
    ));
    assert_eq!(used(&store, &scribe, at(1), shared()).await, 10);
    store.settle(&triage, at(1), "r", nothing()).await.unwrap();
    assert_eq!(used(&store, &scribe, at(1), shared()).await, 0);
}

pub(crate) async fn what_a_crashed_bot_reserved_is_used_by_the_workspace(mut database: impl Database) {
    let store = database.open().await;
    reserve(&store, &bot("triage"), at(0), "r", (shared(), 10, 10))
        .await
        .unwrap();
    database.crash().await;
    drop(store);
    let store = database.open().await;
    let scribe = bot("scribe");
    for seconds in [1, 59, 60, 3600] {
        assert!(
            reserve(&store, &scribe, at(seconds), "r", (shared(), 1, 10))
                .await
                .is_err(),
            "after {seconds} s"
        );
        store.sweep(at(seconds), 100).await.unwrap();
    }
    // Its window has passed, and with it the use.
    reserve(&store, &scribe, at(3660), "r", (shared(), 10, 10))
        .await
        .unwrap();
}

pub(crate) async fn a_workspaces_window_slides_and_a_clock_set_back_frees_nothing(
    mut database: impl Database,
) {
    let store = database.open().await;
    let (triage, scribe) = (bot("triage"), bot("scribe"));
    let rate = || (budget(CounterOf::Workspace, 60), 1, 2);
    for (seconds, who) in [(100, &triage), (130, &scribe)] {
        reserve(&store, who, at(seconds), &format!("r{seconds}"), rate())
            .await
            .unwrap();
        store
            .settle(who, at(seconds), &format!("r{seconds}"), Vec::new())
            .await
            .unwrap();
    }
    assert!(reserve(&store, &triage, at(160), "late", rate()).await.is_err());
    assert!(reserve(&store, &triage, at(0), "back", rate()).await.is_err());
    reserve(&store, &triage, at(161), "now", rate()).await.unwrap();
    assert!(reserve(&store, &scribe, at(161), "more", rate()).await.is_err());
}

pub(crate) async fn names_of_budgets_and_quotas_do_not_meet(mut database: impl Database) {
    let store = database.open().await;
    let triage = bot("triage");
    let all = [
        (budget(CounterOf::Workspace, 60), 1),
        (budget(CounterOf::Bot, 60), 2),
        (charge("money", 60, 0, 0).key, 3),
    ];
    let charges = all.iter().map(|(key, amount)| Charge {
        key: key.clone(),
        amount: *amount,
        limit: 10,
    });
    store
        .reserve(&spender(&triage), at(0), "r", charges.collect(), seconds_of(60))
        .await
        .unwrap();
    let uses = || {
        let halves = all.iter().map(|(key, amount)| Use {
            key: key.clone(),
            amount: amount * 2,
        });
        halves.collect::<Vec<_>>()
    };
    for (key, amount) in &all {
        assert_eq!(used(&store, &triage, at(0), key.clone()).await, *amount);
    }
    store.settle(&triage, at(1), "r", uses()).await.unwrap();
    for (key, amount) in &all {
        assert_eq!(used(&store, &triage, at(1), key.clone()).await, amount * 2);
    }
}
