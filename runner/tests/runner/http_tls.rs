//! Servers whose certificates an own authority signed.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use monstrum_runner::call::FailureKind;
use monstrum_runner::executor::http::Http;
use monstrum_service::authority::Authority;
use monstrum_wire::identity::Identity;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::dns::NameServer;
use crate::gateway::{DAY, authority};
use crate::support::{Ended, http_call, perform};

async fn serve(authority: &Authority, name: &str) -> SocketAddr {
    let pem = authority.issue(&Identity::Ledger, &[name], DAY).unwrap();
    let config = RustlsConfig::from_pem(pem.certificate.into_bytes(), pem.key.into_bytes())
        .await
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(|| async { "secure" });
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    tokio::spawn(server.serve(app.into_make_service()));
    address
}

async fn get(address: SocketAddr, ca_certificate: Option<&str>) -> Ended {
    let names = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let mut config = json!({
        "baseUrl": format!("https://api.internal.example:{}", address.port()), "allowedAddresses": ["127.0.0.1"],
    });
    config["caCertificate"] = ca_certificate.map_or(Value::Null, Value::from);
    let call = http_call(config, json!({"method": "GET", "path": "/"}), json!({}));
    perform(
        Http::with_resolver(names.resolver),
        call,
        CancellationToken::new(),
    )
    .await
}

#[tokio::test]
async fn a_resource_trusts_the_authority_that_it_names() {
    let own = authority();
    let address = serve(&own, "api.internal.example").await;
    assert_eq!(
        get(address, Some(own.certificate_pem())).await.success(),
        "secure"
    );
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    let (own, other) = (authority(), authority());
    let address = serve(&own, "api.internal.example").await;
    for trusted in [Some(other.certificate_pem()), None] {
        let ended = get(address, trusted).await;
        assert_eq!(ended.failure().kind, FailureKind::Unreachable, "{ended:?}");
        assert!(ended.failure().message.contains("certificate"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_is_not_accepted() {
    let own = authority();
    let address = serve(&own, "evil.example").await;
    let ended = get(address, Some(own.certificate_pem())).await;
    assert_eq!(ended.failure().kind, FailureKind::Unreachable, "{ended:?}");
}
