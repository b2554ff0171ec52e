//! Who may call: a bot's gateway, and a channel to take its own ids; nobody else, on any method.

use monstrum_service::authority::Authority;
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::{
    AppendMessagesRequest, AppendRequest, FinishCallRequest, HeadRequest, LoadMessagesRequest,
    QuotaUseRequest, ReadRequest, RecordUsageRequest, ReleaseSessionRequest, RenewSessionRequest,
    ReserveRequest, SettleRequest, StartCallRequest, SumUsageRequest, TakeOnceRequest,
    UnfinishedCallsRequest,
};
use tonic::Code;

use crate::installation::{Installation, acquire, bot_name, code, gateway, record};

/// The code of every method but `TakeOnce`.
async fn codes(installation: &Installation, identity: &Identity) -> Vec<Code> {
    let mut ledger = installation.ledger(identity);
    let mut audit = installation.audit(identity);
    vec![
        code(
            ledger
                .append(AppendRequest {
                    record: record("decision").into(),
                })
                .await,
        ),
        code(ledger.acquire_session(acquire("s", "g")).await),
        code(ledger.renew_session(RenewSessionRequest::default()).await),
        code(ledger.release_session(ReleaseSessionRequest::default()).await),
        code(ledger.append_messages(AppendMessagesRequest::default()).await),
        code(ledger.load_messages(LoadMessagesRequest::default()).await),
        code(ledger.start_call(StartCallRequest::default()).await),
        code(ledger.finish_call(FinishCallRequest::default()).await),
        code(ledger.unfinished_calls(UnfinishedCallsRequest::default()).await),
        code(ledger.record_usage(RecordUsageRequest::default()).await),
        code(ledger.sum_usage(SumUsageRequest::default()).await),
        code(ledger.quota_use(QuotaUseRequest::default()).await),
        code(ledger.reserve(ReserveRequest::default()).await),
        code(ledger.settle(SettleRequest::default()).await),
        audit.read(ReadRequest::default()).await.unwrap_err().code(),
        code(audit.head(HeadRequest::default()).await),
    ]
}

fn ticket(scope: &str) -> TakeOnceRequest {
    TakeOnceRequest {
        scope: scope.to_owned(),
        id: "1".to_owned(),
        keep_seconds: 60,
    }
}

fn channel(namespace: &str) -> Identity {
    Identity::Channel {
        namespace: namespace.to_owned(),
        name: "triage".to_owned(),
    }
}

#[tokio::test]
async fn nobody_but_a_gateway_reaches_a_bots_rows() {
    let installation = Installation::start().await;
    let runner = Identity::Runner {
        bot: bot_name("triage"),
        runner: "default".to_owned(),
    };
    for identity in [Identity::Operator, Identity::Ledger, runner, channel("team-a")] {
        let codes = codes(&installation, &identity).await;
        assert!(
            codes.iter().all(|code| *code == Code::PermissionDenied),
            "{identity}: {codes:?}"
        );
    }
    assert!(installation.chain(&gateway("triage")).await.is_empty());
}

#[tokio::test]
async fn a_channel_takes_ids_and_they_are_its_own() {
    let installation = Installation::start().await;
    for identity in [
        channel("team-a"),
        channel("team-b"),
        gateway("triage"),
        gateway("scribe"),
    ] {
        let mut ledger = installation.ledger(&identity);
        assert!(
            ledger
                .take_once(ticket("webhook"))
                .await
                .unwrap()
                .into_inner()
                .fresh,
            "{identity}"
        );
        assert!(
            !ledger
                .take_once(ticket("webhook"))
                .await
                .unwrap()
                .into_inner()
                .fresh,
            "{identity}"
        );
    }
    for identity in [Identity::Operator, Identity::Ledger] {
        let taken = installation.ledger(&identity).take_once(ticket("webhook")).await;
        assert_eq!(code(taken), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_scope_cannot_name_another_owner() {
    let installation = Installation::start().await;
    let mut victim = installation.ledger(&channel("team-a"));
    let mut attacker = installation.ledger(&channel("team-b"));
    for scope in [
        "channel/team-a/triage/webhook",
        "../team-a/triage/webhook",
        "webhook",
    ] {
        attacker.take_once(ticket(scope)).await.unwrap();
    }
    assert!(
        victim
            .take_once(ticket("webhook"))
            .await
            .unwrap()
            .into_inner()
            .fresh
    );
}

#[tokio::test]
async fn another_authoritys_certificate_is_nobody() {
    let installation = Installation::start().await;
    let foreign = Authority::generate("monstrum.local").unwrap();
    let channel = installation.channel_of(&foreign, &gateway("triage"));
    let mut ledger = monstrum_wire::ledger::ledger_client::LedgerClient::new(channel);
    // The handshake fails, which shows on the first call, in whatever way the connection broke.
    let broken = code(
        ledger
            .append(AppendRequest {
                record: record("decision").into(),
            })
            .await,
    );
    assert!(matches!(broken, Code::Unavailable | Code::Unknown), "{broken:?}");
    assert!(installation.chain(&gateway("triage")).await.is_empty());
}

#[tokio::test]
async fn another_trust_domains_identity_is_nobody() {
    let installation = Installation::start().await;
    let (certificate, key) = (
        installation.authority.certificate_pem(),
        installation.authority.key_pem(),
    );
    let foreign = Authority::from_pem(certificate, key, "elsewhere.local").unwrap();
    let channel = installation.channel_of(&foreign, &gateway("triage"));
    let mut ledger = monstrum_wire::ledger::ledger_client::LedgerClient::new(channel);
    assert_eq!(
        code(
            ledger
                .append(AppendRequest {
                    record: record("decision").into()
                })
                .await
        ),
        Code::Unauthenticated
    );
}
