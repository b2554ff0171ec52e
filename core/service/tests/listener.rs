//! Hostile connections against real listeners: each attack runs while genuine clients are served.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use monstrum_service::authority::Authority;
use monstrum_service::listener::{Entrance, Guest, Limits, grpc_server, serve_http};
use monstrum_service::{Channel, Incoming, ServerTls, Shutdown, Tls, install_crypto};
use monstrum_wire::chat::StatusRequest;
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::identity::Identity;
use rstest::rstest;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HOUR: Duration = Duration::from_secs(3600);

/// Deadlines that a test can wait for.
fn quick() -> Limits {
    Limits {
        strangers: 64,
        per_source: 32,
        first_request: Duration::from_millis(400),
        stranger: Duration::from_millis(1200),
        idle: Duration::from_millis(600),
        ..Limits::default()
    }
}

fn router() -> Router {
    let known = |request: Request| async move {
        request.extensions().get::<Guest>().unwrap().make_known();
        "known"
    };
    Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/known", get(known))
        .route("/large", get(|| async { Body::from(vec![0; 64 << 20]) }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(900)).await;
                "slow"
            }),
        )
}

fn http(entrance: Entrance, limits: Limits) -> SocketAddr {
    install_crypto();
    let incoming = Incoming::bind("127.0.0.1:0".parse().unwrap(), entrance, limits).unwrap();
    let address = incoming.local_addr();
    tokio::spawn(serve_http(incoming, router(), Shutdown::default()));
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn connections(address: SocketAddr, count: usize, first: &[u8]) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = connect(address).await;
        // It may have had to give way already.
        let _ = stream.write_all(first).await;
        open.push(stream);
    }
    open
}

/// One request over HTTP/1.1 on a connection of its own.
async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = connect(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// How long until the server ends a connection; whatever it sends is read.
async fn ended_after(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let ended = async {
        let mut buffer = [0; 4096];
        while !matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {}
    };
    tokio::time::timeout(Duration::from_secs(10), ended)
        .await
        .unwrap();
    began.elapsed()
}

#[rstest]
#[case::silent(b"")]
#[case::half_a_head(b"GET / HTTP/1.1\r\nhost:")]
#[case::half_a_preface(b"PRI * HT")]
#[case::preface_only(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")]
#[tokio::test]
async fn those_who_only_connect_keep_nobody_out(#[case] first: &[u8]) {
    let address = http(Entrance::Plain, Limits::default());
    let _open = connections(address, 600, first).await;
    let began = Instant::now();
    for _ in 0..20 {
        assert!(ask(address, "/").await.ends_with("ok"));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[rstest]
#[case::silent(b"")]
#[case::half_a_head(b"GET / HTTP/1.1\r\nhost:")]
#[case::half_a_preface(b"PRI * HT")]
#[case::preface_only(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")]
#[tokio::test]
async fn without_a_request_a_connection_ends_soon(#[case] first: &[u8]) {
    let address = http(Entrance::Plain, quick());
    let mut stream = connect(address).await;
    stream.write_all(first).await.unwrap();
    assert!(ended_after(stream).await < Duration::from_millis(1000));
}

#[tokio::test]
async fn headers_that_drip_do_not_prolong_it() {
    let address = http(Entrance::Plain, quick());
    let mut stream = connect(address).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let began = Instant::now();
    while stream.write_all(b"a: b\r\n").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_stranger_that_goes_on_asking_has_to_come_back() {
    let address = http(Entrance::Plain, quick());
    let mut stream = connect(address).await;
    let began = Instant::now();
    let mut buffer = [0; 1024];
    loop {
        let written = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        if written.is_err() || !matches!(stream.read(&mut buffer).await, Ok(1..)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(began.elapsed() < Duration::from_secs(4));
    }
    assert!(began.elapsed() > Duration::from_millis(900));
}

#[tokio::test]
async fn who_is_known_stays_while_it_asks_and_goes_when_it_does_not() {
    let address = http(Entrance::Plain, quick());
    let mut stream = connect(address).await;
    let mut buffer = [0; 1024];
    for _ in 0..8 {
        stream
            .write_all(b"GET /known HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(ended_after(stream).await < Duration::from_secs(2));
}

#[tokio::test]
async fn an_answer_may_take_longer_than_a_connection_may_idle() {
    let address = http(Entrance::Plain, quick());
    assert!(ask(address, "/slow").await.ends_with("slow"));
}

#[tokio::test]
async fn who_takes_no_bytes_is_not_waited_for() {
    let address = http(Entrance::Plain, quick());
    let mut stream = connect(address).await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // What was on its way is still read; the rest never comes.
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.len() < 32 << 20, "{}", answer.len());
}

/// Its other end answers pings by itself.
#[tokio::test]
async fn a_connection_that_only_answers_pings_ends() {
    let address = http(Entrance::Plain, quick());
    for path in ["/", "/known"] {
        let stream = TokioIo::new(connect(address).await);
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::get(format!("http://x{path}"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        let ended = tokio::time::timeout(Duration::from_secs(5), connection).await;
        assert!(ended.is_ok(), "{path}");
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET http://x/slow`, and its withdrawal, again and again (CVE-2023-44487).
#[tokio::test]
async fn requests_that_are_withdrawn_again_and_again_end_the_connection() {
    let address = http(Entrance::Plain, Limits::default());
    let mut stream = connect(address).await;
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    let head = [&[0x82, 0x86, 0x04, 0x05][..], b"/slow", &[0x41, 0x01], b"x"].concat();
    let mut sent = 0;
    for number in 0..50_000_u32 {
        let id = number * 2 + 1;
        let pair = [frame(1, 5, id, &head), frame(3, 0, id, &8_u32.to_be_bytes())].concat();
        if stream.write_all(&pair).await.is_err() {
            break;
        }
        sent = number;
    }
    assert!(ended_after(stream).await < Duration::from_secs(5));
    assert!(sent < 49_999, "all were taken");
    assert!(ask(address, "/").await.ends_with("ok"));
}

#[tokio::test]
async fn a_request_with_endless_headers_is_refused() {
    let address = http(Entrance::Plain, Limits::default());
    for head in [
        format!(
            "GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n",
            "x".repeat(100 << 10)
        ),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200)),
    ] {
        let mut stream = connect(address).await;
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(
            !answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

/// Whose certificates the two ends have.
struct Ends {
    authority: Authority,
}

impl Ends {
    fn new() -> Self {
        install_crypto();
        Self {
            authority: Authority::generate("monstrum.local").unwrap(),
        }
    }

    fn tls(&self, identity: &Identity) -> Tls {
        let pem = self.authority.issue(identity, &["localhost"], HOUR).unwrap();
        Tls::from_pem(&pem, "monstrum.local").unwrap()
    }

    /// A server without services: a call that reaches it is answered as unimplemented.
    fn serve(&self, limits: Limits) -> SocketAddr {
        let entrance = Entrance::Mutual(self.tls(&Identity::Operator));
        let incoming = Incoming::bind("127.0.0.1:0".parse().unwrap(), entrance, limits).unwrap();
        let address = incoming.local_addr();
        let server = grpc_server().add_routes(tonic::service::Routes::default());
        tokio::spawn(server.serve_with_incoming(incoming));
        address
    }

    fn client(&self, address: SocketAddr) -> ChatClient<Channel> {
        let tls = self.tls(&Identity::Ledger);
        let uri = format!("https://localhost:{}", address.port());
        ChatClient::new(tls.channel(&uri, &Identity::Operator).unwrap())
    }
}

async fn reach(client: &mut ChatClient<Channel>) -> tonic::Code {
    client.status(StatusRequest::default()).await.unwrap_err().code()
}

/// The beginning of a `ClientHello` that never goes on.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

#[rstest]
#[case::silent(b"")]
#[case::half_a_hello(HALF_A_HELLO)]
#[case::no_tls_at_all(b"GET / HTTP/1.1\r\n\r\n")]
#[tokio::test]
async fn handshakes_that_never_end_keep_no_peer_out(#[case] first: &[u8]) {
    let ends = Ends::new();
    let address = ends.serve(Limits::default());
    let _open = connections(address, 400, first).await;
    let began = Instant::now();
    for _ in 0..20 {
        assert_eq!(reach(&mut ends.client(address)).await, tonic::Code::Unimplemented);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

/// They go on coming while genuine peers do.
#[tokio::test]
async fn a_stream_of_silent_connections_keeps_no_peer_out() {
    let ends = Ends::new();
    let address = ends.serve(Limits::default());
    let flood = tokio::spawn(async move {
        let mut open = std::collections::VecDeque::new();
        loop {
            open.push_back(connect(address).await);
            if open.len() > 300 {
                open.pop_front();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    for _ in 0..20 {
        let reached = tokio::time::timeout(Duration::from_secs(3), async {
            reach(&mut ends.client(address)).await
        });
        assert_eq!(reached.await.unwrap(), tonic::Code::Unimplemented);
    }
    flood.abort();
}

#[tokio::test]
async fn a_peer_with_an_identity_may_be_silent() {
    let ends = Ends::new();
    let address = ends.serve(quick());
    let mut client = ends.client(address);
    assert_eq!(reach(&mut client).await, tonic::Code::Unimplemented);
    let _open = connections(address, 100, b"").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // The same connection: a new one would have to be made within this time.
    let again = tokio::time::timeout(Duration::from_millis(200), reach(&mut client)).await;
    assert_eq!(again.unwrap(), tonic::Code::Unimplemented);
}

#[rstest]
#[case::silent(b"")]
#[case::half_a_hello(HALF_A_HELLO)]
#[tokio::test]
async fn https_is_served_beside_handshakes_that_never_end(#[case] first: &[u8]) {
    let ends = Ends::new();
    let pem = ends
        .authority
        .issue(&Identity::Operator, &["localhost"], HOUR)
        .unwrap();
    let server = ServerTls::new(&pem.certificate, &pem.key, None).unwrap();
    let address = http(Entrance::Https(server), Limits::default());
    let _open = connections(address, 400, first).await;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.authority.as_bytes()).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    for _ in 0..10 {
        let stream = connect(address).await;
        let name = "localhost".try_into().unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.ends_with(b"ok"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test]
async fn where_clients_have_an_authority_others_do_not_get_through_the_handshake() {
    let ends = Ends::new();
    let pem = ends
        .authority
        .issue(&Identity::Operator, &["localhost"], HOUR)
        .unwrap();
    let server = ServerTls::new(&pem.certificate, &pem.key, Some(&pem.authority)).unwrap();
    let address = http(Entrance::Https(server), Limits::default());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.authority.as_bytes()).unwrap())
        .unwrap();
    let anonymous = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(anonymous));
    let name = "localhost".try_into().unwrap();
    // With TLS 1.3 a client learns of it with the first answer.
    let mut answer = Vec::new();
    if let Ok(mut stream) = connector.connect(name, connect(address).await).await {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let _ = stream.read_to_end(&mut answer).await;
    }
    assert!(answer.is_empty());
}

/// What is plain and only in the pod has no strangers, but silence ends there too.
#[tokio::test]
async fn in_the_pod_silence_ends_and_whoever_speaks_stays() {
    install_crypto();
    let incoming = Incoming::bind("127.0.0.1:0".parse().unwrap(), Entrance::Pod, quick()).unwrap();
    let address = incoming.local_addr();
    let server = grpc_server().add_routes(tonic::service::Routes::default());
    tokio::spawn(server.serve_with_incoming(incoming));
    let silent = connect(address).await;
    let mut client = ChatClient::connect(format!("http://{address}")).await.unwrap();
    assert_eq!(
        client.status(StatusRequest::default()).await.unwrap_err().code(),
        tonic::Code::Unimplemented
    );
    assert!(ended_after(silent).await < Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        client.status(StatusRequest::default()).await.unwrap_err().code(),
        tonic::Code::Unimplemented
    );
}
