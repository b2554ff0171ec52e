//! Mutual TLS between real sockets: who gets in, as whom, and how certificates are replaced.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use monstrum_service::authority::Authority;
use monstrum_service::{Connections, Peer, Tls, TlsError, install_crypto, peer};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::chat_server::{Chat, ChatServer};
use monstrum_wire::chat::{SendRequest, StatusRequest, StatusResponse, TurnEvent};
use monstrum_wire::identity::{BotId, Identity};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

const DOMAIN: &str = "monstrum.local";
const HOUR: Duration = Duration::from_secs(3600);

/// Answers with the caller's identity, and keeps the certificates that it saw.
#[derive(Clone, Default)]
struct WhoAmI(Arc<Mutex<Vec<Peer>>>);

#[tonic::async_trait]
impl Chat for WhoAmI {
    type SendStream = ReceiverStream<Result<TurnEvent, Status>>;

    /// An event at once, another after a while, and then nothing more for ever.
    async fn send(&self, _: Request<SendRequest>) -> Result<Response<Self::SendStream>, Status> {
        let (sender, stream) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            sender.send(Ok(TurnEvent::default())).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(sender.send(Ok(TurnEvent::default())).await);
            sender.closed().await;
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let caller = peer(&request)?;
        self.0.lock().unwrap().push(caller.clone());
        Ok(Response::new(StatusResponse {
            bot: caller.identity.to_string(),
            ..StatusResponse::default()
        }))
    }
}

const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";

fn bot(name: &str) -> BotId {
    BotId {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
        uid: UID.parse().unwrap(),
    }
}

fn runner(name: &str) -> Identity {
    Identity::Runner {
        bot: bot(name),
        runner: "default".to_owned(),
    }
}

fn tls(authority: &Authority, identity: &Identity, names: &[&str]) -> Tls {
    Tls::from_pem(&authority.issue(identity, names, HOUR).unwrap(), DOMAIN).unwrap()
}

/// A server whose certificate names the gateway of bot `a`.
struct Server {
    uri: String,
    seen: WhoAmI,
    connections: Connections,
}

fn gateway() -> Identity {
    Identity::Gateway(bot("a"))
}

async fn start(tls: &Tls) -> Server {
    let incoming = tls.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let (address, connections) = (incoming.local_addr(), incoming.connections());
    let seen = WhoAmI::default();
    let server = tonic::transport::Server::builder().add_service(ChatServer::new(seen.clone()));
    tokio::spawn(server.serve_with_incoming(incoming));
    Server {
        uri: format!("https://localhost:{}", address.port()),
        seen,
        connections,
    }
}

async fn serve(tls: &Tls) -> String {
    start(tls).await.uri
}

async fn who(client: &Tls, uri: &str) -> Result<String, Status> {
    let mut chat = ChatClient::new(client.channel(uri, &gateway()).unwrap());
    Ok(chat.status(StatusRequest {}).await?.into_inner().bot)
}

#[tokio::test]
async fn a_peer_is_known_by_its_certificate() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let name = who(&tls(&authority, &runner("a"), &[]), &uri).await.unwrap();
    assert_eq!(name, format!("ns/team-a/bot/a/{UID}/runner/default"));
}

#[tokio::test]
async fn another_authority_gets_nothing() {
    install_crypto();
    let (ours, theirs) = (
        Authority::generate(DOMAIN).unwrap(),
        Authority::generate(DOMAIN).unwrap(),
    );
    let uri = serve(&tls(&ours, &Identity::Gateway(bot("a")), &["localhost"])).await;
    assert!(who(&tls(&theirs, &runner("a"), &[]), &uri).await.is_err());
}

#[tokio::test]
async fn a_certificate_of_another_trust_domain_is_nobody() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let foreign =
        Authority::from_pem(authority.certificate_pem(), authority.key_pem(), "other.local").unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let refused = who(&tls(&foreign, &runner("a"), &[]), &uri).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
}

#[tokio::test]
async fn a_server_of_another_name_is_not_talked_to() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(
        &authority,
        &Identity::Gateway(bot("b")),
        &["b-gateway.team-a.svc"],
    ))
    .await;
    assert!(who(&tls(&authority, &runner("a"), &[]), &uri).await.is_err());
}

#[tokio::test]
async fn a_client_without_a_certificate_gets_nothing() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let plain = tonic::transport::Endpoint::from_shared(uri.replace("https", "http"))
        .unwrap()
        .connect()
        .await;
    let answered = match plain {
        Ok(channel) => ChatClient::new(channel).status(StatusRequest {}).await.is_ok(),
        Err(_) => false,
    };
    assert!(!answered);
}

#[tokio::test]
async fn an_expired_certificate_gets_nothing() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let pem = authority.issue(&runner("a"), &[], Duration::ZERO).unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(who(&Tls::from_pem(&pem, DOMAIN).unwrap(), &uri).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_another_object_is_not_talked_to() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let before = BotId {
        uid: "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7".parse().unwrap(),
        ..bot("a")
    };
    for other in [Identity::Gateway(before), runner("a"), Identity::Operator] {
        let uri = serve(&tls(&authority, &other, &["localhost"])).await;
        assert!(
            who(&tls(&authority, &runner("a"), &[]), &uri).await.is_err(),
            "{other}"
        );
    }
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_from_the_next_request_on_and_cuts_off_nothing() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let server = start(&tls(&authority, &gateway(), &["localhost"])).await;
    let client = tls(&authority, &runner("a"), &[]);
    let mut chat = ChatClient::new(client.channel(&server.uri, &gateway()).unwrap());
    chat.status(StatusRequest {}).await.unwrap();
    let mut events = chat.send(SendRequest::default()).await.unwrap().into_inner();
    events.message().await.unwrap().unwrap();
    let new = authority.issue(&runner("a"), &[], HOUR).unwrap();
    client.replace(&new).unwrap();
    chat.status(StatusRequest {}).await.unwrap();
    chat.clone().status(StatusRequest {}).await.unwrap();
    let serials: Vec<_> = {
        let seen = server.seen.0.lock().unwrap();
        seen.iter().map(|peer| peer.serial.clone()).collect()
    };
    assert_ne!(serials[0], serials[1]);
    assert_eq!(serials[1..], [new.serial().unwrap(), new.serial().unwrap()]);
    assert_eq!(server.connections.count(), 2);
    events.message().await.unwrap().unwrap();
    drop(events);
    // Nothing is left that goes over the old connection.
    until(|| server.connections.count() == 1).await;
}

#[tokio::test]
async fn a_process_never_takes_up_another_objects_certificate() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let client = tls(&authority, &runner("a"), &[]);
    let refused = client.replace(&authority.issue(&runner("z"), &[], HOUR).unwrap());
    assert!(matches!(refused, Err(TlsError::AnotherIdentity)));
    assert_eq!(client.identity(), Some(runner("a")));
}

#[tokio::test]
async fn a_dismissed_peers_connections_end_with_their_streams_and_nobody_elses() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let server = start(&tls(&authority, &gateway(), &["localhost"])).await;
    let mut streams = Vec::new();
    for name in ["a", "b"] {
        let client = tls(&authority, &runner(name), &[]);
        let mut chat = ChatClient::new(client.channel(&server.uri, &gateway()).unwrap());
        let mut events = chat.send(SendRequest::default()).await.unwrap().into_inner();
        events.message().await.unwrap().unwrap();
        streams.push(events);
    }
    assert_eq!(server.connections.retain(|peer| peer.identity == runner("b")), 1);
    let ended = tokio::time::timeout(Duration::from_secs(5), streams[0].message()).await;
    assert!(ended.unwrap().is_err());
    assert!(streams[1].message().await.unwrap().is_some());
    until(|| server.connections.count() == 1).await;
}

/// Certificate and roots of a process at each step of a rotation from one authority to another.
fn step(identity: &Identity, names: &[&str], authorities: &[Authority; 2], step: usize) -> Tls {
    let [old, new] = authorities;
    let (old_root, new_root) = (old.certificate_pem(), new.certificate_pem());
    let (signer, roots) = match step {
        0 => (old, old_root.to_owned()),
        1 => (old, format!("{old_root}{new_root}")),
        2 => (new, format!("{new_root}{old_root}")),
        _ => (new, new_root.to_owned()),
    };
    let mut pem = signer.issue(identity, names, HOUR).unwrap();
    pem.authority = roots;
    Tls::from_pem(&pem, DOMAIN).unwrap()
}

#[tokio::test]
async fn a_rotation_of_the_authority_cuts_nobody_off_who_is_at_most_one_step_behind() {
    install_crypto();
    let authorities = [
        Authority::generate(DOMAIN).unwrap(),
        Authority::generate(DOMAIN).unwrap(),
    ];
    for server in 0..4_usize {
        let uri = serve(&step(&gateway(), &["localhost"], &authorities, server)).await;
        for client in 0..4_usize {
            let answered = who(&step(&runner("a"), &[], &authorities, client), &uri)
                .await
                .is_ok();
            assert_eq!(answered, server.abs_diff(client) <= 1, "{server} and {client}");
        }
    }
}

#[tokio::test]
async fn roots_that_change_alone_are_taken_up() {
    install_crypto();
    let authorities = [
        Authority::generate(DOMAIN).unwrap(),
        Authority::generate(DOMAIN).unwrap(),
    ];
    let uri = serve(&step(&gateway(), &["localhost"], &authorities, 2)).await;
    let mut pem = authorities[0].issue(&runner("a"), &[], HOUR).unwrap();
    let client = Tls::from_pem(&pem, DOMAIN).unwrap();
    assert!(who(&client, &uri).await.is_err());
    pem.authority.push_str(authorities[1].certificate_pem());
    client.replace(&pem).unwrap();
    assert!(who(&client, &uri).await.is_ok());
}

async fn until(holds: impl Fn() -> bool) {
    let held = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    held.await.expect("it happens soon");
}
