//! Who is gone, or shows an old certificate, gets nothing; a stream that another takes the place of ends.

use super::*;
use monstrum_crds::object::Kind;

/// Everything that a gateway may ask for, with one connection.
async fn assert_gets_nothing(server: &Server<'_>, channel: &Channel, version: &str) {
    let refused = server.subscribe_over(channel.clone(), "pod-0", None).await;
    assert_eq!(refused.err().unwrap().code(), Code::PermissionDenied);
    for subject in [
        Subject::Binding("reader".into()),
        Subject::Provider("main".into()),
    ] {
        let request = LeaseRequest {
            subject: Some(subject),
            version: version.to_owned(),
        };
        let refused = VaultClient::new(channel.clone())
            .lease(request)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
}

#[tokio::test]
async fn a_deleted_bots_gateway_is_told_that_it_may_do_nothing_and_then_nothing_more() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let copied = server.channel(&ours());
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let mut stream = server
        .subscribe_over(copied.clone(), "pod-0", None)
        .await
        .unwrap();
    stream.snapshot().await;
    scenario.take(Kind::Bot, "triage");
    scenario.compile().await;
    let last = tokio::time::timeout(Duration::from_secs(1), stream.snapshot())
        .await
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&last.permissions).unwrap();
    assert_eq!(document["bindings"], serde_json::json!([]));
    assert_eq!(stream.callers, Vec::<String>::new());
    assert_eq!(stream.next().await.unwrap_err().code(), Code::PermissionDenied);
    assert_gets_nothing(&server, &copied, &version).await;
}

#[tokio::test]
async fn a_deleted_bot_is_told_so_also_when_its_certificate_goes_first() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    stream.snapshot().await;
    scenario.take(Kind::Bot, "triage");
    // Not compiled yet, but somebody else's certificate was issued.
    server.certify(&Identity::Channel(inbox()));
    let last = stream.snapshot().await;
    assert!(!String::from_utf8(last.permissions).unwrap().contains("acme/web"));
    assert_eq!(stream.next().await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_deleted_bots_certificate_is_worth_nothing_with_its_namesake() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let copied = server.channel(&ours());
    let mut stream = server
        .subscribe_over(copied.clone(), "pod-0", None)
        .await
        .unwrap();
    stream.snapshot().await;
    let later = scenario.replace_bot();
    scenario.compile().await;
    let version = scenario.hub.binding(&later, "reader").unwrap().version;
    assert_gets_nothing(&server, &copied, &version).await;
    let later = Identity::Gateway(later);
    let mut theirs = server.subscribe(&later, None).await.unwrap();
    let text = String::from_utf8(theirs.snapshot().await.permissions).unwrap();
    assert!(text.contains("acme/web"), "the namesake has its own policy");
    server
        .lease(&later, Subject::Binding("reader".into()), &version)
        .await
        .unwrap();
    assert!(
        scenario.facts.of("team-a", "triage").is_some(),
        "and is not forgotten with the one before"
    );
    until(|| scenario.hub.standing(&bot()).is_none()).await;
}

#[tokio::test]
async fn a_deleted_channels_certificate_opens_nothing_of_its_namesake() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let version = scenario.hub.channel(&inbox()).unwrap().version;
    let subject = || Subject::Channel("inbox".into());
    let before = Identity::Channel(inbox());
    server.lease(&before, subject(), &version).await.unwrap();
    let mut object = crate::scenario::objects()
        .into_iter()
        .find(|object| object["kind"] == "Channel")
        .unwrap();
    object["metadata"]["uid"] = serde_json::json!(LATER_UID);
    scenario.take(Kind::Channel, "inbox");
    scenario.put(object);
    scenario.compile().await;
    let refused = server.lease(&before, subject(), &version).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let later = Identity::Channel(ChannelId {
        uid: LATER_UID.parse().unwrap(),
        ..inbox()
    });
    server.lease(&later, subject(), &version).await.unwrap();
}

#[tokio::test]
async fn only_the_certificate_issued_last_is_good() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let copied = server.channel(&ours());
    let version = scenario.hub.binding(&bot(), "reader").unwrap().version;
    let mut stream = server
        .subscribe_over(copied.clone(), "pod-0", None)
        .await
        .unwrap();
    stream.snapshot().await;
    server.certify(&ours());
    assert_eq!(stream.next().await.unwrap_err().code(), Code::PermissionDenied);
    assert_gets_nothing(&server, &copied, &version).await;
    server.subscribe(&ours(), None).await.unwrap();
}

#[tokio::test]
async fn a_later_stream_of_a_replica_ends_the_earlier_one() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let channel = server.channel(&ours());
    let mut first = server
        .subscribe_over(channel.clone(), "pod-0", None)
        .await
        .unwrap();
    first.snapshot().await;
    let mut other = server
        .subscribe_over(channel.clone(), "pod-1", None)
        .await
        .unwrap();
    other.snapshot().await;
    let mut second = server.subscribe_over(channel, "pod-0", None).await.unwrap();
    second.snapshot().await;
    assert_eq!(first.next().await.unwrap_err().code(), Code::Aborted);
    assert_eq!(scenario.hub.standing(&bot()).unwrap().replicas.len(), 2);
    scenario.take(Kind::BotBinding, "reader");
    scenario.compile().await;
    second.snapshot().await;
    other.snapshot().await;
}

#[tokio::test]
async fn a_bots_streams_are_bounded_also_before_they_say_hello() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let mut client = PolicyClient::new(server.channel(&ours()));
    let mut open = Vec::new();
    let refused = loop {
        let (requests, stream) = mpsc::channel::<SubscribeRequest>(1);
        match client.subscribe(ReceiverStream::new(stream)).await {
            Ok(responses) => open.push((requests, responses)),
            Err(status) => break status,
        }
        assert!(open.len() <= 64, "there is no end to them");
    };
    assert_eq!((refused.code(), open.len()), (Code::ResourceExhausted, 64));
    drop(open);
    until(|| scenario.hub.place(&bot()).is_some()).await;
}
