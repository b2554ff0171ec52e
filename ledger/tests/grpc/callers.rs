//! Who may call: a bot's gateway, and a channel for its own ids and messages; nobody else, on any method.

use monstrum_service::authority::Authority;
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::{
    AcceptMessageRequest, AcceptedMessage, AdvanceSessionRequest, AppendRequest, ClaimMessagesRequest,
    FinishCallRequest, FinishMessageRequest, HeadRequest, QuotaUseRequest, ReadRequest,
    ReleaseSessionRequest, RenewMessageRequest, RenewSessionRequest, ReserveRequest, SettleRequest,
    StartCallRequest, SumUsageRequest, TakeOnceRequest, UnfinishedCallsRequest,
};
use tonic::Code;

use crate::installation::{Installation, UID, acquire, bot_name, code, gateway, record};

/// The code of every method but `TakeOnce` and those of a channel's messages.
pub(crate) async fn codes(installation: &Installation, identity: &Identity) -> Vec<Code> {
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
        code(ledger.advance_session(AdvanceSessionRequest::default()).await),
        code(ledger.start_call(StartCallRequest::default()).await),
        code(ledger.finish_call(FinishCallRequest::default()).await),
        code(ledger.unfinished_calls(UnfinishedCallsRequest::default()).await),
        code(ledger.sum_usage(SumUsageRequest::default()).await),
        code(ledger.quota_use(QuotaUseRequest::default()).await),
        code(ledger.reserve(ReserveRequest::default()).await),
        code(ledger.settle(SettleRequest::default()).await),
        audit.read(ReadRequest::default()).await.unwrap_err().code(),
        code(audit.head(HeadRequest::default()).await),
    ]
}

pub(crate) fn ticket(scope: &str) -> TakeOnceRequest {
    TakeOnceRequest {
        scope: scope.to_owned(),
        id: "1".to_owned(),
        keep_seconds: 60,
    }
}

fn channel(namespace: &str) -> Identity {
    crate::installation::channel(namespace, UID)
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

/// The code of every method of a channel's messages.
pub(crate) async fn codes_of_messages(installation: &Installation, identity: &Identity) -> Vec<Code> {
    let mut ledger = installation.ledger(identity);
    vec![
        code(ledger.accept_message(acceptance("x")).await),
        code(ledger.claim_messages(ClaimMessagesRequest::default()).await),
        code(ledger.renew_message(RenewMessageRequest::default()).await),
        code(ledger.finish_message(FinishMessageRequest::default()).await),
    ]
}

pub(crate) fn acceptance(text: &str) -> AcceptMessageRequest {
    let word = || "x".to_owned();
    AcceptMessageRequest {
        scope: "webhook".to_owned(),
        id: "1".to_owned(),
        keep_seconds: 60,
        lease_seconds: 1,
        message: Some(AcceptedMessage {
            bot: word(),
            bot_uid: word(),
            session: word(),
            user: word(),
            text: text.to_owned(),
            message_id: word(),
        }),
    }
}

#[tokio::test]
async fn nobody_but_a_channel_keeps_messages() {
    let installation = Installation::start().await;
    let runner = Identity::Runner {
        bot: bot_name("triage"),
        runner: "default".to_owned(),
    };
    for identity in [Identity::Operator, Identity::Ledger, runner, gateway("triage")] {
        let codes = codes_of_messages(&installation, &identity).await;
        assert!(
            codes.iter().all(|code| *code == Code::PermissionDenied),
            "{identity}: {codes:?}"
        );
    }
}

#[tokio::test]
async fn a_channels_messages_are_its_own() {
    let installation = Installation::start().await;
    let mut victim = installation.ledger(&channel("team-a"));
    assert!(
        victim
            .accept_message(acceptance("hello"))
            .await
            .unwrap()
            .into_inner()
            .fresh
    );
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let claim = ClaimMessagesRequest {
        scope: "webhook".to_owned(),
        lease_seconds: 30,
        limit: 10,
    };
    let mut attacker = installation.ledger(&channel("team-b"));
    let stolen = attacker.claim_messages(claim.clone()).await.unwrap().into_inner();
    assert_eq!(stolen.messages, []);
    let claimed = victim.claim_messages(claim).await.unwrap().into_inner().messages;
    assert_eq!((claimed[0].id.as_str(), claimed[0].attempt), ("1", 2));
    assert_eq!(claimed[0].message, acceptance("hello").message);
    let renewal = RenewMessageRequest {
        scope: "webhook".to_owned(),
        id: "1".to_owned(),
        attempt: 2,
        lease_seconds: 30,
    };
    assert_eq!(
        code(attacker.renew_message(renewal.clone()).await),
        Code::FailedPrecondition
    );
    victim.renew_message(renewal).await.unwrap();
    let finish = |attempt| FinishMessageRequest {
        scope: "webhook".to_owned(),
        id: "1".to_owned(),
        attempt,
    };
    assert_eq!(
        code(victim.finish_message(finish(1)).await),
        Code::FailedPrecondition
    );
    victim.finish_message(finish(2)).await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_and_takes_no_id() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&channel("team-a"));
    let long = acceptance(&"x".repeat(128 * 1024 + 1));
    assert_eq!(code(ledger.accept_message(long).await), Code::InvalidArgument);
    assert!(
        ledger
            .accept_message(acceptance("x"))
            .await
            .unwrap()
            .into_inner()
            .fresh
    );
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
