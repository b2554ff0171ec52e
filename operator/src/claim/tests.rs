//! Two installations over one API server in memory.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::watcher::Event;
use monstrum_crds::placement::Placement;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::record::CLAIM;
use super::{GOVERNS, Keeper, Reach};
use crate::child::ChildKind;
use crate::fake_api::FakeApi;
use crate::index::{Budget, Index};
use crate::leadership::Leadership;
use crate::metrics::Metrics;

const NAMESPACE: &str = "team-a";
const PATH: &str = "/api/v1/namespaces/team-a/configmaps/monstrum-installation";
const LEASE: &str = "monstrum-operator";

struct Installation {
    name: &'static str,
    api: FakeApi,
    index: Arc<Index>,
    keeper: Keeper,
}

impl Installation {
    fn new(api: &FakeApi, name: &'static str) -> Self {
        let index = Arc::new(Index::new(
            Duration::from_secs(60),
            Placement::default(),
            Budget::default(),
        ));
        let for_ever = Instant::now().checked_add(Duration::from_secs(86_400)).unwrap();
        index.currency.depend_on("Everything", None).prove(for_ever);
        index.ownership.require(name);
        let bot = json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot",
                         "metadata": {"name": "triage", "namespace": NAMESPACE}, "spec": {}});
        index
            .bots
            .take_up(None, Event::Apply(serde_json::from_value(bot).unwrap()));
        let keeper = Keeper::new(
            Arc::clone(&index),
            api.client(),
            Leadership::held(7),
            Metrics::default(),
            (name, LEASE),
        );
        let installation = Self {
            name,
            api: api.clone(),
            index,
            keeper,
        };
        installation.live(0, &Reach::default());
        installation
    }

    /// Its leader writes its lease.
    fn live(&self, round: u64, reach: &Reach) {
        let path = format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{LEASE}",
            self.name
        );
        let metadata =
            json!({"name": LEASE, "namespace": self.name, "annotations": {GOVERNS: reach.to_text()}});
        let spec = json!({"holderIdentity": format!("{round}"), "leaseDurationSeconds": 15});
        self.api.put(
            &path,
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}),
        );
    }

    fn die(&self) {
        self.api.remove(&format!(
            "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{LEASE}",
            self.name
        ));
    }

    /// The watch tells what there is.
    fn see(&self) {
        let claims = self.index.live.children(ChildKind::ConfigMap);
        claims.take_up(None, Event::Init);
        for path in self.api.paths().into_iter().filter(|path| path.ends_with(CLAIM)) {
            let claim = serde_json::from_value(self.api.get(&path).unwrap()).unwrap();
            claims.take_up(None, Event::InitApply(claim));
        }
        for seen in claims.take_up(None, Event::InitDone) {
            self.index.saw_child(&seen);
        }
    }

    async fn look(&mut self) -> bool {
        self.see();
        self.keeper.look().await;
        self.governs()
    }

    fn governs(&self) -> bool {
        self.index.as_of(NAMESPACE).is_some()
    }
}

fn claimant(api: &FakeApi) -> Value {
    api.get(PATH).unwrap()["data"]["installation"].clone()
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_installations_one_governs_and_the_other_says_so_and_writes_nothing_more() {
    let api = FakeApi::default();
    let (mut first, mut second) = (
        Installation::new(&api, "monstrum-a"),
        Installation::new(&api, "monstrum-b"),
    );
    assert!(!first.governs(), "nothing is done before it is claimed");
    assert!(first.look().await);
    api.take_calls();
    assert!(!second.look().await);
    let writes = api.take_writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].path.contains("/events"), "{writes:?}");
    assert_eq!(
        second.index.ownership.theirs(NAMESPACE).as_deref(),
        Some("monstrum-a")
    );
    for round in 1..200 {
        pass(1).await;
        first.live(round, &Reach::default());
        assert!(first.look().await && !second.look().await);
    }
    assert_eq!(api.take_writes(), []);
    assert_eq!(claimant(&api), "monstrum-a");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_claim_at_once_one_succeeds() {
    let api = FakeApi::default();
    let (mut first, mut second) = (
        Installation::new(&api, "monstrum-a"),
        Installation::new(&api, "monstrum-b"),
    );
    // Neither has been told of a claim of the other.
    first.keeper.look().await;
    second.keeper.look().await;
    assert!(first.governs() && !second.governs());
    assert!(first.look().await && !second.look().await);
}

#[tokio::test(start_paused = true)]
async fn a_dead_installations_namespaces_are_taken_over_and_stay_so() {
    for uninstalled in [true, false] {
        let api = FakeApi::default();
        let (mut first, mut second) = (
            Installation::new(&api, "monstrum-a"),
            Installation::new(&api, "monstrum-b"),
        );
        assert!(first.look().await && !second.look().await);
        if uninstalled {
            first.die();
        }
        for _ in 0..11 {
            pass(5).await;
            assert!(!second.look().await);
        }
        for _ in 0..3 {
            pass(5).await;
            second.look().await;
        }
        assert!(second.governs());
        assert_eq!(claimant(&api), "monstrum-b");
        second.live(1, &Reach::default());
        assert!(
            !first.look().await,
            "it comes back, and finds another in its place"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_installation_does_not_govern_any_more_is_free_at_once() {
    let api = FakeApi::default();
    let (mut first, mut second) = (
        Installation::new(&api, "monstrum-a"),
        Installation::new(&api, "monstrum-b"),
    );
    assert!(first.look().await && !second.look().await);
    let reach = Reach {
        except: vec![NAMESPACE.to_owned()],
        ..Reach::default()
    };
    first.live(1, &reach);
    pass(6).await;
    assert!(second.look().await);
}

#[tokio::test(start_paused = true)]
async fn who_can_not_be_seen_may_live() {
    let api = FakeApi::default();
    let (mut first, mut second) = (
        Installation::new(&api, "monstrum-a"),
        Installation::new(&api, "monstrum-b"),
    );
    assert!(first.look().await && !second.look().await);
    api.fail_with(Some(http::StatusCode::FORBIDDEN));
    for _ in 0..60 {
        pass(5).await;
        assert!(!second.look().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_taken_away_ends_what_is_done_at_once() {
    let api = FakeApi::default();
    let (mut first, mut second) = (
        Installation::new(&api, "monstrum-a"),
        Installation::new(&api, "monstrum-b"),
    );
    assert!(first.look().await);
    api.remove(PATH);
    assert!(second.look().await);
    first.see();
    assert!(!first.governs(), "also before it looks");
    assert!(!first.look().await);
    assert_eq!(claimant(&api), "monstrum-b");
}

#[tokio::test(start_paused = true)]
async fn a_claim_goes_with_the_last_object_that_it_is_for() {
    let api = FakeApi::default();
    let mut first = Installation::new(&api, "monstrum-a");
    assert!(first.look().await);
    first
        .index
        .bots
        .forget(&(NAMESPACE.to_owned(), "triage".to_owned()));
    first.look().await;
    assert_eq!(api.get(PATH), None);
    assert!(!first.governs());
}
