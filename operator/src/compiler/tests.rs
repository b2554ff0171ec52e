//! A process that begins to lead.

use super::*;
use crate::fake_api::{Fault, Verb};
use crate::index::Watches;
use crate::leadership::Leadership;
use crate::policy::Mandate;
use crate::scenario::{NAMESPACE, Scenario, bot};
use monstrum_crds::object::Kind;
use monstrum_crds::placement::Placement;
use monstrum_service::Service;

const LEASE: Duration = Duration::from_secs(20);
const EPOCH: u64 = 8;

struct Follower {
    compiler: Arc<Compiler>,
    mandate: Mandate,
    _service: Service,
}

/// A follower that watches the scenario's API server.
async fn follower(scenario: &Scenario) -> Follower {
    let index = Arc::new(Index::new(
        LEASE,
        Placement::default(),
        crate::index::Budget::default(),
    ));
    let (service, metrics) = (Service::default(), Metrics::default());
    let client = scenario.api.client();
    Watches {
        index: &index,
        client: &client,
        service: &service,
        metrics: &metrics,
        namespaces: &[],
        excluded: &[],
    }
    .start();
    while index.currency.as_of(NAMESPACE).is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (hub, _acknowledged) = Hub::new(metrics.clone());
    Follower {
        compiler: Arc::new(Compiler::new(
            Arc::clone(&index),
            Arc::clone(&hub),
            Arc::default(),
            client,
            metrics,
        )),
        mandate: Mandate {
            hub,
            leadership: Leadership::held(EPOCH),
            index,
        },
        _service: service,
    }
}

/// What a gateway of the bot would be sent now, if anything.
fn permissions(mandate: &Mandate) -> Option<String> {
    mandate.lease(NAMESPACE).ok()?;
    let mut session = mandate.hub.subscribe(&bot(), "pod-0").unwrap();
    Some(String::from_utf8(session.current().permissions.clone()).unwrap())
}

/// When it first serves after it began to lead, and what.
async fn lead(follower: Follower) -> (Duration, String) {
    let Follower {
        compiler,
        mandate,
        _service,
    } = follower;
    let began = Instant::now();
    let compiling = tokio::spawn(async move { compiler.run(EPOCH).await });
    loop {
        if let Some(permissions) = permissions(&mandate) {
            compiling.abort();
            return (began.elapsed(), permissions);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_serves_what_there_is_within_moments() {
    let scenario = Scenario::full();
    let (after, permissions) = lead(follower(&scenario).await).await;
    assert!(permissions.contains("acme/web"));
    assert!(after < Duration::from_secs(1), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stale_follower_that_takes_the_lead_brings_no_old_policy_back() {
    let scenario = Scenario::full();
    let follower = follower(&scenario).await;
    // Its cache is cut off. The leader of before saw that the binding went, and gateways hold a policy without it.
    scenario
        .api
        .fault("/botbindings", Verb::Watch, Some(Fault::Stale));
    scenario.take(Kind::BotBinding, "reader");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(follower.mandate.index.bindings.get(NAMESPACE, "reader").is_some());
    let (_, permissions) = lead(follower).await;
    assert!(!permissions.contains("acme/web"), "{permissions}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_list_is_slow_serves_nothing_before_it() {
    let scenario = Scenario::full();
    let follower = follower(&scenario).await;
    scenario
        .api
        .fault("/botbindings", Verb::Watch, Some(Fault::Stale));
    scenario.take(Kind::BotBinding, "reader");
    let slow = Fault::Slow(Duration::from_secs(4));
    scenario.api.fault("/botbindings", Verb::List, Some(slow));
    let (after, permissions) = lead(follower).await;
    assert!(after >= Duration::from_secs(4), "{after:?}");
    assert!(!permissions.contains("acme/web"), "{permissions}");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_answer_for_secrets_holds_up_no_other_namespace() {
    let scenario = Scenario::full();
    scenario.api.hang(true);
    let began = Instant::now();
    scenario.compile().await;
    assert!(began.elapsed() <= Duration::from_secs(3), "{:?}", began.elapsed());
}

/// A tenant whose namespace takes long, be it for what is in it or for what is asked about it.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_takes_long_delays_no_other() {
    let scenario = Scenario::full();
    for path in scenario.api.paths() {
        let Some((before, after)) = path.split_once("/namespaces/team-a/") else {
            continue;
        };
        let mut object = scenario.api.get(&path).unwrap();
        object["metadata"]["namespace"] = "a-slow-team".into();
        object["metadata"]["uid"] = serde_json::Value::Null;
        scenario
            .api
            .put(&format!("{before}/namespaces/a-slow-team/{after}"), object);
    }
    scenario
        .api
        .say_nothing_about("/api/v1/namespaces/a-slow-team/secrets/github");
    let (after, permissions) = lead(follower(&scenario).await).await;
    assert!(permissions.contains("acme/web"));
    assert!(after < Duration::from_millis(500), "{after:?}");
}
