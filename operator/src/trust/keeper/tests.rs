use super::*;
use crate::fake_api::FakeApi;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/namespaces/system/secrets/monstrum-ca";
const LEDGER: &str = "/api/v1/namespaces/system/secrets/monstrum-ledger-tls";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/system/leases/monstrum-operator";
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn keeper(api: &FakeApi) -> AuthorityKeeper {
    monstrum_service::install_crypto();
    AuthorityKeeper::new(
        api.client(),
        "system",
        "monstrum.local",
        Source::Own { lifetime: YEAR },
        "operator-0",
    )
}

async fn trust(api: &FakeApi) -> Result<Trust, TrustError> {
    keeper(api).load_or_create().await
}

fn lease(holder: &str, version: &str) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "monstrum-operator", "annotations": {"renewed": version}},
        "spec": {"holderIdentity": holder}})
}

/// What an installation leaves behind whose authority's Secret was deleted; with the authority.
async fn orphaned(api: &FakeApi) -> std::sync::Arc<Held> {
    let held = trust(api).await.unwrap().held();
    let bundle = k8s_openapi::ByteString(held.bundle().into_bytes());
    api.put(
        LEDGER,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "monstrum-ledger-tls"}, "data": {"ca.crt": bundle}}),
    );
    api.remove(PATH);
    api.take_calls();
    held
}

#[tokio::test]
async fn the_authority_is_made_once_and_kept() {
    let api = FakeApi::default();
    let first = trust(&api).await.unwrap();
    let second = trust(&api).await.unwrap();
    assert_eq!(first.held().fingerprint(), second.held().fingerprint());
    assert_eq!(api.take_writes().len(), 1);
    let (from, until) = first.held().signer().life();
    assert_eq!(until - from, 365 * 86_400 + 300);
}

#[tokio::test]
async fn of_two_that_make_one_at_once_both_take_the_same() {
    let api = FakeApi::default();
    let (first, second) = tokio::join!(trust(&api), trust(&api));
    assert_eq!(
        first.unwrap().held().fingerprint(),
        second.unwrap().held().fingerprint()
    );
    assert_eq!(api.take_writes().len(), 2, "both tried, one succeeded");
}

#[tokio::test]
async fn a_damaged_authority_is_never_replaced_silently() {
    let api = FakeApi::default();
    api.put(
        PATH,
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "monstrum-ca"}, "data": {}}),
    );
    let error = trust(&api).await.err().unwrap();
    assert!(error.to_string().contains("tls.crt"), "{error}");
    assert_eq!(api.take_writes(), []);
}

#[tokio::test]
async fn without_the_api_server_there_is_no_authority() {
    let api = FakeApi::default();
    api.fail_with(Some(http::StatusCode::FORBIDDEN));
    assert!(matches!(trust(&api).await, Err(TrustError::Read(_))));
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_starts_without_the_secret_waits_for_whoever_holds_the_authority() {
    let api = FakeApi::default();
    let held = orphaned(&api).await;
    let standby = tokio::spawn({
        let api = api.clone();
        async move { trust(&api).await }
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(api.take_writes(), [], "no second authority");
    assert!(keeper(&api).put_back(&held).await.unwrap());
    let found = standby.await.unwrap().unwrap().held();
    assert_eq!(found.fingerprint(), held.fingerprint());
}

#[tokio::test(start_paused = true)]
async fn while_somebody_leads_no_other_authority_is_made() {
    let api = FakeApi::default();
    orphaned(&api).await;
    api.remove(LEDGER);
    let standby = tokio::spawn({
        let api = api.clone();
        async move { trust(&api).await.map(|trust| trust.held()) }
    });
    for second in 0..120 {
        api.put(LEASE, lease("operator-1", &second.to_string()));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(api.take_writes(), []);
    assert!(!standby.is_finished());
    // The leader dies as well.
    tokio::time::sleep(PATIENCE + LOOK_AGAIN * 2).await;
    assert!(standby.is_finished());
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_nobody_holds_any_more_is_followed_loudly_by_one_that_trusts_what_it_signed() {
    let api = FakeApi::default();
    let lost = orphaned(&api).await;
    let found = trust(&api).await.unwrap().held();
    assert_ne!(found.fingerprint(), lost.fingerprint());
    assert!(found.trusts_signer_of(&lost) && found.trusted() == 2);
    let writes = api.take_writes();
    assert!(
        writes.iter().any(|call| call.path.contains("/events")),
        "{writes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_purged_installation_left_of_its_lease_holds_up_nobody() {
    let api = FakeApi::default();
    api.put(LEASE, lease("", "1"));
    let began = Instant::now();
    trust(&api).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}
