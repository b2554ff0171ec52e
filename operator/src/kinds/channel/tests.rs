use super::*;
use crate::pod_security::violations;
use crate::scenario::{NAMESPACE, Scenario, installation, secret_path};
use k8s_openapi::api::apps::v1::Deployment;
use rstest::rstest;

fn planned(scenario: &Scenario) -> Option<Plan> {
    let world = scenario.index.world(NAMESPACE);
    let channel = scenario.index.channels.get(NAMESPACE, "inbox").unwrap();
    let owner = Owner {
        kind: "Channel",
        namespace: NAMESPACE.to_owned(),
        name: "inbox".to_owned(),
        uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
        label: label::CHANNEL,
    };
    plan(&channel, &owner, &world)
}

#[tokio::test]
async fn objects_are_as_they_were() {
    let scenario = Scenario::full();
    scenario.compile().await;
    let mut plan = planned(&scenario).unwrap();
    plan.channel.secret_version = "version".to_owned();
    let (children, certificate) = build(&plan, &installation());
    let values: Vec<_> = children.iter().map(|child| child.object.clone()).collect();
    insta::assert_yaml_snapshot!("channel", values);
    assert_eq!(
        certificate.identity.to_string(),
        format!("ns/team-a/channel/inbox/{}", plan.owner.uid)
    );
    let deployment = children
        .into_iter()
        .find(|child| child.kind == ChildKind::Deployment)
        .unwrap();
    let deployment: Deployment = serde_json::from_value(deployment.object).unwrap();
    assert_eq!(
        violations(&deployment.spec.unwrap().template.spec.unwrap()),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_channel_without_its_secret_hears_nobody() {
    let scenario = Scenario::full();
    scenario.settle().await;
    let deployment = "/apis/apps/v1/namespaces/team-a/deployments/inbox-channel";
    assert!(scenario.api.get(deployment).is_some());
    scenario.take_secret("inbox");
    scenario.settle().await;
    assert!(scenario.api.get(deployment).is_none());
    assert!(scenario.api.get(&secret_path("inbox-channel-tls")).is_none());
    let conditions = scenario.conditions("Channel", "inbox");
    assert!(
        conditions.contains("ResolvedRefs False SecretNotFound"),
        "{conditions}"
    );
}

#[tokio::test]
async fn another_secret_makes_other_pods() {
    let scenario = Scenario::full();
    scenario.compile().await;
    let digest = |scenario: &Scenario| {
        let (children, _) = build(&planned(scenario).unwrap(), &installation());
        let deployment = children
            .into_iter()
            .find(|child| child.kind == ChildKind::Deployment)
            .unwrap();
        deployment.object["spec"]["template"]["metadata"]["annotations"]["monstrum.dev/config"].clone()
    };
    let before = digest(&scenario);
    scenario.put_secret("inbox", &[("secret", "whsec_b3RoZXI=")]);
    scenario.compile().await;
    assert_ne!(before, digest(&scenario));
}

#[rstest]
#[case::fine(None, true, "True:Programmed True:Ready")]
#[case::starting(None, false, "False:Progressing False:Progressing")]
#[case::refused(Some("quota"), true, "False:ApplyFailed False:ApplyFailed")]
fn conditions_follow_the_rollout(
    #[case] failure: Option<&str>,
    #[case] complete: bool,
    #[case] expected: &str,
) {
    let rollout = Rollout {
        name: "inbox-channel".into(),
        selector: None,
        wanted: 1,
        pods: 0,
        ready: 0,
        complete,
        resource: None,
        trouble: None,
    };
    let failure = failure.map(|message| Trouble {
        reason: Reason::ApplyFailed,
        message: message.to_owned(),
    });
    let states = states(&[], failure.as_ref(), &rollout);
    let told: Vec<_> = states
        .iter()
        .skip(2)
        .map(|state| format!("{}:{}", state.holds.as_str(), state.reason.as_str()))
        .collect();
    assert_eq!(told.join(" "), expected);
}
