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
use crate::proxy::Proxy;
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
    get_through(address, ca_certificate, Value::Null).await
}

async fn get_through(address: SocketAddr, ca_certificate: Option<&str>, proxy: Value) -> Ended {
    let names = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let mut config = json!({
        "baseUrl": format!("https://api.internal.example:{}", address.port()), "allowedAddresses": ["127.0.0.1"],
    });
    config["caCertificate"] = ca_certificate.map_or(Value::Null, Value::from);
    config["proxy"] = proxy;
    let call = http_call(config, json!({"method": "GET", "path": "/"}), json!({}));
    perform(
        Http::with_resolver(names.resolver).on_this_machine(),
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
async fn a_proxy_that_is_named_carries_the_connection_and_sees_nothing_in_it() {
    let own = authority();
    let address = serve(&own, "api.internal.example").await;
    let proxy = Proxy::start(address).await;
    let settings = json!({ "url": proxy.url(), "allowedAddresses": ["127.0.0.1"] });
    let ended = get_through(address, Some(own.certificate_pem()), settings).await;
    assert_eq!(ended.success(), "secure");
    let asked = format!("CONNECT api.internal.example:{} HTTP/1.1", address.port());
    assert_eq!(proxy.asked(), [asked]);
}

#[tokio::test]
async fn a_proxy_stands_where_it_is_permitted_or_is_not_dialled() {
    let own = authority();
    let address = serve(&own, "api.internal.example").await;
    let proxy = Proxy::start(address).await;
    for settings in [
        json!({ "url": proxy.url() }),
        json!({ "url": proxy.url(), "allowedAddresses": ["10.0.0.0/8"] }),
    ] {
        let ended = get_through(address, Some(own.certificate_pem()), settings).await;
        assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
        assert!(ended.failure().message.starts_with("the proxy: "), "{ended:?}");
    }
    assert_eq!(proxy.asked(), [""; 0]);
}

#[tokio::test]
async fn a_secret_in_a_proxys_address_is_refused_and_not_told() {
    let own = authority();
    let address = serve(&own, "api.internal.example").await;
    let settings = json!({ "url": "http://user:hunter2@proxy.example:3128" });
    let ended = get_through(address, Some(own.certificate_pem()), settings).await;
    assert_eq!(ended.failure().kind, FailureKind::Invalid, "{ended:?}");
    assert!(!ended.failure().message.contains("hunter2"), "{ended:?}");
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
