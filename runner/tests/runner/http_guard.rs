//! Where requests don't go.

use std::net::Ipv4Addr;

use monstrum_runner::call::FailureKind;
use monstrum_runner::executor::http::Http;
use monstrum_wire::runner::Execute;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::dns::NameServer;
use crate::support::{Ended, SECRET, http, http_call, perform, with_token};
use crate::upstream::{Upstream, redirect};

const GET: &str = r#"{"method":"GET","path":"/a"}"#;

fn get(config: Value) -> Execute {
    Execute {
        execution_json: GET.to_owned(),
        ..with_token(http_call(config, json!({}), json!({})))
    }
}

async fn through(server: &NameServer, call: Execute) -> Ended {
    perform(
        Http::with_resolver(server.resolver.clone()).on_this_machine(),
        call,
        CancellationToken::new(),
    )
    .await
}

#[rstest]
#[case::literal("127.0.0.1")]
#[case::short("127.1")]
#[case::decimal("2130706433")]
#[case::octal("0177.0.0.01")]
#[case::hex("0x7f000001")]
#[case::mapped("[::ffff:127.0.0.1]")]
#[case::name("localhost")]
#[case::name_with_dot("localhost.")]
#[case::upper_case("LOCALHOST")]
#[case::unspecified("0.0.0.0")]
#[tokio::test]
async fn loopback_in_every_notation_is_refused(#[case] host: &str) {
    let upstream = Upstream::start().await;
    let ended = http(get(
        json!({ "baseUrl": format!("http://{host}:{}", upstream.address.port()) }),
    ))
    .await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert!(ended.failure().message.contains("allowedAddresses"), "{ended:?}");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_name_for_a_private_address_is_refused() {
    let upstream = Upstream::start().await;
    let server = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST]]).await;
    let base = format!("http://innocent.example:{}", upstream.address.port());
    let ended = through(&server, get(json!({ "baseUrl": base }))).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused);
    assert_eq!(server.asked(), 1);
    assert_eq!(upstream.seen().len(), 0);
    let allowed = json!({ "baseUrl": base, "allowedAddresses": ["127.0.0.1"] });
    through(&server, get(allowed)).await.success();
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_a_second_answer_changes_nothing() {
    let (good, inner) = (Upstream::start().await, Ipv4Addr::new(127, 0, 0, 2));
    let port = good.address.port();
    let bad = Upstream::at(&format!("{inner}:{port}"), |_| redirect("/")).await;
    let server = NameServer::start(vec![vec![Ipv4Addr::LOCALHOST], vec![inner]]).await;
    let http = Http::with_resolver(server.resolver.clone()).on_this_machine();
    let config = json!({
        "baseUrl": format!("http://rebind.example:{port}"), "allowedAddresses": ["127.0.0.1/32"],
    });
    let ended = perform(http, get(config.clone()), CancellationToken::new()).await;
    assert_eq!(ended.fact("address"), good.address.to_string());
    assert_eq!(server.asked(), 1);
    // The name moved: the next call sees it, and refuses.
    assert_eq!(
        through(&server, get(config)).await.failure().kind,
        FailureKind::Refused
    );
    assert_eq!((good.seen().len(), bad.seen().len()), (1, 0));
}

#[tokio::test]
async fn of_several_addresses_only_a_checked_one_is_connected_to() {
    let good = Upstream::start().await;
    let (port, inner) = (good.address.port(), Ipv4Addr::new(127, 0, 0, 3));
    let bad = Upstream::at(&format!("{inner}:{port}"), |_| redirect("/")).await;
    let server = NameServer::start(vec![vec![inner, Ipv4Addr::LOCALHOST]]).await;
    let config = json!({
        "baseUrl": format!("http://both.example:{port}"), "allowedAddresses": ["127.0.0.1/32"],
    });
    through(&server, get(config)).await.success();
    assert_eq!((good.seen().len(), bad.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_unreachable() {
    let server = NameServer::start(vec![vec![]]).await;
    let ended = through(&server, get(json!({ "baseUrl": "http://nowhere.example" }))).await;
    assert_eq!(ended.failure().kind, FailureKind::Unreachable);
    assert!(
        ended.failure().message.starts_with("nowhere.example "),
        "{ended:?}"
    );
}

/// A call of the tool whose path is its argument.
fn place(config: Value, place: &str) -> Execute {
    Execute {
        execution_json: r#"{"method":"GET","path":"/{/place}"}"#.to_owned(),
        arguments_json: json!({ "place": place }).to_string(),
        ..get(config)
    }
}

fn following(upstream: &Upstream) -> Value {
    let mut config = upstream.config();
    config["followRedirects"] = json!(true);
    config
}

#[tokio::test]
async fn redirects_are_off_by_default() {
    let upstream = Upstream::answering(|_| redirect("/b")).await;
    let ended = http(get(upstream.config())).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused);
    assert_eq!(ended.fact("status"), 302);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_where_the_resource_says_so() {
    let upstream = Upstream::answering(|seen| match seen.target.as_str() {
        "/a" => redirect("/b"),
        _ => crate::upstream::answer(200, &[("content-type", "text/plain")], "here"),
    })
    .await;
    assert_eq!(http(place(following(&upstream), "a")).await.success(), "here");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].headers["authorization"], format!("Bearer {SECRET}"));
}

#[rstest]
#[case::outside_the_grant("/forbidden")]
#[case::no_call_of_the_tool("/a/b")]
#[case::with_a_further_parameter("/b?admin=true")]
#[case::to_the_root("/")]
#[tokio::test]
async fn a_redirect_to_what_no_grant_permits_is_refused_and_recorded(#[case] to: &'static str) {
    let upstream = Upstream::answering(move |_| redirect(to)).await;
    let ended = http(place(following(&upstream), "a")).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert_eq!(ended.fact("status"), 302);
    let (path, _) = to.split_once('?').unwrap_or((to, ""));
    assert_eq!(ended.fact("refusedRedirect"), format!("{}{path}", upstream.url()));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_refused_and_sees_no_credential() {
    let other = Upstream::start().await;
    let places = [
        format!("http://{}/", other.address),
        format!("//{}/", other.address),
        format!("http://localhost:{}/", other.address.port()),
        format!("http://user@{}/", other.address),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://kubernetes.default.svc/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ];
    for place in places {
        let told = place.clone();
        let upstream = Upstream::answering(move |_| redirect(&told)).await;
        let ended = http(get(following(&upstream))).await;
        assert_eq!(ended.failure().kind, FailureKind::Refused, "{place}: {ended:?}");
        assert_eq!(upstream.seen().len(), 1);
    }
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test]
async fn a_redirect_without_end_is_refused() {
    let upstream = Upstream::answering(|_| redirect("/again")).await;
    let ended = http(place(following(&upstream), "a")).await;
    assert!(ended.failure().message.contains("more than 5 times"), "{ended:?}");
    assert_eq!(upstream.seen().len(), 6);
}

#[tokio::test]
async fn an_effect_is_not_redirected() {
    let upstream = Upstream::answering(|_| redirect("/b")).await;
    let call = http_call(
        following(&upstream),
        json!({"method": "POST", "path": "/a", "body": {}}),
        json!({}),
    );
    assert_eq!(http(call).await.failure().kind, FailureKind::Refused);
    assert_eq!(upstream.seen().len(), 1);
}
