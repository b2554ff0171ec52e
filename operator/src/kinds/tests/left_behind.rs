//! Objects of ours that lost their owner, and objects of others in their places.

use super::{key, settled};
use crate::scenario::{LATER_UID, NAMESPACE, Scenario, bot, secret_path};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use monstrum_crds::object::Kind;
use rstest::rstest;
use serde_json::{Value, json};

/// The paths of the bot's own objects.
fn ours(scenario: &Scenario) -> Vec<String> {
    let paths = scenario.api.paths().into_iter();
    paths
        .filter(|path| path.contains("/triage-") && !path.contains("monstrum.dev"))
        .collect()
}

fn edit(scenario: &Scenario, path: &str, edit: impl Fn(&mut Value)) {
    let mut object = scenario.api.get(path).unwrap();
    edit(&mut object);
    scenario.api.put(path, object);
}

fn owners(scenario: &Scenario, path: &str) -> Vec<String> {
    let object = scenario.api.get(path).unwrap();
    let owners = object["metadata"]["ownerReferences"].as_array().cloned();
    let uids = owners.unwrap_or_default().into_iter();
    uids.map(|owner| owner["uid"].as_str().unwrap().to_owned())
        .collect()
}

fn serial(scenario: &Scenario, path: &str) -> String {
    let metadata: ObjectMeta =
        serde_json::from_value(scenario.api.get(path).unwrap()["metadata"].clone()).unwrap();
    let issued = crate::child::Issued::read(&metadata).unwrap();
    assert_eq!(issued.certificates.len(), 1, "no earlier one is good");
    issued.certificates[0].serial.to_string()
}

#[rstest]
#[case::deleted_without_its_objects(true)]
#[case::restored_with_references_to_the_dead(false)]
#[tokio::test]
async fn what_an_earlier_bot_of_the_name_left_is_taken_over(#[case] without_owner: bool) {
    let (scenario, _session) = settled().await;
    let before = ours(&scenario);
    let secrets: Vec<_> = before.iter().filter(|path| path.contains("/secrets/")).collect();
    let serials: Vec<_> = secrets.iter().map(|path| serial(&scenario, path)).collect();
    let uid = |path: &String| scenario.api.get(path).unwrap()["metadata"]["uid"].clone();
    let uids: Vec<_> = before.iter().map(uid).collect();
    scenario.replace_bot();
    for path in &before {
        if without_owner {
            edit(&scenario, path, |object| {
                object["metadata"]["ownerReferences"] = Value::Null;
            });
        }
    }
    scenario.see_children();
    scenario.settle().await;
    scenario.settle().await;
    scenario.settle().await;

    assert_eq!(ours(&scenario), before);
    for (path, old) in before.iter().zip(uids) {
        assert_eq!(owners(&scenario, path), [LATER_UID], "{path}");
        let anew = path.contains("/secrets/") || path.contains("/deployments/");
        assert_eq!(uid(path) != old, anew, "{path}");
    }
    for (path, old) in secrets.iter().zip(serials) {
        assert_ne!(serial(&scenario, path), old, "{path}");
        let identity =
            scenario.api.get(path).unwrap()["metadata"]["annotations"]["monstrum.dev/identity"].clone();
        assert!(identity.as_str().unwrap().contains(LATER_UID), "{identity}");
    }
    scenario.api.take_calls();
    scenario.settle().await;
    assert_eq!(scenario.api.take_writes(), []);
}

#[tokio::test]
async fn what_an_earlier_channel_left_is_taken_over_as_well() {
    let (scenario, _session) = settled().await;
    let paths = scenario.api.paths().into_iter();
    let before: Vec<_> = paths.filter(|path| path.contains("/inbox-channel")).collect();
    assert!(before.len() >= 5, "{before:?}");
    let channel = format!("/apis/monstrum.dev/v1alpha1/namespaces/{NAMESPACE}/channels/inbox");
    let mut later = scenario.api.get(&channel).unwrap();
    scenario.take(Kind::Channel, "inbox");
    later["metadata"]["uid"] = json!(LATER_UID);
    scenario.put(later);
    for path in &before {
        edit(&scenario, path, |object| {
            object["metadata"]["ownerReferences"] = Value::Null;
        });
    }
    scenario.see_children();
    scenario.settle().await;
    for path in &before {
        assert_eq!(owners(&scenario, path), [LATER_UID], "{path}");
    }
    let conditions = scenario.conditions("Channel", "inbox");
    assert!(!conditions.contains("ApplyFailed"), "{conditions}");
}

#[tokio::test]
async fn an_old_identity_does_not_live_on_in_what_was_left() {
    let (scenario, _session) = settled().await;
    let path = secret_path("triage-gateway-tls");
    let old = serial(&scenario, &path).parse().unwrap();
    let later = scenario.replace_bot();
    for path in ours(&scenario) {
        edit(&scenario, &path, |object| {
            object["metadata"]["ownerReferences"] = Value::Null;
        });
    }
    scenario.see_children();
    scenario.settle().await;
    let admits = |bot| {
        scenario.hub.rosters().admits(&monstrum_service::Peer {
            identity: monstrum_wire::identity::Identity::Gateway(bot),
            serial: std::clone::Clone::clone(&old),
        })
    };
    assert!(!admits(bot()) && !admits(later));
}

#[tokio::test]
async fn what_is_not_needed_any_more_of_what_was_left_goes() {
    let (scenario, _session) = settled().await;
    scenario.replace_bot();
    scenario.take(Kind::BotBinding, "commands");
    for path in ours(&scenario) {
        edit(&scenario, &path, |object| {
            object["metadata"]["ownerReferences"] = Value::Null;
        });
    }
    scenario.see_children();
    scenario.settle().await;
    let left = ours(&scenario);
    assert!(!left.iter().any(|path| path.contains("workshop")), "{left:?}");
}

/// Whoever has to put it right is told of everything at once.
#[tokio::test]
async fn objects_of_others_are_refused_and_all_of_them_named() {
    let scenario = Scenario::full();
    let theirs = [
        ("apps/v1", "deployments", "Deployment", "triage-gateway"),
        ("apps/v1", "deployments", "Deployment", "triage-runner-workshop"),
        (
            "networking.k8s.io/v1",
            "networkpolicies",
            "NetworkPolicy",
            "triage-runner",
        ),
        ("v1", "services", "Service", "triage-gateway"),
        ("v1", "secrets", "Secret", "triage-runner-tls"),
        ("v1", "secrets", "Secret", "inbox-channel-tls"),
        ("v1", "services", "Service", "inbox-channel"),
    ];
    let path = |(api, plural, _, name): (&str, &str, &str, &str)| {
        let root = if api == "v1" { "api" } else { "apis" };
        format!("/{root}/{api}/namespaces/{NAMESPACE}/{plural}/{name}")
    };
    for object in theirs {
        let (api, _, kind, name) = object;
        let metadata =
            json!({"name": name, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "Helm"}});
        scenario.api.put(
            &path(object),
            json!({"apiVersion": api, "kind": kind, "metadata": metadata}),
        );
    }
    let before: Vec<_> = theirs.map(|object| scenario.api.get(&path(object))).into();
    scenario.compile().await;
    for (kind, name) in [(Kind::Bot, "triage"), (Kind::Channel, "inbox")] {
        assert!(scenario.reconciler.reconcile(&key(kind, name)).await.is_err());
        let conditions = scenario.conditions(kind.as_str(), name);
        for (_, _, kind, stranger) in theirs
            .iter()
            .filter(|(_, _, _, stranger)| stranger.starts_with(name))
        {
            assert!(
                conditions.contains(&format!("{kind} {stranger}")),
                "{stranger}: {conditions}"
            );
        }
        assert!(
            conditions.contains("exist and are not ours: delete or rename them"),
            "{conditions}"
        );
    }
    assert_eq!(
        theirs.map(|object| scenario.api.get(&path(object))).to_vec(),
        before
    );
}

/// A Secret that only looks like ours holds something of somebody's.
#[tokio::test]
async fn a_secret_without_a_certificate_of_ours_is_not_taken_over() {
    let scenario = Scenario::full();
    let labels = json!({"app.kubernetes.io/managed-by": "monstrum-operator", "monstrum.dev/bot": "triage"});
    let path = secret_path("triage-gateway-tls");
    let metadata = json!({"name": "triage-gateway-tls", "namespace": NAMESPACE, "labels": labels});
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"mine": "eA=="}});
    scenario.api.put(&path, secret);
    scenario.see_children();
    scenario.compile().await;
    assert!(
        scenario
            .reconciler
            .reconcile(&key(Kind::Bot, "triage"))
            .await
            .is_err()
    );
    assert_eq!(scenario.api.get(&path).unwrap()["data"], json!({"mine": "eA=="}));
    let conditions = scenario.conditions("Bot", "triage");
    assert!(
        conditions.contains("Secret triage-gateway-tls exists and is not ours"),
        "{conditions}"
    );
}
