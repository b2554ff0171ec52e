//! What is at the bottom of it is what `Ready` says, on every object up the chain, and machines can tell whether it will pass.

use rstest::rstest;

use super::kstatus::kstatus;
use super::*;

fn path(kind: &str, name: &str) -> String {
    let place = if kind == "ResourceType" {
        String::new()
    } else {
        format!("namespaces/{NAMESPACE}/")
    };
    format!(
        "/apis/monstrum.dev/v1alpha1/{place}{}s/{name}",
        kind.to_lowercase()
    )
}

fn read(scenario: &Scenario, kind: &str, name: &str) -> serde_json::Value {
    scenario.api.get(&path(kind, name)).unwrap()
}

/// The reason of `Ready`.
fn cause(scenario: &Scenario, kind: &str, name: &str) -> String {
    let object = read(scenario, kind, name);
    let conditions = object["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|found| found["type"] == "Ready").unwrap();
    ready["reason"].as_str().unwrap().to_owned()
}

/// What is to be reconciled now.
async fn queued(scenario: &Scenario) -> Vec<Key> {
    let mut keys = Vec::new();
    let moment = Duration::from_millis(1);
    while let Ok(key) = tokio::time::timeout(moment, scenario.index.queue.next()).await {
        scenario.index.queue.done(&key);
        keys.push(key);
    }
    keys
}

fn provider(spec: &serde_json::Value) -> serde_json::Value {
    let mut object = json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "ModelProvider", "metadata": {"name": "main"},
        "spec": {"dialect": "OpenAI", "baseUrl": "https://models.example.com/v1", "credential": "model-key", "models": [{"name": "m-1"}]}});
    crate::fake_api::merge_patch(&mut object["spec"], spec);
    object
}

#[tokio::test]
async fn the_cause_is_the_same_on_every_object_up_the_chain() {
    let (scenario, _session) = settled().await;
    scenario.take_secret("model-key");
    scenario.settle().await;
    for (kind, name) in [
        ("Credential", "model-key"),
        ("ModelProvider", "main"),
        ("Workspace", "workspace"),
        ("Bot", "triage"),
    ] {
        assert_eq!(cause(&scenario, kind, name), "SecretNotFound", "{kind}");
    }
    let conditions = scenario.conditions("Bot", "triage");
    for part in [
        "ModelProvider \"main\"",
        "Credential \"model-key\"",
        "Secret \"model-key\"",
        "create it",
    ] {
        assert!(conditions.contains(part), "{part}: {conditions}");
    }
}

#[tokio::test]
async fn a_secret_that_does_not_agree_is_the_cause_up_to_the_binding() {
    let (scenario, _session) = settled().await;
    scenario.put_secret_saying("github", &[("token", "t")], &json!({}));
    scenario.settle().await;
    assert_eq!(cause(&scenario, "Credential", "github"), "SecretNotConsented");
    assert_eq!(cause(&scenario, "Resource", "github"), "SecretNotConsented");
    assert_eq!(cause(&scenario, "BotBinding", "reader"), "SecretNotConsented");
}

#[tokio::test]
async fn a_wrong_object_is_wrong_itself_and_not_ready_for_others() {
    let (scenario, _session) = settled().await;
    scenario.put(provider(
        &json!({"baseUrl": "https://10.0.0.1/v1", "headers": [{"name": "authorization", "value": "x"}]}),
    ));
    scenario.settle().await;
    assert_eq!(cause(&scenario, "ModelProvider", "main"), "Invalid");
    assert_eq!(cause(&scenario, "Bot", "triage"), "ModelProviderNotReady");
    scenario.take(Kind::ModelProvider, "main");
    scenario.settle().await;
    assert_eq!(cause(&scenario, "Bot", "triage"), "NotFound");
}

#[tokio::test]
async fn a_binding_tells_why_its_bot_does_not_run() {
    let scenario = Scenario::full();
    scenario.settle().await;
    scenario.settle().await;
    let deployments = scenario.index.live.children(ChildKind::Deployment);
    let mut live = deployments
        .get(NAMESPACE, "triage-gateway")
        .unwrap()
        .as_ref()
        .clone();
    live.data["status"] = json!({"observedGeneration": live.metadata.generation,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"}]});
    deployments.take_up(None, kube::runtime::watcher::Event::Apply(live));
    queued(&scenario).await;
    scenario.reconcile(&key(Kind::Bot, "triage")).await;
    assert_eq!(cause(&scenario, "Bot", "triage"), "FailedCreate");
    assert!(queued(&scenario).await.contains(&key(Kind::BotBinding, "reader")));
    scenario.reconcile(&key(Kind::BotBinding, "reader")).await;
    assert_eq!(cause(&scenario, "BotBinding", "reader"), "FailedCreate");
    let conditions = scenario.conditions("BotBinding", "reader");
    assert!(conditions.contains("exceeded quota: small"), "{conditions}");
}

#[tokio::test]
async fn what_is_in_force_is_current_for_kstatus_and_what_changed_is_not_until_it_was_seen() {
    let (scenario, _session) = settled().await;
    for (kind, name) in [
        ("ResourceType", "github"),
        ("Workspace", "workspace"),
        ("ModelProvider", "main"),
        ("Credential", "github"),
        ("Resource", "workshop"),
        ("Bot", "triage"),
        ("BotBinding", "reader"),
        ("Channel", "inbox"),
    ] {
        assert_eq!(kstatus(&read(&scenario, kind, name)), "Current", "{kind}");
    }
    scenario.put(provider(&json!({"models": [{"name": "m-1"}, {"name": "m-2"}]})));
    assert_eq!(kstatus(&read(&scenario, "ModelProvider", "main")), "InProgress");
}

#[test]
fn an_object_that_the_operator_has_not_seen_is_never_current() {
    for definition in monstrum_crds::definition::all() {
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let status = &schema["properties"]["status"]["default"];
        let object = json!({"metadata": {"generation": 1}, "status": status});
        assert_eq!(
            kstatus(&object),
            "InProgress",
            "{}",
            definition["metadata"]["name"]
        );
        assert_eq!(status["conditions"][0]["reason"], "Pending");
    }
}

/// The object has been as it is for a minute more.
fn age(scenario: &Scenario, kind: &str, name: &str) {
    let mut object = read(scenario, kind, name);
    for condition in object["status"]["conditions"].as_array_mut().unwrap() {
        let since: k8s_openapi::jiff::Timestamp =
            condition["lastTransitionTime"].as_str().unwrap().parse().unwrap();
        let earlier = since
            .checked_sub(k8s_openapi::jiff::SignedDuration::from_mins(1))
            .unwrap();
        condition["lastTransitionTime"] = json!(earlier);
    }
    scenario.api.put(&path(kind, name), object.clone());
    scenario.see(object);
}

#[rstest]
#[case::missing(json!({"credential": "gone"}), "InProgress")]
#[case::wrong(json!({"headers": [{"name": "authorization", "value": "x"}]}), "Failed")]
#[tokio::test]
async fn what_is_wrong_has_failed_and_what_is_missing_only_after_a_while(
    #[case] spec: serde_json::Value,
    #[case] soon: &str,
) {
    let (scenario, _session) = settled().await;
    scenario.put(provider(&spec));
    scenario.settle().await;
    assert_eq!(kstatus(&read(&scenario, "ModelProvider", "main")), soon);
    let again = scenario
        .reconciler
        .reconcile(&key(Kind::ModelProvider, "main"))
        .await;
    assert_eq!(
        again.unwrap().is_some(),
        soon == "InProgress",
        "looks again when it will be another"
    );
    age(&scenario, "ModelProvider", "main");
    scenario.settle().await;
    assert_eq!(kstatus(&read(&scenario, "ModelProvider", "main")), "Failed");
    scenario.put(provider(&json!({})));
    scenario.settle().await;
    assert_eq!(kstatus(&read(&scenario, "ModelProvider", "main")), "Current");
    let conditions = scenario.conditions("ModelProvider", "main");
    assert!(!conditions.contains("Stalled"), "{conditions}");
}
