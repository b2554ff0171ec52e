use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::child::CertificateSpec;
use crate::fake_api::FakeApi;
use crate::index::Index;
use crate::trust::Source;
use monstrum_service::authority::Authority;
use monstrum_wire::identity::Identity;

const PATH: &str = "/api/v1/namespaces/monstrum-system/secrets/monstrum-ca";
const LEDGER: &str = "/api/v1/namespaces/monstrum-system/secrets/monstrum-ledger-tls";
const SETTLE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn own(lifetime: Duration) -> Source {
    Source::Own { lifetime }
}

/// A replica, with what it would issue certificates with.
struct Replica {
    api: FakeApi,
    follower: Follower,
    applier: crate::child::Applier,
}

impl Replica {
    async fn start(api: &FakeApi, leadership: Leadership, source: Source) -> Self {
        monstrum_service::install_crypto();
        let index = Arc::new(Index::new(
            Duration::from_secs(60),
            monstrum_crds::placement::Placement::default(),
            crate::index::Budget::default(),
        ));
        let keeper = AuthorityKeeper::new(
            api.client(),
            "monstrum-system",
            "monstrum.local",
            source,
            "operator-0",
        );
        let trust = keeper.load_or_create().await.unwrap();
        let rotation = Rotation {
            census: Census::new(api.client(), Arc::clone(&index), "monstrum-system"),
            settle: SETTLE,
            webhook: true,
        };
        let metrics = Metrics::default();
        let applier = crate::child::Applier::new(
            api.client(),
            Arc::clone(&index.live),
            trust.clone(),
            leadership.clone(),
            Duration::from_secs(86_400),
            metrics.clone(),
        );
        Self {
            api: api.clone(),
            follower: Follower::new(keeper, trust, leadership, rotation, metrics),
            applier,
        }
    }

    async fn leader(api: &FakeApi) -> Self {
        Self::start(api, Leadership::held(1), own(YEAR)).await
    }

    async fn standby(api: &FakeApi) -> Self {
        Self::start(api, Leadership::followed(), own(YEAR)).await
    }

    async fn look(&mut self) -> Arc<Held> {
        self.follower.look().await.unwrap();
        self.held()
    }

    fn held(&self) -> Arc<Held> {
        self.follower.trust.held()
    }

    /// What the leader's other tasks do after each change.
    async fn distribute(&self) {
        let spec = CertificateSpec {
            secret: "monstrum-ledger-tls".to_owned(),
            identity: Identity::Ledger,
            names: vec!["monstrum-ledger".to_owned()],
            labels: crate::child::Labels::new(),
        };
        let metadata = k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
            name: Some(spec.secret.clone()),
            namespace: Some("monstrum-system".to_owned()),
            ..Default::default()
        };
        self.applier
            .certify(None, metadata, "monstrum-ledger-tls", &spec)
            .await
            .unwrap();
        self.follower.trust.put_in_webhook(self.held().bundle());
    }

    fn ask(&self) {
        let mut secret = self.api.get(PATH).unwrap();
        secret["metadata"]["annotations"]["monstrum.dev/rotate"] = json!("now");
        self.api.put(PATH, secret);
    }
}

async fn settle() {
    tokio::time::advance(SETTLE).await;
}

fn annotation(secret: &Value, name: &str) -> Value {
    secret["metadata"]["annotations"][format!("monstrum.dev/{name}")].clone()
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_is_put_back_as_it_was_by_whoever_finds_it_gone() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    let mut standby = Replica::standby(&api).await;
    for replica in [&mut leader, &mut standby] {
        let before = replica.held();
        let data = api.get(PATH).unwrap()["data"].clone();
        api.remove(PATH);
        assert_eq!(replica.look().await.fingerprint(), before.fingerprint());
        assert_eq!(api.get(PATH).unwrap()["data"], data);
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_secret_is_put_right_by_the_leader() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    let mut standby = Replica::standby(&api).await;
    let good = api.get(PATH).unwrap();
    let mut damaged = good.clone();
    damaged["data"]["tls.key"] = json!("bm9uc2Vuc2U=");
    api.put(PATH, damaged.clone());
    standby.look().await;
    assert_eq!(api.get(PATH).unwrap()["data"], damaged["data"]);
    leader.look().await;
    assert_eq!(api.get(PATH).unwrap()["data"], good["data"]);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_goes_step_by_step_and_each_awaits_everybody() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    let mut standby = Replica::standby(&api).await;
    leader.distribute().await;
    let old = leader.look().await;
    let serial = annotation(&api.get(LEDGER).unwrap(), "serial");
    leader.ask();

    let prepared = leader.look().await;
    assert_eq!(
        (prepared.fingerprint(), prepared.trusted()),
        (old.fingerprint(), 2)
    );
    assert_eq!(annotation(&api.get(PATH).unwrap(), "rotate"), Value::Null);
    assert!(standby.look().await.is_same(&prepared));
    // Nobody was told yet, however long it takes.
    leader.look().await;
    settle().await;
    assert!(leader.look().await.is_same(&prepared));
    leader.distribute().await;
    let ledger = api.get(LEDGER).unwrap();
    assert_eq!(
        annotation(&ledger, "serial"),
        serial,
        "nobody gets another certificate for that"
    );
    let bundle: k8s_openapi::ByteString = serde_json::from_value(ledger["data"]["ca.crt"].clone()).unwrap();
    assert_eq!(bundle.0, prepared.bundle().into_bytes());
    // Told a moment ago.
    assert!(leader.look().await.is_same(&prepared));
    settle().await;
    let signing = leader.look().await;
    assert_ne!(signing.fingerprint(), old.fingerprint());
    assert!(signing.trusts_signer_of(&old));
    assert!(standby.look().await.is_same(&signing));

    settle().await;
    assert!(
        leader.look().await.is_same(&signing),
        "the ledger still shows the old one's certificate"
    );
    leader.distribute().await;
    assert_ne!(annotation(&api.get(LEDGER).unwrap(), "serial"), serial);
    leader.look().await;
    settle().await;
    let done = leader.look().await;
    assert_eq!((done.fingerprint(), done.trusted()), (signing.fingerprint(), 1));
    assert!(standby.look().await.is_same(&done));
    // And that was it.
    leader.distribute().await;
    settle().await;
    assert!(leader.look().await.is_same(&done));
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_goes_on_where_the_last_one_was() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    leader.distribute().await;
    leader.ask();
    let prepared = leader.look().await;
    drop(leader);
    let mut next = Replica::leader(&api).await;
    assert!(next.held().is_same(&prepared));
    next.distribute().await;
    next.look().await;
    settle().await;
    let signing = next.look().await;
    assert_ne!(signing.fingerprint(), prepared.fingerprint());
    assert!(signing.trusts_signer_of(&prepared));
}

#[tokio::test(start_paused = true)]
async fn an_authority_whose_end_is_near_is_followed_by_another_unasked() {
    let api = FakeApi::default();
    let mut young = Replica::leader(&api).await;
    assert_eq!(young.look().await.trusted(), 1);
    let api = FakeApi::default();
    // It began five minutes ago, for clocks that differ: most of its life is over.
    let mut old = Replica::start(&api, Leadership::held(1), own(Duration::from_secs(60))).await;
    assert_eq!(old.look().await.trusted(), 2);
}

#[tokio::test(start_paused = true)]
async fn only_the_leader_makes_steps() {
    let api = FakeApi::default();
    let mut standby = Replica::standby(&api).await;
    standby.ask();
    api.take_calls();
    assert_eq!(standby.look().await.trusted(), 1);
    assert_eq!(api.take_writes(), []);
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_somebody_puts_in_is_trusted_first_and_signs_then() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    leader.distribute().await;
    let old = leader.look().await;
    let own = Authority::generate("monstrum.local").unwrap();
    let bytes = |text: &str| k8s_openapi::ByteString(text.as_bytes().to_vec());
    let theirs = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "monstrum-ca"}, "type": "kubernetes.io/tls",
        "data": {"tls.crt": bytes(own.certificate_pem()), "tls.key": bytes(own.key_pem())}});
    api.put(PATH, theirs);
    let prepared = leader.look().await;
    assert_eq!(
        (prepared.fingerprint(), prepared.trusted()),
        (old.fingerprint(), 2)
    );
    leader.distribute().await;
    leader.look().await;
    settle().await;
    let signing = leader.look().await;
    assert_eq!(signing.fingerprint(), Held::first(own).fingerprint());
}

#[tokio::test(start_paused = true)]
async fn an_earlier_state_from_a_backup_is_not_gone_back_to() {
    let api = FakeApi::default();
    let mut leader = Replica::leader(&api).await;
    leader.distribute().await;
    let backup = api.get(PATH).unwrap();
    leader.ask();
    for _ in 0..2 {
        leader.look().await;
        leader.distribute().await;
        leader.look().await;
        settle().await;
    }
    let now = leader.look().await;
    api.put(PATH, backup);
    assert!(leader.look().await.is_same(&now));
    let restored = leader.follower.keeper.read().await.unwrap().unwrap();
    let restored = leader.follower.keeper.decode(&restored).unwrap();
    assert!(restored.held.is_same(&now));
}

const SOURCE: &str = "/api/v1/namespaces/monstrum-system/secrets/platform-ca";

/// What cert-manager writes.
fn platform(api: &FakeApi) -> Authority {
    let authority = Authority::generate("monstrum.local").unwrap();
    let bytes = |text: &str| k8s_openapi::ByteString(text.as_bytes().to_vec());
    let data = json!({"tls.crt": bytes(authority.certificate_pem()), "tls.key": bytes(authority.key_pem())});
    api.put(
        SOURCE,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "platform-ca"}, "data": data}),
    );
    authority
}

fn from_platform() -> Source {
    Source::Secret {
        name: "platform-ca".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn an_authority_of_the_platform_is_awaited_and_followed_and_none_is_made_beside_it() {
    monstrum_service::install_crypto();
    let api = FakeApi::default();
    let late = api.clone();
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        platform(&late)
    });
    let mut leader = Replica::start(&api, Leadership::held(1), from_platform()).await;
    let first = writer.await.unwrap();
    assert_eq!(leader.held().bundle(), first.certificate_pem());
    leader.distribute().await;
    leader.ask();
    assert_eq!(
        leader.look().await.trusted(),
        1,
        "asked for, but there is no other"
    );

    let second = platform(&api);
    let written = api.get(SOURCE).unwrap();
    assert_eq!(leader.look().await.trusted(), 2);
    leader.distribute().await;
    leader.look().await;
    settle().await;
    let signing = leader.look().await;
    assert_eq!(signing.signer().certificate_pem(), second.certificate_pem());
    assert_eq!(api.get(SOURCE).unwrap(), written, "it is only read");
}

#[tokio::test(start_paused = true)]
async fn an_authority_of_the_platform_that_can_not_sign_changes_nothing_and_is_named() {
    monstrum_service::install_crypto();
    let api = FakeApi::default();
    platform(&api);
    let mut leader = Replica::start(&api, Leadership::held(1), from_platform()).await;
    let before = leader.held();
    let mut broken = api.get(SOURCE).unwrap();
    broken["data"]["tls.key"] = json!("bm9uc2Vuc2U=");
    api.put(SOURCE, broken);
    let error = leader.follower.look().await.unwrap_err().to_string();
    assert!(
        error.contains("platform-ca") && error.contains("authority.secret"),
        "{error}"
    );
    assert!(leader.held().is_same(&before));
    // Gone is not lost: the one that signs goes on.
    api.remove(SOURCE);
    assert!(leader.look().await.is_same(&before));
}
