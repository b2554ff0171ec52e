use super::*;
use crate::scenario::{LEASE, NAMESPACE, Scenario, bot};

/// A namespace whose state was proven when it was compiled, and not since.
async fn proven_once() -> (Scenario, Arc<crate::index::currency::Mark>) {
    let scenario = Scenario::full();
    let mark = scenario.index.currency.depend_on("BotBinding", None);
    mark.prove(Instant::now());
    scenario.settle().await;
    // The sandbox needs the address that the gateways' Service got.
    scenario.settle().await;
    scenario.roll_out();
    (scenario, mark)
}

fn lookout(scenario: &Scenario, leadership: Leadership) -> (Lookout, Readiness) {
    let readiness = Readiness::default();
    let lookout = Lookout::new(
        Arc::clone(&scenario.index),
        leadership,
        readiness.clone(),
        Metrics::default(),
    );
    (lookout, readiness)
}

async fn reconcile_queued(scenario: &Scenario) {
    while let Ok(key) = tokio::time::timeout(Duration::from_millis(1), scenario.index.queue.next()).await {
        scenario.reconcile(&key).await;
        scenario.index.queue.done(&key);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bot_is_ready_only_while_what_is_known_of_it_is_current() {
    let (scenario, mark) = proven_once().await;
    let _gateway = scenario.enforce("pod-0");
    scenario.settle().await;
    assert!(scenario.conditions("Bot", "triage").contains("Ready True"));
    let (mut lookout, readiness) = lookout(&scenario, Leadership::held(7));
    lookout.look();
    assert!(readiness.reasons().is_empty());

    tokio::time::advance(LEASE).await;
    lookout.look();
    assert_eq!(
        readiness.reasons(),
        ["BotBinding objects are not known to be current"]
    );
    reconcile_queued(&scenario).await;
    for (kind, name) in [("Bot", "triage"), ("BotBinding", "reader"), ("Channel", "inbox")] {
        let conditions = scenario.conditions(kind, name);
        assert!(
            conditions.contains("Ready False Stale nothing is permitted"),
            "{conditions}"
        );
        assert!(conditions.contains("Accepted True"), "{conditions}");
    }
    scenario.api.take_calls();
    scenario.index.queue_namespace(NAMESPACE);
    reconcile_queued(&scenario).await;
    assert!(
        scenario.api.take_writes().is_empty(),
        "a second look writes nothing"
    );

    mark.prove(Instant::now());
    lookout.look();
    assert!(readiness.reasons().is_empty());
    reconcile_queued(&scenario).await;
    assert!(scenario.conditions("Bot", "triage").contains("Ready True"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_or_deleted_for_what_may_be_out_of_date() {
    let (scenario, _mark) = proven_once().await;
    scenario.take(monstrum_crds::object::Kind::Resource, "workshop");
    scenario.api.take_calls();
    tokio::time::advance(LEASE).await;
    scenario.index.queue_namespace(NAMESPACE);
    reconcile_queued(&scenario).await;
    let writes = scenario.api.take_writes();
    assert!(
        writes
            .iter()
            .all(|call| call.path.ends_with("/status") || call.path.contains("/events")),
        "{writes:?}"
    );
    assert!(scenario.hub.standing(&bot()).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stays_out_of_touch_ends_and_a_follower_waits() {
    let (scenario, _mark) = proven_once().await;
    let (leader, _) = lookout(&scenario, Leadership::held(7));
    let (follower, readiness) = lookout(&scenario, Leadership::followed());
    let start = Instant::now();
    let ended = leader.run().await.unwrap_err();
    assert!(ended.to_string().contains("BotBinding"), "{ended}");
    assert!(start.elapsed() >= LEASE + STEP_DOWN_AFTER);
    assert!(tokio::time::timeout(LEASE * 20, follower.run()).await.is_err());
    drop(readiness);
}
