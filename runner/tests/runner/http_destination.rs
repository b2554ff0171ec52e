//! Where a credential doesn't go.

use monstrum_runner::call::FailureKind;
use monstrum_wire::runner::Execute;
use rstest::rstest;
use serde_json::json;

use crate::support::{SECRET, http, http_call, with_token};
use crate::upstream::{Upstream, redirect};

fn call(upstream: &Upstream, hosts: &[String]) -> Execute {
    let mut config = upstream.config();
    config["followRedirects"] = json!(true);
    Execute {
        credential_hosts: hosts.to_vec(),
        ..with_token(http_call(
            config,
            json!({"method": "GET", "path": "/{/place}"}),
            json!({ "place": "a" }),
        ))
    }
}

#[rstest]
#[case::nowhere(&[])]
#[case::another_host(&["a.example.com"])]
#[case::another_port(&["http://127.0.0.1:1"])]
#[case::another_scheme(&["127.0.0.1:*"])]
#[case::a_name(&["http://localhost:*"])]
#[case::every_name(&["http://**:*"])]
#[case::every_public_address(&["http://[0.0.0.0/0]:*"])]
#[case::spoilt(&["http://127.0.0.1:*", "no host"])]
#[tokio::test]
async fn a_request_to_another_host_is_refused_and_not_sent(#[case] hosts: &[&str]) {
    let upstream = Upstream::start().await;
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let ended = http(call(&upstream, &hosts)).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert!(!ended.failure().message.contains(SECRET), "{ended:?}");
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_credential() {
    let other = Upstream::start().await;
    let place = format!("http://{}/b", other.address);
    let upstream = Upstream::answering(move |_| redirect(&place)).await;
    let hosts = [format!("http://{}", upstream.address)];
    let ended = http(call(&upstream, &hosts)).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert_eq!((upstream.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test]
async fn each_hop_within_its_hosts_carries_it() {
    let upstream = Upstream::answering(|seen| match seen.target.as_str() {
        "/a" => redirect("/b"),
        _ => crate::upstream::answer(200, &[("content-type", "text/plain")], "here"),
    })
    .await;
    let hosts = [format!("http://{}", upstream.address)];
    assert_eq!(http(call(&upstream, &hosts)).await.success(), "here");
    for seen in upstream.seen() {
        assert_eq!(seen.headers["authorization"], format!("Bearer {SECRET}"));
    }
}

#[tokio::test]
async fn a_proxy_that_is_no_host_of_the_credential_sees_nothing() {
    let (upstream, proxy) = (Upstream::start().await, Upstream::start().await);
    let mut config = upstream.config();
    config["proxy"] = json!({"url": format!("http://{}", proxy.address), "allowedAddresses": ["127.0.0.1"]});
    let hosts = vec![format!("http://{}", upstream.address)];
    let call = with_token(http_call(
        config,
        json!({"method": "GET", "path": "/a"}),
        json!({}),
    ));
    let ended = http(Execute {
        credential_hosts: hosts,
        ..call
    })
    .await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert!(
        ended.failure().message.contains("does not name this host"),
        "{ended:?}"
    );
    assert_eq!((upstream.seen().len(), proxy.seen().len()), (0, 0));
}
