//! Who lives, as gateways and the ledger are told.

use super::*;
use monstrum_crds::object::Kind;
use serde_json::json;

fn runner(name: &str) -> Identity {
    Identity::Runner {
        bot: bot(),
        runner: name.to_owned(),
    }
}

fn channel(name: &str, uid: &str) -> ChannelId {
    ChannelId {
        name: name.to_owned(),
        uid: uid.parse().unwrap(),
        ..inbox()
    }
}

#[tokio::test]
async fn a_gateway_is_told_of_its_own_runners_and_of_the_channels_that_are_routed_to_it() {
    let scenario = compiled().await;
    let mut unrouted = crate::scenario::objects()
        .into_iter()
        .find(|object| object["kind"] == "Channel")
        .unwrap();
    unrouted["metadata"] = json!({"name": "elsewhere", "uid": LATER_UID});
    unrouted["spec"]["routes"][0]["bot"] = json!("other");
    scenario.put(unrouted);
    scenario.compile().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let strangers = [
        runner("resource-github"),
        Identity::Runner {
            bot: BotId {
                uid: LATER_UID.parse().unwrap(),
                ..bot()
            },
            runner: "default".to_owned(),
        },
        Identity::Channel(channel("elsewhere", LATER_UID)),
        Identity::Channel(channel("inbox", LATER_UID)),
    ];
    let callers = [
        runner("default"),
        runner("resource-workshop"),
        Identity::Channel(inbox()),
    ];
    for identity in strangers.iter().chain(&callers) {
        server.certify(identity);
    }
    let mut stream = server.subscribe(&ours(), None).await.unwrap();
    let mut told = stream.roster().await;
    told.sort();
    let mut expected = callers.map(|identity| identity.to_string());
    expected.sort();
    assert_eq!(told, expected, "before the first policy");
    stream.snapshot().await;
    scenario.take(Kind::Channel, "inbox");
    scenario.compile().await;
    let left = stream.roster().await;
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test]
async fn a_secret_that_is_not_its_objects_enrols_nobody() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    let channel = server.channel(&ours());
    let secrets = scenario.index.live.secrets();
    let place = ("team-a".to_owned(), ours().to_string().replace('/', "."));
    let mut secret = secrets.forget(&place).unwrap().before.unwrap().as_ref().clone();
    secret.metadata.owner_references = None;
    secrets.take_up(None, kube::runtime::watcher::Event::Apply(secret));
    scenario.compile().await;
    let refused = server.subscribe_over(channel, "pod-0", None).await;
    assert_eq!(refused.err().unwrap().code(), Code::PermissionDenied);
}

async fn follow(server: &Server<'_>, identity: &Identity) -> Result<Streaming<FollowResponse>, Status> {
    let mut client = EnrolmentClient::new(server.channel(identity));
    Ok(client.follow(FollowRequest::default()).await?.into_inner())
}

async fn told(stream: &mut Streaming<FollowResponse>) -> FollowResponse {
    let next = tokio::time::timeout(Duration::from_secs(1), stream.message()).await;
    next.expect("within a second").unwrap().unwrap()
}

#[tokio::test]
async fn the_ledger_is_told_of_everybody_and_of_each_dismissal() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    for identity in [ours(), Identity::Channel(inbox()), runner("default")] {
        server.certify(&identity);
    }
    let mut stream = follow(&server, &Identity::Ledger).await.unwrap();
    let first = told(&mut stream).await;
    assert!(
        first.whole && first.epoch == 7 && first.lease_seconds == 8,
        "{first:?}"
    );
    let members: Vec<_> = first.rosters[0]
        .members
        .iter()
        .map(|member| member.identity.clone())
        .collect();
    assert_eq!(
        members,
        [ours().to_string(), Identity::Channel(inbox()).to_string()],
        "runners have no business there"
    );
    let workspace = scenario.index.workspaces.get("team-a", "workspace").unwrap();
    assert_eq!(
        Some(&first.rosters[0].members[0].workspace),
        workspace.metadata.uid.as_ref()
    );
    scenario.take(Kind::Bot, "triage");
    scenario.compile().await;
    let next = told(&mut stream).await;
    assert!(!next.whole, "{next:?}");
    let left: Vec<_> = next.rosters[0]
        .members
        .iter()
        .map(|member| member.identity.clone())
        .collect();
    assert_eq!(left, [Identity::Channel(inbox()).to_string()]);
    scenario.take(Kind::Channel, "inbox");
    scenario.compile().await;
    let next = told(&mut stream).await;
    assert_eq!(
        (next.rosters.len(), next.rosters[0].members.len()),
        (1, 0),
        "{next:?}"
    );
}

#[tokio::test]
async fn only_the_ledger_is_told_who_lives() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::held(7)).await;
    for identity in others()
        .into_iter()
        .chain([ours()])
        .filter(|identity| *identity != Identity::Ledger)
    {
        let refused = follow(&server, &identity).await.err().unwrap();
        assert_eq!(refused.code(), Code::PermissionDenied, "{identity}");
    }
    // Nor a ledger whose certificate was replaced.
    let mut stream = follow(&server, &Identity::Ledger).await.unwrap();
    told(&mut stream).await;
    let copied = EnrolmentClient::new(server.channel(&Identity::Ledger));
    server.certify(&Identity::Ledger);
    let ended = tokio::time::timeout(Duration::from_secs(1), stream.message())
        .await
        .unwrap();
    assert_eq!(ended.unwrap_err().code(), Code::PermissionDenied);
    let refused = copied.clone().follow(FollowRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_follower_tells_nobody_who_lives() {
    let scenario = compiled().await;
    let server = serve(&scenario, Leadership::followed()).await;
    let refused = follow(&server, &Identity::Ledger).await.err().unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
}
