//! Mutual TLS between real sockets: who gets in, as whom, and how certificates are replaced.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use monstrum_service::authority::Authority;
use monstrum_service::{Tls, install_crypto, peer};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::chat_server::{Chat, ChatServer};
use monstrum_wire::chat::{SendRequest, StatusRequest, StatusResponse, TurnEvent};
use monstrum_wire::identity::{BotName, Identity};
use tonic::{Request, Response, Status};

const DOMAIN: &str = "monstrum.local";
const HOUR: Duration = Duration::from_secs(3600);

/// Answers with the caller's identity.
#[derive(Clone, Default)]
struct WhoAmI(Arc<Mutex<Vec<Identity>>>);

#[tonic::async_trait]
impl Chat for WhoAmI {
    type SendStream = tokio_stream::Empty<Result<TurnEvent, Status>>;

    async fn send(&self, _: Request<SendRequest>) -> Result<Response<Self::SendStream>, Status> {
        Err(Status::unimplemented("not part of this test"))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let caller = peer(&request)?;
        self.0.lock().unwrap().push(caller.clone());
        Ok(Response::new(StatusResponse {
            bot: caller.to_string(),
            ..StatusResponse::default()
        }))
    }
}

fn bot(name: &str) -> BotName {
    BotName {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
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

async fn serve(tls: &Tls) -> String {
    let incoming = tls.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = incoming.local_addr();
    let server = tonic::transport::Server::builder().add_service(ChatServer::new(WhoAmI::default()));
    tokio::spawn(server.serve_with_incoming(incoming));
    format!("https://localhost:{}", address.port())
}

async fn who(client: &Tls, uri: &str) -> Result<String, Status> {
    let mut chat = ChatClient::new(client.channel(uri).unwrap());
    Ok(chat.status(StatusRequest {}).await?.into_inner().bot)
}

#[tokio::test]
async fn a_peer_is_known_by_its_certificate() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let name = who(&tls(&authority, &runner("a"), &[]), &uri).await.unwrap();
    assert_eq!(name, "ns/team-a/bot/a/runner/default");
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
async fn a_replaced_certificate_is_used_from_the_next_connection_on() {
    install_crypto();
    let authority = Authority::generate(DOMAIN).unwrap();
    let uri = serve(&tls(&authority, &Identity::Gateway(bot("a")), &["localhost"])).await;
    let client = tls(&authority, &runner("a"), &[]);
    assert_eq!(
        who(&client, &uri).await.unwrap(),
        "ns/team-a/bot/a/runner/default"
    );
    client
        .replace(&authority.issue(&runner("z"), &[], HOUR).unwrap())
        .unwrap();
    assert_eq!(
        who(&client, &uri).await.unwrap(),
        "ns/team-a/bot/z/runner/default"
    );
}
