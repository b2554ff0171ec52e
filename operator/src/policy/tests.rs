//! Policies and credentials over real mutual TLS: who gets what, and who gets nothing.

use super::*;
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::scenario::{CHANNEL_UID, LATER_UID, Scenario, bot};
use crate::vault::{Opener, VaultService};
use monstrum_service::authority::Authority;
use monstrum_service::{Channel, Service, Tls};
use monstrum_wire::identity::{BotId, ChannelId, Identity};
use monstrum_wire::policy::enrolment_client::EnrolmentClient;
use monstrum_wire::policy::enrolment_server::EnrolmentServer;
use monstrum_wire::policy::lease_request::Subject;
use monstrum_wire::policy::policy_client::PolicyClient;
use monstrum_wire::policy::policy_server::PolicyServer;
use monstrum_wire::policy::vault_client::VaultClient;
use monstrum_wire::policy::vault_server::VaultServer;
use monstrum_wire::policy::{
    Ack, FollowRequest, FollowResponse, Hello, LeaseRequest, LeaseResponse, Snapshot, SubscribeRequest,
    SubscribeResponse, Version, subscribe_request, subscribe_response,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

const DOMAIN: &str = "monstrum.local";

struct Server<'a> {
    scenario: &'a Scenario,
    authority: Authority,
    uri: String,
    /// One certificate for each identity, the one that its Secret names.
    issued: Mutex<HashMap<Identity, Tls>>,
}

struct Subscription {
    requests: mpsc::Sender<SubscribeRequest>,
    responses: Streaming<SubscribeResponse>,
    /// Who may call, as it was told last.
    callers: Vec<String>,
}

async fn serve(scenario: &Scenario, leadership: Leadership) -> Server<'_> {
    let authority = Authority::generate(DOMAIN).unwrap();
    let tls = tls(&authority, &Identity::Operator, &["localhost"]);
    let incoming = tls.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let uri = format!("https://localhost:{}", incoming.local_addr().port());
    let mandate = Mandate {
        hub: Arc::clone(&scenario.hub),
        leadership,
        index: Arc::clone(&scenario.index),
    };
    let policies = PolicyService::new(mandate.clone(), Service::default());
    let enrolment = EnrolmentService::new(mandate.clone(), Service::default());
    let opener = Opener::new(scenario.api.client());
    let vault = VaultService::new(mandate, opener, Metrics::default());
    let server = tonic::transport::Server::builder()
        .add_service(PolicyServer::new(policies))
        .add_service(VaultServer::new(vault))
        .add_service(EnrolmentServer::new(enrolment));
    tokio::spawn(server.serve_with_incoming(incoming));
    Server {
        scenario,
        authority,
        uri,
        issued: Mutex::default(),
    }
}

fn tls(authority: &Authority, identity: &Identity, names: &[&str]) -> Tls {
    Tls::from_pem(
        &authority
            .issue(identity, names, Duration::from_secs(3600))
            .unwrap(),
        DOMAIN,
    )
    .unwrap()
}

impl Server<'_> {
    /// With the certificate that was issued last.
    fn channel(&self, identity: &Identity) -> Channel {
        let known = self.issued.lock().unwrap().get(identity).cloned();
        let tls = known.unwrap_or_else(|| self.certify(identity));
        tls.channel(&self.uri, &Identity::Operator).unwrap()
    }

    /// Issues another certificate.
    fn certify(&self, identity: &Identity) -> Tls {
        let pem = self
            .authority
            .issue(identity, &[], Duration::from_secs(3600))
            .unwrap();
        self.scenario.certify(identity, &pem.serial().unwrap());
        let tls = Tls::from_pem(&pem, DOMAIN).unwrap();
        self.issued.lock().unwrap().insert(identity.clone(), tls.clone());
        tls
    }

    async fn subscribe(&self, identity: &Identity, held: Option<Version>) -> Result<Subscription, Status> {
        self.subscribe_over(self.channel(identity), "pod-0", held).await
    }

    async fn subscribe_over(
        &self,
        channel: Channel,
        replica: &str,
        held: Option<Version>,
    ) -> Result<Subscription, Status> {
        let (requests, stream) = mpsc::channel(8);
        let hello = Hello {
            replica: replica.to_owned(),
            held,
            program: "0.0.9".to_owned(),
        };
        let hello = SubscribeRequest {
            message: Some(subscribe_request::Message::Hello(hello)),
        };
        requests.send(hello).await.unwrap();
        let mut client = PolicyClient::new(channel);
        let responses = client.subscribe(ReceiverStream::new(stream)).await?.into_inner();
        Ok(Subscription {
            requests,
            responses,
            callers: Vec::new(),
        })
    }

    async fn lease(
        &self,
        identity: &Identity,
        subject: Subject,
        version: &str,
    ) -> Result<LeaseResponse, Status> {
        let request = LeaseRequest {
            subject: Some(subject),
            version: version.to_owned(),
        };
        Ok(VaultClient::new(self.channel(identity))
            .lease(request)
            .await?
            .into_inner())
    }
}

impl Subscription {
    async fn next(&mut self) -> Result<subscribe_response::Message, Status> {
        loop {
            let response = tokio::time::timeout(Duration::from_secs(20), self.responses.message())
                .await
                .unwrap()?;
            match response.expect("the stream goes on").message.unwrap() {
                subscribe_response::Message::Roster(roster) => {
                    assert_eq!(roster.namespace, "team-a");
                    self.callers = roster.members.into_iter().map(|member| member.identity).collect();
                }
                other => return Ok(other),
            }
        }
    }

    /// The next roster; nothing may come before it.
    async fn roster(&mut self) -> Vec<String> {
        let response = tokio::time::timeout(Duration::from_secs(1), self.responses.message()).await;
        match response
            .expect("within a second")
            .unwrap()
            .unwrap()
            .message
            .unwrap()
        {
            subscribe_response::Message::Roster(roster) => {
                roster.members.into_iter().map(|member| member.identity).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    async fn snapshot(&mut self) -> Snapshot {
        match self.next().await.unwrap() {
            subscribe_response::Message::Snapshot(snapshot) => snapshot,
            other => panic!("{other:?}"),
        }
    }

    async fn acknowledge(&self, snapshot: &Snapshot) {
        let ack = Ack {
            version: snapshot.version,
            digest: snapshot.digest.clone(),
            fault: String::new(),
        };
        let request = SubscribeRequest {
            message: Some(subscribe_request::Message::Ack(ack)),
        };
        self.requests.send(request).await.unwrap();
    }
}

fn gateway(namespace: &str, name: &str) -> Identity {
    Identity::Gateway(BotId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..bot()
    })
}

fn inbox() -> ChannelId {
    ChannelId {
        namespace: "team-a".to_owned(),
        name: "inbox".to_owned(),
        uid: CHANNEL_UID.parse().unwrap(),
    }
}

fn ours() -> Identity {
    Identity::Gateway(bot())
}

/// Everybody who is not the bot's gateway.
fn others() -> Vec<Identity> {
    let channel = |namespace: &str| {
        Identity::Channel(ChannelId {
            namespace: namespace.to_owned(),
            ..inbox()
        })
    };
    let later = BotId {
        uid: LATER_UID.parse().unwrap(),
        ..bot()
    };
    vec![
        gateway("team-a", "other"),
        gateway("team-b", "triage"),
        Identity::Gateway(later),
        Identity::Runner {
            bot: bot(),
            runner: "default".to_owned(),
        },
        Identity::Runner {
            bot: bot(),
            runner: "resource-workshop".to_owned(),
        },
        channel("team-a"),
        channel("team-b"),
        Identity::Operator,
        Identity::Ledger,
    ]
}

async fn compiled() -> Scenario {
    let scenario = Scenario::full();
    scenario.compile().await;
    scenario
}

mod dismissal;
mod roster;

#[tokio::test]
async fn a_gateway_gets_its_policy_and_each_change_of_it() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    let first = stream.snapshot().await;
    assert_eq!(
        first.version,
        Some(Version {
            epoch: 7,
            sequence: 1
        })
    );
    assert_eq!(
        first.digest,
        monstrum_wire::snapshot::digest(&first.permissions, first.settings.as_ref().unwrap())
    );
    assert_eq!(first.lease_seconds, 8);
    let text = String::from_utf8(first.permissions.clone()).unwrap();
    assert!(text.contains("acme/web") && !text.contains("ghp-secret"));
    scenario.take(monstrum_crds::object::Kind::BotBinding, "reader");
    scenario.compile().await;
    let second = stream.snapshot().await;
    assert!(second.version.unwrap().sequence > first.version.unwrap().sequence);
    assert!(
        !String::from_utf8(second.permissions)
            .unwrap()
            .contains("acme/web")
    );
}

#[tokio::test]
async fn an_unchanged_policy_is_renewed_and_not_sent_again() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    let first = stream.snapshot().await;
    scenario.compile().await;
    match stream.next().await.unwrap() {
        subscribe_response::Message::Renewal(renewal) => assert_eq!(renewal.digest, first.digest),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn acknowledgements_are_seen_and_end_with_the_stream() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    let first = stream.snapshot().await;
    assert!(!scenario.hub.standing(&bot()).unwrap().is_enforced_by_all());
    stream.acknowledge(&first).await;
    until(|| scenario.hub.standing(&bot()).unwrap().is_enforced_by_all()).await;
    drop(stream);
    until(|| scenario.hub.standing(&bot()).unwrap().replicas.is_empty()).await;
}

/// Waits for what another task does soon.
async fn until(holds: impl Fn() -> bool) {
    let held = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    held.await.expect("it happens soon");
}

#[tokio::test]
async fn nobody_else_gets_a_bots_policy() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    for identity in others() {
        let refused = server.subscribe(&identity, None).await.err().unwrap();
        assert_eq!(refused.code(), Code::PermissionDenied, "{identity}");
    }
}

#[tokio::test]
async fn nobody_else_gets_a_bots_credentials() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let binding = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let provider = scenario.hub.provider(&bot(), "main").unwrap().version;
    let channel = scenario.hub.channel(&inbox()).unwrap().version;
    for identity in others() {
        for (subject, version) in [
            (Subject::Binding("reader".into()), &binding),
            (Subject::Provider("main".into()), &provider),
            (Subject::Channel("inbox".into()), &channel),
        ] {
            let is_the_channels =
                matches!(subject, Subject::Channel(_)) && identity == Identity::Channel(inbox());
            match server.lease(&identity, subject, version).await {
                Ok(_) => assert!(is_the_channels, "{identity}"),
                Err(status) => assert_eq!(status.code(), Code::NotFound, "{identity}"),
            }
        }
    }
    let channels = server
        .lease(&ours(), Subject::Channel("inbox".into()), &channel)
        .await
        .unwrap_err();
    assert_eq!(channels.code(), Code::NotFound);
}

#[tokio::test]
async fn a_gateway_gets_exactly_the_fields_that_the_method_asks_for() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let lease = server
        .lease(&ours(), Subject::Binding("reader".into()), &version)
        .await
        .unwrap();
    let fields: Vec<_> = lease
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.value.as_slice()))
        .collect();
    assert_eq!(fields, [("token", b"ghp-secret".as_slice())]);
    assert_eq!((lease.version, lease.ttl_seconds), (version, 8));
}

#[tokio::test]
async fn another_version_than_the_policys_is_refused() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let old = scenario.hub.binding(&bot(), "reader").unwrap().version;
    for version in ["", "latest"] {
        let refused = server
            .lease(&ours(), Subject::Binding("reader".into()), version)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
    }
    // The secret changed, and the policy has not followed yet: the new value is not handed out under the old version.
    scenario.put_secret("github", &[("token", "ghp-rotated")]);
    let refused = server
        .lease(&ours(), Subject::Binding("reader".into()), &old)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    scenario.compile().await;
    let refused = server
        .lease(&ours(), Subject::Binding("reader".into()), &old)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let new = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let lease = server
        .lease(&ours(), Subject::Binding("reader".into()), &new)
        .await
        .unwrap();
    assert_eq!(lease.fields[0].value, b"ghp-rotated");
}

#[tokio::test]
async fn what_is_not_there_can_not_be_opened_and_the_answer_holds_no_secret() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let unknown = server
        .lease(&ours(), Subject::Binding("nothing".into()), "")
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    scenario.api.remove(&crate::scenario::secret_path("github"));
    let gone = server
        .lease(&ours(), Subject::Binding("reader".into()), &version)
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::FailedPrecondition);
    scenario
        .api
        .fail_with(Some(http::StatusCode::INTERNAL_SERVER_ERROR));
    let failed = server
        .lease(&ours(), Subject::Binding("reader".into()), &version)
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Code::Unavailable);
    for status in [unknown, gone, failed] {
        assert!(!status.message().contains("ghp-"), "{status}");
    }
}

#[tokio::test]
async fn a_follower_serves_nobody() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::followed()).await;
    assert_eq!(
        server.subscribe(&ours(), None).await.err().unwrap().code(),
        Code::Unavailable
    );
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let refused = server
        .lease(&ours(), Subject::Binding("reader".into()), &version)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_leader_serves_nobody_before_it_has_compiled() {
    let scenario = Scenario::full();
    let server = serve(&scenario, Leadership::held(7)).await;
    assert_eq!(
        server.subscribe(&ours(), None).await.err().unwrap().code(),
        Code::Unavailable
    );
    scenario.compile().await;
    assert!(server.subscribe(&ours(), None).await.is_ok());
}

#[tokio::test]
async fn a_gateway_that_saw_a_later_leader_is_not_sent_back() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    for held in [
        Version {
            epoch: 8,
            sequence: 1,
        },
        Version {
            epoch: 7,
            sequence: 99,
        },
    ] {
        let mut stream = server.subscribe(&ours(), Some(held)).await.unwrap();
        assert_eq!(stream.next().await.unwrap_err().code(), Code::FailedPrecondition);
    }
    let mut stream = server
        .subscribe(
            &ours(),
            Some(Version {
                epoch: 6,
                sequence: 99,
            }),
        )
        .await
        .unwrap();
    assert_eq!(stream.snapshot().await.version.unwrap().epoch, 7);
}

#[tokio::test]
async fn a_stream_must_begin_with_a_hello() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let (requests, stream) = mpsc::channel(8);
    let ack = SubscribeRequest {
        message: Some(subscribe_request::Message::Ack(Ack::default())),
    };
    requests.send(ack).await.unwrap();
    let mut client = PolicyClient::new(server.channel(&ours()));
    let mut responses = client
        .subscribe(ReceiverStream::new(stream))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        responses.message().await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn an_acknowledgement_of_an_ended_stream_counts_for_nothing() {
    let scenario = compiled().await;
    let first = scenario.enforce("pod-0");
    let _second = scenario.hub.subscribe(&bot(), "pod-0").unwrap();
    let digest = scenario.hub.standing(&bot()).unwrap().digest;
    first.acknowledge(Ack {
        version: None,
        digest,
        fault: String::new(),
    });
    assert!(!scenario.hub.standing(&bot()).unwrap().is_enforced_by_all());
    drop(first);
    assert_eq!(scenario.hub.standing(&bot()).unwrap().replicas.len(), 1);
}

fn ago(seconds: u64) -> tokio::time::Instant {
    tokio::time::Instant::now()
        .checked_sub(Duration::from_secs(seconds))
        .unwrap()
}

#[tokio::test]
async fn nothing_is_handed_out_while_one_watch_is_not_known_to_be_current() {
    let scenario = compiled().await;
    let mark = scenario.index.currency.depend_on("BotBinding", None);
    let server = serve(&scenario, Leadership::held(7)).await;
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    for proven in [None, Some(ago(8)), Some(ago(100))] {
        if let Some(at) = proven {
            mark.prove(at);
        }
        let refused = server.subscribe(&ours(), None).await.err().unwrap();
        assert_eq!(refused.code(), Code::Unavailable);
        let subject = Subject::Binding("reader".into());
        let refused = server.lease(&ours(), subject, &version).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(!refused.message().contains("ghp-"));
    }
}

#[tokio::test]
async fn a_lease_counts_from_when_all_was_known_and_ends_with_that() {
    let scenario = compiled().await;
    let mark = scenario.index.currency.depend_on("BotBinding", None);
    mark.prove(ago(4));
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    let first = stream.snapshot().await;
    assert!((1..=4).contains(&first.lease_seconds), "{}", first.lease_seconds);
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let subject = Subject::Binding("reader".into());
    let lease = server.lease(&ours(), subject, &version).await.unwrap();
    assert!(lease.ttl_seconds <= 4, "{}", lease.ttl_seconds);
    let (start, mut last) = (tokio::time::Instant::now(), first.lease_seconds);
    while let Ok(Ok(Some(response))) =
        tokio::time::timeout(Duration::from_secs(3), stream.responses.message()).await
    {
        let Some(subscribe_response::Message::Renewal(renewal)) = response.message else {
            panic!("an unchanged policy is not sent again");
        };
        assert!(
            renewal.lease_seconds <= last,
            "no renewal gives more than there is"
        );
        last = renewal.lease_seconds;
        assert!(start.elapsed() < Duration::from_secs(4), "renewed for too long");
    }
    mark.prove(tokio::time::Instant::now());
    match stream.next().await.unwrap() {
        subscribe_response::Message::Renewal(renewal) => assert!(renewal.lease_seconds >= 6),
        other @ (subscribe_response::Message::Snapshot(_) | subscribe_response::Message::Roster(_)) => {
            panic!("{other:?}")
        }
    }
}

/// A binding is taken away, and the compiler is stuck: what was published must run out.
#[tokio::test]
async fn a_change_that_is_not_compiled_yet_lets_nothing_be_renewed_beyond_it() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    scenario.index.dirt.mark("team-a", Some(ago(5)));
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    assert!(stream.snapshot().await.lease_seconds <= 3);
    scenario.compile().await;
    match stream.next().await.unwrap() {
        subscribe_response::Message::Renewal(renewal) => assert_eq!(renewal.lease_seconds, 8),
        other @ (subscribe_response::Message::Snapshot(_) | subscribe_response::Message::Roster(_)) => {
            panic!("{other:?}")
        }
    }
}
