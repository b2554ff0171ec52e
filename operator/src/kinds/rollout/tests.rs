use super::*;
use crate::child::{ChildKind, Owner};
use crate::fake_api::FakeApi;
use k8s_openapi::jiff::Timestamp;
use rstest::rstest;
use serde_json::json;

fn live(status: Value) -> DynamicObject {
    let mut live = DynamicObject::new("d", &ChildKind::Deployment.api());
    live.metadata.generation = Some(2);
    live.data = json!({"spec": {"replicas": 2}, "status": status});
    live
}

#[rstest]
#[case::nothing(json!({}), 0, false)]
#[case::stale(json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}), 0, false)]
#[case::rolling(json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 3}), 1, false)]
#[case::only_old_ones_are_ready(json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2}), 0, false)]
#[case::starting(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1}), 1, false)]
#[case::done(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}), 2, true)]
fn progress_is_read_from_the_status(#[case] status: Value, #[case] ready: i64, #[case] complete: bool) {
    let rollout = Rollout::of("d", Some(&live(status)));
    assert_eq!((rollout.ready, rollout.complete), (ready, complete));
}

#[test]
fn who_scales_is_told_how_many_pods_there_are_and_how_they_are_found() {
    let mut live = live(json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1}));
    live.data["spec"]["selector"] = json!({"matchLabels": {"monstrum.dev/bot": "triage", "part": "gateway"}});
    let told = Rollout::of("d", Some(&live)).scale();
    let selector = "monstrum.dev/bot=triage,part=gateway";
    assert_eq!(told, [("replicas", json!(3)), ("selector", json!(selector))]);
    let absent = Rollout::of("d", None).scale();
    assert_eq!(absent, [("replicas", json!(0)), ("selector", Value::Null)]);
}

#[rstest]
#[case::refused("ReplicaFailure", "True", Some(Reason::FailedCreate))]
#[case::too_long("Progressing", "False", Some(Reason::ProgressDeadlineExceeded))]
#[case::on_its_way("Progressing", "True", None)]
fn what_keeps_pods_from_being_made_is_told(
    #[case] type_: &str,
    #[case] status: &str,
    #[case] reason: Option<Reason>,
) {
    let status = json!({"observedGeneration": 2,
        "conditions": [{"type": type_, "status": status, "message": "exceeded quota"}]});
    let rollout = Rollout::of("d", Some(&live(status)));
    assert_eq!(rollout.trouble.as_ref().map(|trouble| trouble.reason), reason);
    assert!(rollout.troubled().is_none_or(|state| {
        state
            .message
            .contains("Deployment d: 0 of 2 pods are ready: exceeded quota")
    }));
    assert!(!Rollout::of("d", None).complete);
}

fn owner() -> Owner {
    Owner {
        kind: "Bot",
        namespace: "team-a".to_owned(),
        name: "triage".to_owned(),
        uid: crate::scenario::BOT_UID.parse().unwrap(),
        label: label::BOT,
    }
}

fn pod(name: &str, template: &str, waits: &str) -> Value {
    let container = json!({"name": "gateway", "image": "gateway:2", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": waits, "message": "no such image"}}});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "team-a", "labels": {"monstrum.dev/bot": "triage", "pod-template-hash": template}},
        "status": {"containerStatuses": [container]}})
}

/// A Deployment that rolls out its second template, the pods of both, and what is told of it.
async fn told(pods: &[(&str, &str)], status: Value) -> (FakeApi, Option<State>) {
    let api = FakeApi::default();
    for (revision, template) in [("1", "old"), ("2", "new")] {
        let metadata = json!({"name": template, "namespace": "team-a", "labels": {"pod-template-hash": template},
            "annotations": {"deployment.kubernetes.io/revision": revision}});
        api.put(
            &format!("/apis/apps/v1/namespaces/team-a/replicasets/{template}"),
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata}),
        );
    }
    for (template, waits) in pods {
        let path = format!("/api/v1/namespaces/team-a/pods/{template}");
        api.put(&path, pod(template, template, waits));
    }
    let mut live = live(status);
    live.metadata.annotations = Some([(trouble::REVISION.to_owned(), "2".to_owned())].into());
    let mut rollouts = [Rollout::of("triage-gateway", Some(&live))];
    let pods = Pods::new(api.client());
    let now = Timestamp::from_second(1_000).unwrap();
    let again = pods
        .explain(&owner(), &mut rollouts, &[Some(std::sync::Arc::new(live))], now)
        .await;
    assert_eq!(again.is_some(), !rollouts[0].complete);
    (api, rollouts[0].troubled())
}

fn rolling(since: i64) -> Value {
    let since = Timestamp::from_second(since).unwrap();
    json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2,
        "conditions": [{"type": "Progressing", "status": "True", "lastUpdateTime": since}]})
}

#[tokio::test]
async fn an_image_of_the_new_template_that_can_not_be_had_is_the_reason() {
    let (_, state) = told(
        &[("old", "CrashLoopBackOff"), ("new", "ErrImagePull")],
        rolling(10),
    )
    .await;
    let state = state.unwrap();
    assert_eq!(state.reason, Reason::ImagePullFailed);
    for part in [
        "Deployment triage-gateway",
        "0 of 2",
        "gateway:2",
        "ErrImagePull",
        "Put the image",
    ] {
        assert!(state.message.contains(part), "{part}: {}", state.message);
    }
}

#[tokio::test]
async fn what_old_pods_suffer_from_is_not_the_new_ones_reason() {
    let (_, state) = told(
        &[("old", "ImagePullBackOff"), ("new", "ContainerCreating")],
        rolling(10),
    )
    .await;
    assert_eq!(state, None);
}

#[tokio::test]
async fn pods_are_not_asked_for_before_they_had_a_moment_or_when_all_is_well() {
    let (api, state) = told(&[("new", "ErrImagePull")], rolling(999)).await;
    assert_eq!((state, api.take_calls().len()), (None, 0));
    let done = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2});
    let (api, state) = told(&[("new", "ErrImagePull")], done).await;
    assert_eq!((state, api.take_calls().len()), (None, 0));
}

#[tokio::test]
async fn a_deadline_that_passed_is_explained_by_the_pods_and_a_quota_is_not() {
    let failed = |type_: &str, status: &str| {
        json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "readyReplicas": 2,
            "conditions": [{"type": "Progressing", "status": "True", "lastUpdateTime": "1970-01-01T00:00:10Z"},
                {"type": type_, "status": status, "message": "why"}]})
    };
    let (_, state) = told(
        &[("new", "CreateContainerConfigError")],
        failed("Progressing", "False"),
    )
    .await;
    assert_eq!(state.unwrap().reason, Reason::ContainerCreateFailed);
    let (_, state) = told(
        &[("new", "CreateContainerConfigError")],
        failed("ReplicaFailure", "True"),
    )
    .await;
    assert_eq!(state.unwrap().reason, Reason::FailedCreate);
}
