//! Tenants: one namespace's objects and one bot's certificate get nothing of another's.

use anyhow::Result;
use bytes::Bytes;
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::impostor::{Impostor, Target};
use monstrum_e2e::harness::method::Method;
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::{SendRequest, StatusRequest};
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckRequest, ListToolsRequest};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AcquireSessionRequest, AdvanceSessionRequest, AppendRequest, ReadRequest, RenewSessionRequest, Step,
};
use monstrum_wire::policy::policy_client::PolicyClient;
use monstrum_wire::policy::vault_client::VaultClient;
use monstrum_wire::policy::{Hello, LeaseRequest, SubscribeRequest, lease_request, subscribe_request};
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::{FromRunner, RunnerHello, from_runner};
use tonic::{Code, Status};

#[tokio::test]
async fn a_reference_never_reaches_into_another_namespace() -> Result<()> {
    let (theirs, ours) = (
        Workspace::create("theirs").await?,
        Workspace::create("ours").await?,
    );
    BotSetup::triage().install(&theirs).await?;
    let bot = "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: spy}
spec: {model: {provider: scripted, name: scripted-1}}
---
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {name: spy-work}
spec: {bot: spy, resource: work, grants: [{operations: ['*'], scope: {repository: ['**']}}]}";
    ours.apply(bot).await?;
    let binding = ours.condition("botbinding", "spy-work", "Ready", "False").await?;
    assert!(
        binding["message"]
            .as_str()
            .is_some_and(|message| message.contains("work")),
        "{binding:#}"
    );
    ours.condition("bot", "spy", "Ready", "False").await?;
    ours.remove().await?;
    theirs.remove().await
}

/// Two namespaces with a bot `triage` in each: the victim's and the attacker's.
async fn two_tenants() -> Result<(Workspace, Workspace)> {
    let (victim, attacker) = (
        Workspace::create("victim").await?,
        Workspace::create("attacker").await?,
    );
    let setup = BotSetup::triage();
    tokio::try_join!(setup.install(&victim), setup.install(&attacker))?;
    Ok((victim, attacker))
}

/// The gateway of bot `triage` in a namespace.
fn gateway<'a>(workspace: &'a Workspace, name: &'a str) -> Target<'a> {
    let labels = "monstrum.dev/bot=triage,app.kubernetes.io/component=gateway";
    Target {
        namespace: workspace.name(),
        labels,
        name,
    }
}

const LEDGER: Target<'static> = Target {
    namespace: SYSTEM,
    labels: "app.kubernetes.io/component=ledger",
    name: "monstrum-ledger.monstrum-system.svc",
};

fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    let code = answer.as_ref().map_err(Status::code).err();
    let refusals = [
        Code::PermissionDenied,
        Code::NotFound,
        Code::FailedPrecondition,
        Code::Unauthenticated,
    ];
    assert!(
        code.is_some_and(|code| refusals.contains(&code)),
        "{what}: {answer:?}"
    );
}

#[tokio::test]
async fn a_foreign_certificate_gets_nothing_from_a_gateway() -> Result<()> {
    let (victim, attacker) = two_tenants().await?;
    let name = format!("triage-gateway.{}.svc", victim.name());
    for secret in ["triage-gateway-tls", "triage-runner-tls"] {
        let channel = Impostor::with(&attacker, secret)
            .await?
            .connect(gateway(&victim, &name))
            .await?;
        let mut guardian = GuardianClient::new(channel.clone());
        refused("ListTools", guardian.list_tools(ListToolsRequest {}).await);
        let check = CheckRequest {
            tool: "github_list_issues".to_owned(),
            arguments_json: "{}".to_owned(),
        };
        refused("Check", guardian.check(check).await);
        let mut chat = ChatClient::new(channel.clone());
        refused("Status", chat.status(StatusRequest {}).await);
        refused(
            "Send",
            chat.send(SendRequest {
                text: "hello".to_owned(),
                ..SendRequest::default()
            })
            .await,
        );
        let hello = FromRunner {
            message: Some(from_runner::Message::Hello(RunnerHello::default())),
        };
        refused(
            "Attach",
            LinkClient::new(channel).attach(tokio_stream::iter([hello])).await,
        );
    }
    victim.remove().await?;
    attacker.remove().await
}

#[tokio::test]
async fn the_ledger_gives_a_bot_its_own_rows_only() -> Result<()> {
    let (victim, attacker) = two_tenants().await?;
    let message = format!("Remember ({})", victim.name());
    victim
        .model()
        .script(victim.name(), &Scripted::default().says("Noted.").when(&message))
        .await?;
    let session = victim.chat("triage", &message).await?.session();
    assert!(!session.is_empty());

    let channel = Impostor::with(&attacker, "triage-gateway-tls")
        .await?
        .connect(LEDGER)
        .await?;
    let mut ledger = LedgerClient::new(channel.clone());
    let step = AdvanceSessionRequest {
        session: session.clone(),
        fence: 1,
        step: Some(Step::default()),
    };
    refused("AdvanceSession", ledger.advance_session(step).await);
    refused(
        "RenewSession",
        ledger
            .renew_session(RenewSessionRequest {
                session: session.clone(),
                fence: 1,
                ttl_seconds: 60,
            })
            .await,
    );
    // Its own session of that id is another one, in which nothing was said.
    let acquire = AcquireSessionRequest {
        session,
        holder: "impostor".to_owned(),
        ttl_seconds: 60,
        ..AcquireSessionRequest::default()
    };
    let own = ledger.acquire_session(acquire).await?.into_inner();
    assert_eq!((own.fence, own.abandoned_by.as_str()), (1, ""));
    assert!(
        own.messages.is_empty(),
        "another tenant's conversation was given out"
    );
    let mut records = AuditClient::new(channel)
        .read(ReadRequest::default())
        .await?
        .into_inner();
    while let Some(record) = records.message().await? {
        let uid = attacker.get("bot", "triage").await?["metadata"]["uid"].clone();
        let own = format!("{}/triage/{}", attacker.name(), uid.as_str().unwrap_or_default());
        assert_eq!(record.bot, own);
    }
    // A runner has no business with the ledger at all.
    let channel = Impostor::with(&attacker, "triage-runner-tls")
        .await?
        .connect(LEDGER)
        .await?;
    refused(
        "Append",
        LedgerClient::new(channel).append(AppendRequest::default()).await,
    );
    victim.remove().await?;
    attacker.remove().await
}

#[tokio::test]
async fn the_operator_gives_a_bot_its_own_policy_and_credentials_only() -> Result<()> {
    let attacker = Workspace::create("attacker").await?;
    BotSetup::triage().install(&attacker).await?;
    let lease = |binding: &str| LeaseRequest {
        subject: Some(lease_request::Subject::Binding(binding.to_owned())),
        version: String::new(),
    };
    let gateway = Impostor::with(&attacker, "triage-gateway-tls")
        .await?
        .connect_to_leader()
        .await?;
    let mut vault = VaultClient::new(gateway);
    refused(
        "Lease of another's binding",
        vault.lease(lease("somebody-elses")).await,
    );
    refused("Lease of no version", vault.lease(lease("triage-work")).await);
    let runner = Impostor::with(&attacker, "triage-runner-tls")
        .await?
        .connect_to_leader()
        .await?;
    refused(
        "Lease by a runner",
        VaultClient::new(runner.clone()).lease(lease("triage-work")).await,
    );
    let hello = SubscribeRequest {
        message: Some(subscribe_request::Message::Hello(Hello::default())),
    };
    refused(
        "Subscribe by a runner",
        PolicyClient::new(runner)
            .subscribe(tokio_stream::iter([hello]))
            .await,
    );
    attacker.remove().await
}

/// The caller may not, holds no such thing, there is no such method at this port, or the server has ended the connection of one
/// whom its roster does not know.
fn shut(method: &Method, whose: &str, answer: &Result<Option<Bytes>, Status>) {
    let code = answer.as_ref().map_err(Status::code).err();
    let shut = [Code::PermissionDenied, Code::NotFound, Code::Unimplemented];
    assert!(
        closed(answer) || code.is_some_and(|code| shut.contains(&code)),
        "{method:?} with {whose}: {answer:?}"
    );
}

/// The server closed the connection, as it does with those who were dismissed.
fn closed<T>(answer: &Result<T, Status>) -> bool {
    let cause = answer.as_ref().err().and_then(std::error::Error::source);
    cause
        .and_then(|cause| cause.downcast_ref::<tonic::transport::Error>())
        .is_some()
}

#[tokio::test]
async fn no_method_of_the_contract_answers_a_foreign_certificate() -> Result<()> {
    let (victim, attacker) = two_tenants().await?;
    let name = format!("triage-gateway.{}.svc", victim.name());
    let methods = Method::all()?;
    assert!(methods.len() >= 20, "{methods:?}");
    for secret in ["triage-gateway-tls", "triage-runner-tls"] {
        let stolen = Impostor::with(&attacker, secret).await?;
        let channel = stolen.connect(gateway(&victim, &name)).await?;
        for method in &methods {
            shut(method, secret, &method.call(channel.clone()).await);
        }
    }
    // A runner has no business with the ledger or the operator, whose ever it is.
    let runner = Impostor::with(&attacker, "triage-runner-tls").await?;
    for channel in [runner.connect(LEDGER).await?, runner.connect_to_leader().await?] {
        for method in &methods {
            shut(
                method,
                "a runner's certificate",
                &method.call(channel.clone()).await,
            );
        }
    }
    victim.remove().await?;
    attacker.remove().await
}

#[tokio::test]
async fn a_namespace_made_again_shares_nothing_with_the_one_before() -> Result<()> {
    let workspace = Workspace::create("again").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = format!("Remember ({})", workspace.name());
    let answer = Scripted::default().says("Noted.").when(&message);
    workspace.model().script(workspace.name(), &answer).await?;
    let session = workspace.chat("triage", &message).await?.session();
    assert!(!workspace.audit("triage").await?.is_empty());
    let stolen = [
        Impostor::with(&workspace, "triage-gateway-tls").await?,
        Impostor::with(&workspace, "triage-runner-tls").await?,
    ];

    workspace.replace().await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.bot_ready("triage").await?;

    // The certificates of the bot before get nothing, on any method of any server. That none answers says something only
    // where whoever lives is answered, if with a refusal.
    let name = format!("triage-gateway.{}.svc", workspace.name());
    let methods = Method::all()?;
    let renewed = Impostor::with(&workspace, "triage-gateway-tls").await?;
    for channel in [
        renewed.connect(gateway(&workspace, &name)).await?,
        renewed.connect(LEDGER).await?,
        renewed.connect_to_leader().await?,
    ] {
        let answer = ChatClient::new(channel).status(StatusRequest {}).await;
        assert!(answer.is_err() && !closed(&answer), "{answer:?}");
    }
    for copied in &stolen {
        let channels = [
            copied.connect(gateway(&workspace, &name)).await?,
            copied.connect(LEDGER).await?,
            copied.connect_to_leader().await?,
        ];
        for channel in channels {
            for method in &methods {
                let answer = method.call(channel.clone()).await;
                if !closed(&answer) {
                    shut(method, "a deleted bot's certificate", &answer);
                }
            }
        }
    }
    // Nor does the new bot find anything of the one before.
    let uid = workspace.get("bot", "triage").await?["metadata"]["uid"].clone();
    let own = format!("{}/triage/{}", workspace.name(), uid.as_str().unwrap_or_default());
    for record in workspace.audit("triage").await? {
        assert_eq!(record["bot"], own.as_str(), "{record:#}");
        assert_ne!(record["session"], session.as_str(), "{record:#}");
    }
    let acquire = AcquireSessionRequest {
        session,
        holder: "impostor".to_owned(),
        ttl_seconds: 60,
        ..AcquireSessionRequest::default()
    };
    let mut ledger = LedgerClient::new(renewed.connect(LEDGER).await?);
    let found = ledger.acquire_session(acquire).await?.into_inner();
    assert_eq!(
        (found.fence, found.messages.len()),
        (1, 0),
        "the one before's conversation was given out"
    );
    workspace.remove().await
}
