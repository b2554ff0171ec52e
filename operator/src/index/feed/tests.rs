//! All watches against an API server that fails in every way: what is known ends in time, and comes back by itself.
#![expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use super::*;
use crate::fake_api::{Bookmarks, FakeApi, Fault, Verb};
use crate::index::{Budget, Index, Watches};
use crate::scenario::{NAMESPACE, binding};
use http::StatusCode;
use monstrum_crds::placement::Placement;
use monstrum_service::Service;
use rstest::rstest;
use serde_json::json;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(250);
const BINDING: &str = "/apis/monstrum.dev/v1alpha1/namespaces/team-a/botbindings/reader";
const OTHER: &str = "/apis/monstrum.dev/v1alpha1/namespaces/team-b/botbindings/reader";

/// Every collection that is watched.
const KINDS: [&str; 16] = [
    "resourcetypes",
    "workspaces",
    "modelproviders",
    "credentials",
    "resources",
    "bots",
    "botroles",
    "botbindings",
    "channels",
    "secrets",
    "serviceaccounts",
    "services",
    "configmaps",
    "networkpolicies",
    "poddisruptionbudgets",
    "deployments",
];

struct Watched {
    api: FakeApi,
    index: Arc<Index>,
    service: Service,
    busy: tokio::task::JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.service.shutdown().request();
        self.busy.abort();
    }
}

/// Watches a cluster in which something is written all the time, as in every cluster.
fn watch(namespaces: &[&str]) -> Watched {
    watch_of(FakeApi::default(), namespaces, &[], Budget::default())
}

fn watch_of(api: FakeApi, namespaces: &[&str], excluded: &[&str], budget: Budget) -> Watched {
    for path in [BINDING, OTHER] {
        api.put(path, bound(path));
    }
    let writer = api.clone();
    let busy = tokio::spawn(async move {
        loop {
            writer.put(
                "/api/v1/namespaces/busy/events/e",
                json!({"metadata": {"name": "e"}}),
            );
            sleep(Duration::from_secs(1)).await;
        }
    });
    let (index, service) = (
        Arc::new(Index::new(LEASE, Placement::default(), budget)),
        Service::default(),
    );
    let owned = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
    let (namespaces, excluded) = (owned(namespaces), owned(excluded));
    Watches {
        index: &index,
        client: &api.client(),
        service: &service,
        metrics: &Metrics::default(),
        namespaces: &namespaces,
        excluded: &excluded,
    }
    .start();
    Watched {
        api,
        index,
        service,
        busy,
    }
}

fn bound(path: &str) -> serde_json::Value {
    let mut object = binding("reader", "github", json!([]));
    object["metadata"]["namespace"] = json!(path.split('/').nth(5).unwrap());
    object
}

impl Watched {
    fn is_current(&self, namespace: &str) -> bool {
        self.index.lease(namespace).is_some()
    }

    fn holds(&self) -> bool {
        self.index.bindings.get(NAMESPACE, "reader").is_some()
    }

    /// Waits for a namespace to become current, or to stop being so; answers how long it took.
    async fn until(&self, namespace: &str, current: bool, at_most: Duration) -> Duration {
        let start = Instant::now();
        while self.is_current(namespace) != current {
            assert!(
                start.elapsed() <= at_most,
                "current: {current} did not come in {at_most:?}"
            );
            sleep(LOOK).await;
            self.compile();
        }
        start.elapsed()
    }

    /// For a while it must be current at every look.
    async fn stays_current(&self, namespace: &str, how_long: Duration) {
        let start = Instant::now();
        while start.elapsed() < how_long {
            assert!(
                self.is_current(namespace),
                "not current after {:?}",
                start.elapsed()
            );
            sleep(LOOK).await;
            self.compile();
        }
    }

    /// As the compiler does with what is marked.
    fn compile(&self) {
        for namespace in self.index.dirt.take_all().into_keys() {
            self.index.dirt.done(&namespace);
        }
    }

    fn fail(&self, part: &str, verbs: &[Verb], fault: Option<Fault>) {
        for verb in verbs {
            self.api.fault(part, *verb, fault);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_well_stays_current_and_costs_little() {
    let watched = watch(&[]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    assert!(watched.service.readiness().reasons().is_empty());
    watched.stays_current(NAMESPACE, LEASE * 3).await;
    watched.api.take_calls();
    watched.stays_current(NAMESPACE, Duration::from_secs(60)).await;
    let calls = watched.api.take_calls().len();
    // For each kind and each request to watch: that request, and a probe.
    let requests = KINDS.len() * 2 * 60 / 5;
    assert!(calls <= requests + KINDS.len(), "{calls} calls in a minute");
}

#[rstest]
#[case::absent(Bookmarks::Absent)]
#[case::lagging(Bookmarks::Lagging)]
#[tokio::test(start_paused = true)]
async fn without_useful_bookmarks_lists_prove_the_same(#[case] bookmarks: Bookmarks) {
    let watched = watch(&[]);
    watched.api.bookmarks(bookmarks);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    watched.stays_current(NAMESPACE, LEASE * 5).await;
    watched.api.take_calls();
    watched.stays_current(NAMESPACE, Duration::from_secs(60)).await;
    let calls = watched.api.take_calls().len();
    assert!(calls <= KINDS.len() * 40, "{calls} calls in a minute");
}

#[rstest]
#[case::forbidden(Fault::Status(StatusCode::FORBIDDEN))]
#[case::gone(Fault::Status(StatusCode::GONE))]
#[case::broken(Fault::Status(StatusCode::INTERNAL_SERVER_ERROR))]
#[case::throttled(Fault::Status(StatusCode::TOO_MANY_REQUESTS))]
#[case::refused(Fault::Refused)]
#[case::never_answered(Fault::NoAnswer)]
#[case::silent(Fault::Silent)]
#[case::silent_within_an_event(Fault::HalfALine)]
#[case::answered_too_late(Fault::Slow(Duration::from_secs(60)))]
#[tokio::test(start_paused = true)]
async fn a_watch_that_fails_ends_what_depends_on_it_and_recovers(#[case] fault: Fault) {
    for kind in KINDS {
        let part = format!("/{kind}");
        let watched = watch(&[]);
        watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
        watched.stays_current(NAMESPACE, Duration::from_secs(7)).await;

        watched.fail(&part, &[Verb::Watch], Some(fault));
        // A list may still prove once that all was well when it was read.
        watched.until(NAMESPACE, false, LEASE * 2).await;
        assert!(!watched.index.currency.faults().is_empty(), "{kind}");
        sleep(LEASE * 3).await;
        assert!(!watched.is_current(NAMESPACE), "{kind} came back without a watch");

        watched.fail(&part, &[Verb::Watch], None);
        watched.until(NAMESPACE, true, LEASE).await;
        watched.stays_current(NAMESPACE, LEASE * 2).await;
    }
}

#[rstest]
#[case::forbidden(Fault::Status(StatusCode::FORBIDDEN))]
#[case::broken(Fault::Status(StatusCode::INTERNAL_SERVER_ERROR))]
#[case::refused(Fault::Refused)]
#[case::never_answered(Fault::NoAnswer)]
#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_is_denied_within_the_lease(#[case] fault: Fault) {
    for kind in KINDS {
        let part = format!("/{kind}");
        let watched = watch(&[]);
        watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
        watched.stays_current(NAMESPACE, Duration::from_secs(11)).await;
        watched.fail(&part, &[Verb::List, Verb::Watch], Some(fault));
        watched.until(NAMESPACE, false, LEASE).await;
        sleep(LEASE).await;
        watched.fail(&part, &[Verb::List, Verb::Watch], None);
        watched.until(NAMESPACE, true, LEASE).await;
    }
}

/// The attack: what is deleted while its watch is dead.
#[rstest]
#[case::forbidden(Fault::Status(StatusCode::FORBIDDEN))]
#[case::refused(Fault::Refused)]
#[case::never_answered(Fault::NoAnswer)]
#[case::silent(Fault::Silent)]
#[case::silent_within_an_event(Fault::HalfALine)]
#[case::served_from_a_stale_cache(Fault::Stale)]
#[tokio::test(start_paused = true)]
async fn a_deleted_binding_is_not_in_force_for_longer_than_the_lease(#[case] fault: Fault) {
    for wait in [0, 3, 8, 19] {
        let watched = watch(&[]);
        watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
        watched.stays_current(NAMESPACE, Duration::from_secs(9)).await;
        watched.fail("/botbindings", &[Verb::Watch], Some(fault));
        sleep(Duration::from_secs(wait)).await;
        watched.api.remove(BINDING);
        let deleted = Instant::now();
        loop {
            // A gateway that is renewed at this instant holds the binding for so long.
            if watched.holds()
                && let Some(left) = watched.index.lease(NAMESPACE)
            {
                assert!(
                    deleted.elapsed() + left <= LEASE,
                    "{left:?} after {:?}",
                    deleted.elapsed()
                );
            }
            if deleted.elapsed() > LEASE * 2 {
                break;
            }
            sleep(LOOK).await;
        }
        assert!(!watched.holds() || !watched.is_current(NAMESPACE));
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_whose_watch_fails_stops_alone() {
    let watched = watch(&[NAMESPACE, "team-b"]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    watched.until("team-b", true, Duration::from_secs(1)).await;
    let part = format!("/namespaces/{NAMESPACE}/secrets");
    watched.fail(
        &part,
        &[Verb::List, Verb::Watch],
        Some(Fault::Status(StatusCode::FORBIDDEN)),
    );
    watched.until(NAMESPACE, false, LEASE).await;
    watched.stays_current("team-b", LEASE * 3).await;
    assert!(watched.index.currency.faults().is_empty());
    watched.fail("/resourcetypes", &[Verb::Watch], Some(Fault::Silent));
    watched.until("team-b", false, LEASE * 2).await;
    assert!(!watched.index.currency.faults().is_empty());
}

/// Of the watched namespaces one is deleted, or may not be read, before the operator starts.
#[rstest]
#[case::forbidden(Fault::Status(StatusCode::FORBIDDEN))]
#[case::gone(Fault::Status(StatusCode::NOT_FOUND))]
#[case::never_answered(Fault::NoAnswer)]
#[case::broken(Fault::Status(StatusCode::INTERNAL_SERVER_ERROR))]
#[tokio::test(start_paused = true)]
async fn a_namespace_that_can_not_be_listed_holds_up_no_other(#[case] fault: Fault) {
    let api = FakeApi::default();
    for kind in KINDS {
        for verb in [Verb::List, Verb::Watch] {
            api.fault(&format!("/namespaces/team-b/{kind}"), verb, Some(fault));
        }
    }
    let watched = watch_of(api, &[NAMESPACE, "team-b"], &[], Budget::default());
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    assert_eq!(
        watched.service.readiness().reasons(),
        ["not everything that is watched is listed yet"]
    );
    // Leading, answering admission and readiness wait for it for a while.
    let listed = watched.index.listed.opened();
    tokio::time::timeout(Duration::from_secs(15), listed)
        .await
        .unwrap();
    assert!(watched.service.readiness().reasons().is_empty());
    assert!(watched.index.currency.faults().is_empty(), "it may lead");
    assert!(watched.index.currency.was_known(NAMESPACE) && !watched.index.currency.was_known("team-b"));
    watched.stays_current(NAMESPACE, LEASE * 2).await;
    assert!(!watched.is_current("team-b"));
    let faults = watched.index.faults_of("team-b").join("; ");
    assert!(faults.contains("Secret objects of team-b"), "{faults}");

    for kind in KINDS {
        watched.fail(
            &format!("/namespaces/team-b/{kind}"),
            &[Verb::List, Verb::Watch],
            None,
        );
    }
    watched.until("team-b", true, LEASE).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_leads_while_what_all_depend_on_can_not_be_listed() {
    let api = FakeApi::default();
    api.fault(
        "/resourcetypes",
        Verb::List,
        Some(Fault::Status(StatusCode::FORBIDDEN)),
    );
    let watched = watch_of(api, &[NAMESPACE], &[], Budget::default());
    watched.index.listed.opened().await;
    assert_eq!(
        watched.index.currency.faults(),
        ["ResourceType objects are not known to be current"]
    );
    assert!(!watched.index.currency.was_known(NAMESPACE));
}

#[tokio::test(start_paused = true)]
async fn an_excluded_namespace_is_not_read() {
    let watched = watch_of(
        FakeApi::default(),
        &[],
        &["team-b", "kube-system"],
        Budget::default(),
    );
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    watched.api.put(OTHER, bound(OTHER));
    sleep(Duration::from_secs(1)).await;
    let places: Vec<_> = watched.index.bindings.places();
    assert_eq!(places, [(NAMESPACE.to_owned(), "reader".to_owned())]);
    let listed = watch_of(
        FakeApi::default(),
        &[NAMESPACE, "team-b"],
        &["team-b"],
        Budget::default(),
    );
    listed.until(NAMESPACE, true, Duration::from_secs(1)).await;
    assert!(
        listed
            .api
            .take_calls()
            .iter()
            .all(|call| !call.path.contains("team-b"))
    );
}

/// A tenant's Secrets, as large as the API server takes them, in the place where the case says.
fn bloat(api: &FakeApi, namespace: &str, number: usize, fill: &dyn Fn(&str) -> serde_json::Value) {
    let large = "x".repeat(300 << 10);
    for number in 0..number {
        let name = format!("s-{number:04}");
        let mut metadata = fill(&large);
        metadata["name"] = json!(name);
        metadata["namespace"] = json!(namespace);
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        api.put(
            &path,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata}),
        );
    }
}

#[rstest]
#[case::annotations(500, &|large: &str| json!({"annotations": {"blob": large}}))]
#[case::labels(40, &|large: &str| json!({"labels": {"blob": large}}))]
#[case::finalizers(40, &|large: &str| json!({"finalizers": [large]}))]
#[case::managers(40, &|large: &str| json!({"managedFields": [{"manager": "m", "fieldsV1": {"f:x": large}}]}))]
#[case::owners(40, &|large: &str| json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": large, "uid": "1"}]}))]
#[tokio::test(start_paused = true)]
async fn large_secrets_of_others_cost_next_to_nothing(
    #[case] number: usize,
    #[case] fill: &dyn Fn(&str) -> serde_json::Value,
) {
    let api = FakeApi::default();
    bloat(&api, NAMESPACE, number, fill);
    let watched = watch_of(api, &[], &[], Budget::default());
    watched.until(NAMESPACE, true, Duration::from_secs(5)).await;
    assert_eq!(watched.index.live.secrets().of(NAMESPACE).len(), number);
    let kept = watched.index.budget.kept();
    assert!(kept < number * 512, "{kept} bytes are kept");
}

/// What says to whom a Secret may be given has to be kept.
#[tokio::test(start_paused = true)]
async fn who_writes_more_than_is_kept_stops_its_own_namespace() {
    let api = FakeApi::default();
    bloat(
        &api,
        NAMESPACE,
        100,
        &|large| json!({"annotations": {"monstrum.dev/hosts": large}}),
    );
    let budget = Budget::new(2 << 20, 6 << 20);
    let watched = watch_of(api, &[], &[], budget);
    watched.until("team-b", true, Duration::from_secs(5)).await;
    assert!(watched.index.budget.kept() <= 2 << 20);
    let overrun = watched.index.budget.overrun(NAMESPACE).unwrap();
    assert!(
        overrun.contains("one namespace the operator keeps 2097152"),
        "{overrun}"
    );
    assert!(!watched.is_current(NAMESPACE) && watched.index.currency.faults().is_empty());
    watched.stays_current("team-b", LEASE).await;

    for number in 0..100 {
        watched
            .api
            .remove(&format!("/api/v1/namespaces/{NAMESPACE}/secrets/s-{number:04}"));
    }
    watched.until(NAMESPACE, true, LEASE).await;
    assert_eq!(watched.index.budget.overrun(NAMESPACE), None);
    assert!(watched.holds());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_large_is_asked_for_again_in_smaller_ones() {
    let api = FakeApi::default();
    bloat(
        &api,
        NAMESPACE,
        60,
        &|large| json!({"annotations": {"blob": large}}),
    );
    let watched = watch_of(api, &[], &[], Budget::default());
    watched.until(NAMESPACE, true, Duration::from_secs(5)).await;
    let lists = watched.api.take_calls();
    let pages = lists.iter().filter(|call| call.path == "/api/v1/secrets").count();
    // 4 MiB hold 13 of them.
    assert!((6..40).contains(&pages), "{pages} requests");
    assert_eq!(watched.index.live.secrets().of(NAMESPACE).len(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_slow_list_counts_from_when_it_was_asked_for() {
    let watched = watch(&[]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    watched.api.bookmarks(Bookmarks::Absent);
    watched.fail(
        "/secrets",
        &[Verb::List],
        Some(Fault::Slow(Duration::from_secs(3))),
    );
    for _ in 0..400 {
        let asked = watched.index.currency.as_of(NAMESPACE);
        sleep(LOOK).await;
        watched.compile();
        if let (Some(before), Some(now)) = (asked, watched.index.currency.as_of(NAMESPACE))
            && before != now
        {
            assert!(now.elapsed() >= Duration::from_secs(3), "{:?}", now.elapsed());
        }
    }
    assert!(watched.is_current(NAMESPACE));
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_lists_everything_before_anything_counts() {
    let watched = watch(&[]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    // This follower's cache is cut off: it has not seen that the binding is gone, which the last leader had.
    watched.fail("/botbindings", &[Verb::Watch], Some(Fault::Stale));
    watched.api.remove(BINDING);
    sleep(Duration::from_secs(1)).await;
    assert!(watched.holds() && watched.is_current(NAMESPACE));
    watched.index.begin(7);
    assert!(!watched.is_current(NAMESPACE));
    while watched.index.currency.as_of(NAMESPACE).is_none() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(
        !watched.holds(),
        "what the lists told was taken up before it counted"
    );
    assert!(
        !watched.is_current(NAMESPACE),
        "nothing is compiled in this term yet"
    );
    watched.compile();
    assert!(watched.is_current(NAMESPACE));
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_waits_for_the_last_of_its_lists() {
    let watched = watch(&[]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    watched.fail(
        "/botbindings",
        &[Verb::List],
        Some(Fault::Slow(Duration::from_secs(5))),
    );
    watched.index.begin(7);
    sleep(Duration::from_secs(4)).await;
    watched.compile();
    assert_eq!(watched.index.currency.as_of(NAMESPACE), None);
    watched.until(NAMESPACE, true, Duration::from_secs(3)).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_within_moments() {
    let watched = watch(&[]);
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    for _ in 0..20 {
        sleep(Duration::from_millis(1700)).await;
        watched.api.remove(BINDING);
        sleep(Duration::from_millis(300)).await;
        assert!(!watched.holds());
        watched.api.put(BINDING, bound(BINDING));
        sleep(Duration::from_millis(300)).await;
        assert!(watched.holds());
    }
}

/// A namespace's own affair: whoever may create objects there decides how deep they are.
#[rstest]
#[case::before_the_first_list(false)]
#[case::while_it_is_watched(true)]
#[tokio::test(start_paused = true)]
async fn an_object_that_is_too_deep_to_be_read_holds_up_no_other(#[case] while_watched: bool) {
    const DEEP: &str = "/apis/monstrum.dev/v1alpha1/namespaces/a-team/botbindings/deep";
    let mut deep = bound(DEEP);
    deep["metadata"]["namespace"] = json!("a-team");
    deep["metadata"]["name"] = json!("deep");
    deep["spec"]["grants"] = (0..400).fold(json!(1), |inner, _| json!([inner]));
    let api = FakeApi::default();
    if !while_watched {
        api.put(DEEP, deep.clone());
    }
    let watched = watch_of(api, &[], &[], Budget::default());
    watched.until(NAMESPACE, true, Duration::from_secs(1)).await;
    if while_watched {
        watched.api.put(DEEP, deep);
    }
    watched.stays_current(NAMESPACE, LEASE * 3).await;
    assert!(watched.holds());
    let key = crate::index::Key {
        kind: monstrum_crds::object::Kind::BotBinding,
        namespace: "a-team".to_owned(),
        name: "deep".to_owned(),
    };
    let told = watched.index.broken.untold(&key).unwrap();
    assert!(told.error.contains("can't be read"), "{}", told.error);
}
