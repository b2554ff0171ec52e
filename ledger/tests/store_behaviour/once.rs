//! Ids that are taken once.

use futures::future::join_all;
use monstrum_ledger::once::{Holding, OnceStore as _, Ticket};
use monstrum_ledger::tenant::Owner;
use monstrum_ledger::upkeep::UpkeepStore as _;

use crate::database::{Database, at, bot, channel, seconds_of};

fn ticket(scope: &str, id: &str) -> Ticket {
    Ticket {
        scope: scope.to_owned(),
        id: id.to_owned(),
        keep: seconds_of(600),
    }
}

fn owner(name: &str) -> Owner {
    Owner::from(&bot(name))
}

pub(crate) async fn an_id_is_fresh_once_within_its_time(mut database: impl Database) {
    let store = database.open().await;
    let taken = async |seconds| {
        store
            .take_once(&owner("triage"), at(seconds), ticket("webhook", "1"))
            .await
            .unwrap()
    };
    assert!(taken(0).await);
    assert!(!taken(1).await);
    assert!(!taken(599).await, "taking again does not prolong the time");
    assert!(taken(600).await);
    assert!(!taken(601).await);
}

pub(crate) async fn an_id_is_held_until_it_is_settled_or_given_back(mut database: impl Database) {
    let store = database.open().await;
    let owner = owner("triage");
    let of = |seconds| Ticket {
        keep: seconds_of(seconds),
        ..ticket("webhook", "1")
    };
    let hold = async |seconds, renew| store.hold_once(&owner, at(seconds), of(30), renew).await.unwrap();
    assert_eq!(hold(0, false).await, Holding::Fresh);
    assert_eq!(hold(1, false).await, Holding::Held);
    assert_eq!(hold(20, true).await, Holding::Held);
    assert_eq!(hold(49, false).await, Holding::Held, "it was renewed");
    assert_eq!(hold(50, false).await, Holding::Fresh, "the hold ran out");
    store.settle_once(&owner, at(51), of(1), true).await.unwrap();
    assert_eq!(hold(52, false).await, Holding::Fresh, "it was given back");
    store.settle_once(&owner, at(53), of(600), false).await.unwrap();
    assert_eq!(hold(54, false).await, Holding::Taken);
    assert!(!store.take_once(&owner, at(55), of(600)).await.unwrap());
    assert_eq!(hold(653, false).await, Holding::Fresh);
}

pub(crate) async fn owners_and_scopes_do_not_meet(mut database: impl Database) {
    let store = database.open().await;
    let ours = channel("team-a", "triage");
    for (owner, scope) in [
        (owner("triage"), "webhook/a"),
        (owner("triage"), "webhook/b"),
        (owner("scribe"), "webhook/a"),
        (ours.clone(), "webhook/a"),
        (channel("team-b", "triage"), "webhook/a"),
    ] {
        assert!(
            store.take_once(&owner, at(0), ticket(scope, "1")).await.unwrap(),
            "{owner:?} {scope}"
        );
    }
    assert!(
        !store
            .take_once(&ours, at(0), ticket("webhook/a", "1"))
            .await
            .unwrap()
    );
}

pub(crate) async fn parallel_takers_have_one_winner(mut database: impl Database) {
    let store = database.open().await;
    let owner = owner("triage");
    let takers = (0..64).map(|_| store.take_once(&owner, at(0), ticket("webhook", "1")));
    let fresh = join_all(takers)
        .await
        .into_iter()
        .filter(|taken| *taken.as_ref().unwrap())
        .count();
    assert_eq!(fresh, 1);
}

pub(crate) async fn taken_ids_survive_a_crash(mut database: impl Database) {
    let store = database.open().await;
    assert!(
        store
            .take_once(&owner("triage"), at(0), ticket("webhook", "1"))
            .await
            .unwrap()
    );
    database.crash().await;
    drop(store);
    let store = database.open().await;
    assert!(
        !store
            .take_once(&owner("triage"), at(1), ticket("webhook", "1"))
            .await
            .unwrap()
    );
}

pub(crate) async fn sweeping_forgets_only_what_ran_out(mut database: impl Database) {
    let store = database.open().await;
    for (id, seconds) in [("old", 0), ("older", 0), ("young", 300)] {
        store
            .take_once(&owner("triage"), at(seconds), ticket("webhook", id))
            .await
            .unwrap();
    }
    assert_eq!(
        store.sweep(at(600), 1).await.unwrap().forgotten_rows,
        1,
        "no more than the bound"
    );
    assert_eq!(store.sweep(at(600), 100).await.unwrap().forgotten_rows, 1);
    assert_eq!(store.rows().await.unwrap().taken_ids, 1);
    assert!(
        !store
            .take_once(&owner("triage"), at(601), ticket("webhook", "young"))
            .await
            .unwrap()
    );
}
