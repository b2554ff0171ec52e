//! Which destinations are dialled, and which are not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(test)]
#[path = "../../../runner/tests/runner/dns.rs"]
mod dns;
#[cfg(test)]
#[path = "names/dns64.rs"]
mod dns64;

use std::net::Ipv4Addr;

use dns::NameServer;
use monstrum_egress::{Access, Egress, EgressError, Proxy, ranges};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

fn access(allowed: &[&str]) -> Access {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    Access {
        allowed: ranges(&allowed).unwrap(),
        ..Access::default()
    }
}

async fn dial(egress: &Egress, url: &str, access: &Access) -> Result<reqwest::Client, EgressError> {
    monstrum_service::install_crypto();
    egress.client(&Url::parse(url).unwrap(), access).await
}

/// A name server whose every name is at these addresses.
async fn at(addresses: &[Ipv4Addr]) -> (Egress, NameServer) {
    let server = NameServer::start(vec![addresses.to_vec()]).await;
    (Egress::with_resolver(server.resolver.clone()), server)
}

#[rstest]
#[case::short("http://127.1/")]
#[case::decimal("http://2130706433/")]
#[case::octal("http://0177.0.0.1/")]
#[case::hexadecimal("http://0x7f.1/")]
#[case::hexadecimal_whole("http://0x7f000001/")]
#[case::final_dot("http://127.0.0.1./")]
#[case::full_width("http://１２７.０.０.１/")]
#[case::circled("http://①②⑦.⓪.⓪.①/")]
#[case::percent_encoded("http://%31%32%37.0.0.1/")]
#[case::zero("http://0/")]
#[case::metadata("http://169.254.169.254/latest/meta-data/")]
#[case::cloud_host("http://168.63.129.16/")]
#[case::ten("https://10.96.0.1/")]
#[case::shared("http://100.64.0.1/")]
#[case::benchmark("http://198.19.0.1/")]
#[case::loopback_v6("http://[::1]/")]
#[case::mapped("http://[::ffff:127.0.0.1]/")]
#[case::compatible("http://[::127.0.0.1]/")]
#[case::nat64("http://[64:ff9b::7f00:1]/")]
#[case::isatap("http://[2606:4700::5efe:7f00:1]/")]
#[case::unique_local("http://[fd12::1]/")]
#[case::link_local("http://[fe80::1]/")]
#[tokio::test]
async fn a_literal_address_of_no_internet_is_refused(#[case] url: &str) {
    let egress = Egress::new();
    let error = dial(&egress, url, &access(&[])).await.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    let parsed = Url::parse(url).unwrap();
    assert!(egress.check(&parsed, &access(&[])).unwrap_err().is_refusal());
}

#[tokio::test]
async fn a_pod_never_reaches_its_own_loopback_though_it_is_named() {
    let named = access(&["127.0.0.0/8", "::1/128"]);
    for url in [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://localhost/",
        "http://localhost./",
    ] {
        let error = dial(&Egress::new(), url, &named).await.unwrap_err();
        assert!(error.is_refusal(), "{url}: {error}");
    }
    let beside = Egress::new().on_this_machine();
    dial(&beside, "http://127.0.0.1/", &named).await.unwrap();
    assert!(
        dial(&beside, "http://127.0.0.1/", &access(&[]))
            .await
            .unwrap_err()
            .is_refusal()
    );
}

#[rstest]
#[case::private(Ipv4Addr::new(10, 0, 0, 1))]
#[case::metadata(Ipv4Addr::new(169, 254, 169, 254))]
#[case::cloud_host(Ipv4Addr::new(168, 63, 129, 16))]
#[case::loopback(Ipv4Addr::LOCALHOST)]
#[tokio::test]
async fn a_public_name_that_leads_home_is_not_dialled(#[case] address: Ipv4Addr) {
    let (egress, _server) = at(&[address]).await;
    let error = dial(&egress, "https://hooks.example.com/", &access(&[]))
        .await
        .unwrap_err();
    assert!(error.is_refusal(), "{error}");
}

#[tokio::test]
async fn of_mixed_answers_only_what_may_be_reached_is_connected_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let inner = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // An answer before the request would be none.
        let length = stream.read(&mut [0; 1024]).await.unwrap();
        assert_ne!(length, 0, "a request");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
    });
    let (egress, _server) = at(&[Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST]).await;
    let egress = egress.on_this_machine();
    let url = format!("http://mixed.example:{port}/");
    let client = dial(&egress, &url, &access(&["127.0.0.1/32"])).await.unwrap();
    client.get(&url).send().await.unwrap();
    let connected = tokio::time::timeout(std::time::Duration::from_millis(50), inner.accept()).await;
    assert!(connected.is_err());
}

#[tokio::test]
async fn each_request_resolves_and_judges_anew() {
    let moved = vec![
        vec![Ipv4Addr::new(93, 184, 216, 34)],
        vec![Ipv4Addr::new(10, 0, 0, 1)],
    ];
    let server = NameServer::start(moved).await;
    let egress = Egress::with_resolver(server.resolver.clone());
    dial(&egress, "https://moving.example/", &access(&[]))
        .await
        .unwrap();
    let error = dial(&egress, "https://moving.example/", &access(&[]))
        .await
        .unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert_eq!(server.asked(), 2);
}

#[rstest]
#[case::file("file:///etc/passwd")]
#[case::gopher("gopher://example.com/")]
#[case::user("https://user@example.com/")]
#[case::password("https://user:hunter2@example.com/")]
#[tokio::test]
async fn only_plain_http_is_dialled(#[case] url: &str) {
    let error = dial(&Egress::new(), url, &access(&[])).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Scheme | EgressError::UserInfo),
        "{error}"
    );
    assert!(!error.to_string().contains("hunter2"));
}

#[tokio::test]
async fn through_a_proxy_the_target_is_judged_all_the_same() {
    let (egress, _server) = at(&[Ipv4Addr::new(10, 0, 0, 1)]).await;
    let through = Access {
        proxy: Some(Proxy {
            url: Url::parse("http://93.184.216.34:3128").unwrap(),
            allowed: Vec::new(),
        }),
        ..Access::default()
    };
    for url in ["http://169.254.169.254/", "https://innocent.example/"] {
        let error = dial(&egress, url, &through).await.unwrap_err();
        assert!(
            error.is_refusal() && !matches!(error, EgressError::Proxy(_)),
            "{error}"
        );
    }
}

/// A network with IPv6 only, whose resolver makes addresses under a prefix of its own.
async fn behind_a_translator(otherwise: dns64::Otherwise, names: &[(&'static str, &str)]) -> Egress {
    let names = names
        .iter()
        .map(|(name, address)| (*name, address.parse().unwrap()));
    Egress::with_resolver(dns64::resolver_of(names.collect(), otherwise).await)
}

const PREFIX: (&str, &str) = ("ipv4only.arpa", "2001:db8:64::c000:aa");

#[rstest]
#[case::metadata("2001:db8:64::a9fe:a9fe", "169.254.169.254")]
#[case::loopback("2001:db8:64::7f00:1", "127.0.0.1")]
#[case::private("2001:db8:64::a00:1", "10.0.0.1")]
#[case::well_known_prefix("64:ff9b::a9fe:a9fe", "169.254.169.254")]
#[tokio::test]
async fn an_address_that_a_translator_takes_home_is_refused_by_where_it_leads(
    #[case] address: &str,
    #[case] judged: &str,
) {
    let names = [PREFIX, ("hooks.example.com", address)];
    let egress = behind_a_translator(dns64::Otherwise::NoSuchName, &names).await;
    for url in [
        "https://hooks.example.com/".to_owned(),
        format!("https://[{address}]/"),
    ] {
        let error = dial(&egress, &url, &access(&["2001:db8:64::/96", "64:ff9b::/96"]))
            .await
            .unwrap_err();
        assert!(error.is_refusal(), "{error}");
        assert!(error.to_string().contains(judged), "{error}");
    }
}

#[tokio::test]
async fn what_a_translator_takes_to_the_internet_is_reached() {
    let names = [PREFIX, ("api.example.com", "2001:db8:64::5db8:d822")];
    let egress = behind_a_translator(dns64::Otherwise::NoSuchName, &names).await;
    let ranges = access(&["2001:db8:64::/96"]);
    dial(&egress, "https://api.example.com/", &ranges).await.unwrap();
    let private = access(&["2001:db8:64::/96", "10.0.0.0/8"]);
    dial(&egress, "https://[2001:db8:64::a00:1]/", &private)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_translator_an_ipv6_address_is_what_it_is() {
    let names = [("api.example.com", "2606:4700::a9fe:a9fe")];
    let egress = behind_a_translator(dns64::Otherwise::NoSuchName, &names).await;
    dial(&egress, "https://api.example.com/", &access(&[]))
        .await
        .unwrap();
}

#[tokio::test]
async fn where_it_is_not_known_whether_there_is_a_translator_only_named_ranges_are_reached() {
    let names = [("api.example.com", "2606:4700::1111")];
    let egress = behind_a_translator(dns64::Otherwise::Failure, &names).await;
    let error = dial(&egress, "https://api.example.com/", &access(&[]))
        .await
        .unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("ipv4only.arpa"),
        "{error}"
    );
    let ranges = access(&["2606:4700::/32"]);
    dial(&egress, "https://api.example.com/", &ranges).await.unwrap();
}
