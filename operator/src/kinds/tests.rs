//! Whole reconciles against an API server in memory.

mod causes;
mod halted;
mod kstatus;
mod left_behind;

use super::*;
use crate::child::ChildKind;
use crate::scenario::{NAMESPACE, Scenario, binding, bot, secret_path};
use monstrum_guardian::document::Document;
use monstrum_guardian::source::BudgetOf;
use serde_json::json;

fn key(kind: Kind, name: &str) -> Key {
    Key {
        kind,
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
    }
}

/// Everything in place, rolled out and enforced.
async fn settled() -> (Scenario, crate::policy::Session) {
    let scenario = Scenario::full();
    scenario.settle().await;
    // The sandbox needs the address that the gateways' Service got.
    scenario.settle().await;
    scenario.roll_out();
    let session = scenario.enforce("triage-gateway-0");
    scenario.settle().await;
    scenario.api.take_calls();
    (scenario, session)
}

#[tokio::test]
async fn a_bot_is_ready_only_when_its_gateways_enforce_its_policy() {
    let scenario = Scenario::full();
    scenario.settle().await;
    scenario.settle().await;
    assert!(
        scenario
            .conditions("Bot", "triage")
            .contains("Ready False Progressing")
    );
    scenario.roll_out();
    scenario.settle().await;
    let waiting = scenario.conditions("Bot", "triage");
    assert!(
        waiting.contains("Programmed True") && waiting.contains("Ready False AwaitingGateway"),
        "{waiting}"
    );
    let _session = scenario.enforce("triage-gateway-0");
    scenario.settle().await;
    insta::assert_snapshot!(scenario.conditions("Bot", "triage"), @r"
    Accepted True Accepted
    ResolvedRefs True Resolved
    Programmed True Programmed
    Ready True Ready
    ");
    let status = scenario
        .api
        .get("/apis/monstrum.dev/v1alpha1/namespaces/team-a/bots/triage")
        .unwrap()["status"]
        .clone();
    assert_eq!(status["policyDigest"], status["enforcedDigest"]);
    assert_eq!(status["model"], "main/m-1");
    assert!(status["tools"].as_i64().unwrap() > 1);
}

#[tokio::test]
async fn a_second_look_writes_nothing() {
    let (scenario, _session) = settled().await;
    scenario.settle().await;
    assert_eq!(scenario.api.take_writes(), []);
}

#[tokio::test]
async fn only_status_is_written_of_what_users_own() {
    let scenario = Scenario::full();
    scenario.settle().await;
    let writes = scenario.api.take_writes();
    let ours = |path: &str| path.starts_with("/apis/monstrum.dev/");
    assert!(writes.iter().any(|call| ours(&call.path)));
    for call in writes.iter().filter(|call| ours(&call.path)) {
        assert!(call.path.ends_with("/status"), "{call:?}");
    }
}

#[tokio::test]
async fn every_kind_is_told_how_it_stands() {
    let (scenario, _session) = settled().await;
    for (kind, name) in [
        ("ResourceType", "github"),
        ("Workspace", "workspace"),
        ("ModelProvider", "main"),
        ("Credential", "github"),
        ("Resource", "workshop"),
        ("Bot", "triage"),
        ("BotBinding", "reader"),
    ] {
        let conditions = scenario.conditions(kind, name);
        assert!(
            conditions.ends_with("Ready True Ready"),
            "{kind} {name}: {conditions}"
        );
        assert_eq!(conditions.lines().count(), 4, "{kind} {name}: {conditions}");
    }
}

#[tokio::test]
async fn a_change_of_policy_takes_readiness_until_it_is_enforced() {
    let (scenario, mut session) = settled().await;
    let before = scenario.hub.standing(&bot()).unwrap().digest;
    scenario.put(binding(
        "reader",
        "github",
        json!([{"operations": ["issue.read"], "scope": {"repository": ["acme/docs"]}}]),
    ));
    scenario.settle().await;
    let after = scenario.hub.standing(&bot()).unwrap().digest;
    assert_ne!(before, after);
    assert!(
        scenario
            .conditions("Bot", "triage")
            .contains("Ready False AwaitingGateway")
    );
    assert!(
        scenario
            .conditions("BotBinding", "reader")
            .contains("Programmed False AwaitingGateway")
    );
    let current = session.current();
    session.acknowledge(monstrum_wire::policy::Ack {
        version: Some(current.version),
        digest: current.digest.clone(),
        fault: String::new(),
    });
    scenario.settle().await;
    assert!(
        scenario
            .conditions("BotBinding", "reader")
            .ends_with("Ready True Ready")
    );
}

#[tokio::test]
async fn a_gateway_of_another_version_is_named() {
    let (scenario, session) = settled().await;
    session.runs(env!("CARGO_PKG_VERSION"));
    scenario.settle().await;
    assert!(scenario.conditions("Bot", "triage").ends_with("Ready True Ready"));
    session.runs("0.0.9");
    scenario.settle().await;
    let conditions = scenario.conditions("Bot", "triage");
    assert!(
        conditions.contains("Ready True Ready gateways of another version"),
        "{conditions}"
    );
    assert!(conditions.contains("triage-gateway-0 runs 0.0.9"), "{conditions}");
}

#[tokio::test]
async fn a_gateway_that_can_not_load_the_policy_is_told_of() {
    let (scenario, session) = settled().await;
    let digest = scenario.hub.standing(&bot()).unwrap().digest;
    session.acknowledge(monstrum_wire::policy::Ack {
        version: None,
        digest,
        fault: "binding reader: bad".into(),
    });
    scenario.settle().await;
    let conditions = scenario.conditions("Bot", "triage");
    assert!(conditions.contains("Ready False GatewayRefused"), "{conditions}");
    assert!(conditions.contains("binding reader: bad"), "{conditions}");
}

#[tokio::test]
async fn a_wrong_binding_takes_its_grants_and_nobody_elses() {
    let (scenario, _session) = settled().await;
    let tools = scenario.facts.of(NAMESPACE, "triage").unwrap().tools;
    scenario.put(binding(
        "reader",
        "github",
        json!([{"operations": ["issue.read"], "scope": {"repo": ["acme/web"]}}]),
    ));
    scenario.settle().await;
    let facts = scenario.facts.of(NAMESPACE, "triage").unwrap();
    assert!(facts.tools > 0 && facts.tools < tools);
    let conditions = scenario.conditions("BotBinding", "reader");
    assert!(
        conditions.contains("Accepted False Invalid spec.grants[0].scope.repo"),
        "{conditions}"
    );
    assert!(
        scenario
            .conditions("BotBinding", "commands")
            .contains("Accepted True")
    );
}

#[tokio::test]
async fn a_workspaces_budgets_are_in_its_bots_policies_and_one_that_can_not_be_kept_stops_them() {
    let (scenario, mut session) = settled().await;
    let limit = |budget: serde_json::Value| {
        let model = json!({"provider": "main", "name": "m-1"});
        scenario.put(json!({
            "apiVersion": "monstrum.dev/v1alpha1", "kind": "Workspace", "metadata": {"name": "workspace"},
            "spec": {"model": model, "budgets": [budget]}
        }));
    };
    limit(json!({"name": "rate", "counts": "Calls", "limit": 30, "window": "1m"}));
    scenario.settle().await;
    let current = session.current();
    let document = Document::from_bytes(&current.permissions).unwrap();
    let budget = &document.budgets[0];
    assert_eq!((budget.of, budget.limit), (BudgetOf::Workspace, 30));
    assert!(current.settings.model.is_some() && !document.bindings.is_empty());

    // What its model costs is not known.
    limit(json!({"name": "month", "counts": "MicroUsd", "limit": 30, "window": "30d"}));
    scenario.settle().await;
    let current = session.current();
    let document = Document::from_bytes(&current.permissions).unwrap();
    assert!(current.settings.model.is_none() && document.bindings.is_empty());
    let conditions = scenario.conditions("Bot", "triage");
    assert!(
        conditions.contains("ResolvedRefs False RefInvalid spec.budgets"),
        "{conditions}"
    );
    assert!(conditions.contains("gives no prices of model"), "{conditions}");
}

#[tokio::test]
async fn a_secret_that_goes_takes_the_binding_that_needs_it() {
    let (scenario, _session) = settled().await;
    scenario.take_secret("github");
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "reader"), None);
    let conditions = scenario.conditions("Credential", "github");
    assert!(
        conditions.contains("ResolvedRefs False SecretNotFound"),
        "{conditions}"
    );
    assert!(conditions.contains("create it"), "{conditions}");
    assert!(
        scenario
            .conditions("BotBinding", "reader")
            .contains("ResolvedRefs False")
    );
    assert!(scenario.hub.provider(&bot(), "main").is_some());
}

#[tokio::test]
async fn a_secret_that_changes_is_another_version_in_another_policy() {
    let (scenario, _session) = settled().await;
    let before = scenario.hub.binding(&bot(), "reader").unwrap();
    let digest = scenario.hub.standing(&bot()).unwrap().digest;
    scenario.put_secret("github", &[("token", "ghp-rotated")]);
    scenario.settle().await;
    let after = scenario.hub.binding(&bot(), "reader").unwrap();
    assert_ne!(before.version, after.version);
    assert_ne!(digest, scenario.hub.standing(&bot()).unwrap().digest);
}

#[tokio::test]
async fn a_deleted_bot_keeps_no_permission() {
    let (scenario, mut session) = settled().await;
    scenario.take(Kind::Bot, "triage");
    scenario.compile().await;
    let document: serde_json::Value = serde_json::from_slice(&session.current().permissions).unwrap();
    assert_eq!(document["bindings"], json!([]));
    assert_eq!(scenario.hub.binding(&bot(), "reader"), None);
}

#[tokio::test]
async fn a_suspended_bot_has_neither_pods_nor_permissions() {
    let (scenario, mut session) = settled().await;
    scenario.put(json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": {"name": "triage"}, "spec": {"suspend": true}}));
    scenario.settle().await;
    let document: serde_json::Value = serde_json::from_slice(&session.current().permissions).unwrap();
    assert_eq!(document["bindings"], json!([]));
    let left: Vec<_> = scenario
        .api
        .paths()
        .into_iter()
        .filter(|path| path.contains("/triage-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert!(
        scenario
            .conditions("Bot", "triage")
            .contains("Ready False Suspended")
    );
}

#[tokio::test]
async fn a_sandbox_goes_with_its_binding() {
    let (scenario, _session) = settled().await;
    let sandbox = "/apis/apps/v1/namespaces/team-a/deployments/triage-runner-workshop";
    assert!(scenario.api.get(sandbox).is_some());
    scenario.take(Kind::BotBinding, "commands");
    scenario.settle().await;
    assert!(scenario.api.get(sandbox).is_none());
    assert!(
        scenario
            .api
            .get(&secret_path("triage-runner-workshop-tls"))
            .is_none()
    );
    assert!(
        scenario
            .api
            .get("/apis/apps/v1/namespaces/team-a/deployments/triage-runner")
            .is_some()
    );
}

#[tokio::test]
async fn what_somebody_changed_is_put_right() {
    let (scenario, _session) = settled().await;
    let deployments = scenario.index.live.children(ChildKind::Deployment);
    let mut live = deployments
        .get(NAMESPACE, "triage-gateway")
        .unwrap()
        .as_ref()
        .clone();
    live.data["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil");
    deployments.take_up(None, kube::runtime::watcher::Event::Apply(live));
    scenario.reconcile(&key(Kind::Bot, "triage")).await;
    let writes = scenario.api.take_writes();
    assert_eq!(
        writes.first().map(|call| call.path.as_str()),
        Some("/apis/apps/v1/namespaces/team-a/deployments/triage-gateway")
    );
}

#[tokio::test]
async fn somebody_elses_object_is_never_taken_over() {
    let scenario = Scenario::full();
    let path = "/apis/apps/v1/namespaces/team-a/deployments/triage-gateway";
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "triage-gateway", "namespace": NAMESPACE}, "spec": {"replicas": 3}});
    scenario.api.put(path, theirs);
    scenario.compile().await;
    assert!(
        scenario
            .reconciler
            .reconcile(&key(Kind::Bot, "triage"))
            .await
            .is_err()
    );
    assert_eq!(scenario.api.get(path).unwrap()["spec"], json!({"replicas": 3}));
    let conditions = scenario.conditions("Bot", "triage");
    assert!(
        conditions.contains("Programmed False ApplyFailed Deployment triage-gateway exists and is not ours"),
        "{conditions}"
    );
}

#[tokio::test]
async fn a_follower_writes_nothing() {
    let scenario = Scenario::led_by(crate::leadership::Leadership::followed());
    for object in crate::scenario::objects() {
        scenario.put(object);
    }
    scenario.compile().await;
    for kind in Kind::ALL {
        for (namespace, name) in scenario.index.places(kind) {
            drop(
                scenario
                    .reconciler
                    .reconcile(&Key {
                        kind,
                        namespace,
                        name,
                    })
                    .await,
            );
        }
    }
    assert_eq!(scenario.api.take_writes(), []);
}

#[tokio::test]
async fn each_purpose_has_its_own_field_manager() {
    let scenario = Scenario::full();
    scenario.settle().await;
    for call in scenario
        .api
        .take_writes()
        .iter()
        .filter(|call| call.method == http::Method::PATCH)
    {
        let expected = match call.path.as_str() {
            path if path.ends_with("/status") => "-status",
            path if path.ends_with("-tls") => "-tls",
            path if path.contains("inbox") => "monstrum-channel",
            _ => "monstrum-bot",
        };
        assert!(call.manager.as_deref().unwrap().ends_with(expected), "{call:?}");
    }
}

#[tokio::test]
async fn an_event_is_made_for_a_change_of_reason_and_no_other() {
    let (scenario, _session) = settled().await;
    let events = |scenario: &Scenario| {
        scenario
            .api
            .take_writes()
            .into_iter()
            .filter(|call| call.path.contains("/events"))
            .count()
    };
    scenario.take_secret("github");
    scenario.settle().await;
    assert!(events(&scenario) > 0);
    scenario.settle().await;
    assert_eq!(events(&scenario), 0);
}

#[tokio::test]
async fn a_boundary_that_is_narrowed_takes_the_grants_of_what_exceeds_it() {
    let (scenario, _session) = settled().await;
    let tools = |scenario: &Scenario| scenario.facts.of(NAMESPACE, "triage").unwrap().tools;
    let before = tools(&scenario);
    let workspace = |boundary: serde_json::Value| {
        json!({
            "apiVersion": "monstrum.dev/v1alpha1", "kind": "Workspace", "metadata": {"name": "workspace"},
            "spec": {"model": {"provider": "main", "name": "m-1"}, "boundary": boundary},
        })
    };
    scenario.put(workspace(
        json!([{"resourceTypes": ["shell"], "tools": ["*"], "scope": {"command": ["echo *"]}}]),
    ));
    scenario.settle().await;
    let conditions = scenario.conditions("BotBinding", "reader");
    assert!(
        conditions.contains("Accepted False NotPermitted spec.grants[0]"),
        "{conditions}"
    );
    assert!(
        conditions.contains("boundary") && conditions.contains("widen spec.boundary"),
        "{conditions}"
    );
    assert!(tools(&scenario) < before);
    let everything = json!([
        {"resourceTypes": ["github"], "operations": ["*"], "scope": {"repository": ["**"]}},
        {"resourceTypes": ["shell"], "operations": ["*"], "scope": {"command": ["ls --* **", "git --* **"]}}
    ]);
    scenario.put(workspace(everything));
    scenario.settle().await;
    let conditions = scenario.conditions("BotBinding", "reader");
    assert!(conditions.contains("Accepted True"), "{conditions}");
}

/// An object of ours as the API server holds it, changed by somebody and seen by the index.
fn tamper(scenario: &Scenario, kind: ChildKind, path: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let mut object = scenario.api.get(path).unwrap();
    change(&mut object);
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update"}]);
    scenario.api.put(path, object);
    let mut live: kube::api::DynamicObject = serde_json::from_value(scenario.api.get(path).unwrap()).unwrap();
    crate::index::strip(&mut live);
    let event = kube::runtime::watcher::Event::Apply(live);
    drop(scenario.index.live.children(kind).take_up(None, event));
}

const RUNNER_POLICY: &str = "/apis/networking.k8s.io/v1/namespaces/team-a/networkpolicies/triage-runner";
const GATEWAY: &str = "/apis/apps/v1/namespaces/team-a/deployments/triage-gateway";

#[tokio::test]
async fn what_others_add_to_our_objects_is_taken_out() {
    let (scenario, _session) = settled().await;
    let before = [RUNNER_POLICY, GATEWAY].map(|path| scenario.api.get(path).unwrap()["spec"].clone());
    tamper(&scenario, ChildKind::NetworkPolicy, RUNNER_POLICY, |policy| {
        policy["spec"]["ingress"] = json!([{}]);
    });
    tamper(&scenario, ChildKind::Deployment, GATEWAY, |deployment| {
        let pod = &mut deployment["spec"]["template"]["spec"];
        pod["shareProcessNamespace"] = json!(true);
        pod["hostNetwork"] = json!(true);
        pod["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "spy", "image": "spy"}));
    });
    scenario.reconcile(&key(Kind::Bot, "triage")).await;
    let after = [RUNNER_POLICY, GATEWAY].map(|path| scenario.api.get(path).unwrap()["spec"].clone());
    assert_eq!(before[0], after[0]);
    let pod = &after[1]["template"]["spec"];
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    assert_ne!(pod["hostNetwork"], json!(true));
    assert_ne!(pod["shareProcessNamespace"], json!(true));
    scenario.api.take_calls();
    scenario.reconcile(&key(Kind::Bot, "triage")).await;
    assert_eq!(scenario.api.take_writes(), [], "once is enough");
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_our_objects_again_and_again_is_named_and_not_raced() {
    let (scenario, _session) = settled().await;
    let mut writes = 0;
    for _ in 0..60 {
        tamper(&scenario, ChildKind::NetworkPolicy, RUNNER_POLICY, |policy| {
            policy["spec"]["ingress"] = json!([{}]);
        });
        drop(scenario.reconciler.reconcile(&key(Kind::Bot, "triage")).await);
        let policies = scenario.api.take_writes();
        writes += policies.iter().filter(|call| call.path == RUNNER_POLICY).count();
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    // Two for each time that it is put right: one to apply, one to take out.
    assert!((6..=12).contains(&writes), "{writes} writes in six seconds");
    let conditions = scenario.conditions("Bot", "triage");
    assert!(conditions.contains("Ready False"), "{conditions}");
    for part in [
        "ApplyFailed",
        "NetworkPolicy triage-runner",
        "kubectl-edit",
        "spec.ingress",
    ] {
        assert!(conditions.contains(part), "{part}: {conditions}");
    }
}

#[tokio::test]
async fn what_a_webhook_insists_on_is_told_where_it_decides_and_left_where_it_does_not() {
    let scenario = Scenario::full();
    scenario
        .api
        .insist_on("NetworkPolicy", json!({"spec": {"novelty": "x"}}));
    scenario.settle().await;
    scenario.settle().await;
    scenario.api.take_calls();
    scenario.settle().await;
    assert_eq!(
        scenario.api.take_writes(),
        [],
        "a default that is not known yet is no fight"
    );
    let scenario = Scenario::full();
    scenario.api.insist_on(
        "Deployment",
        json!({"spec": {"template": {"spec": {"hostPID": true}}}}),
    );
    scenario.compile().await;
    drop(scenario.reconciler.reconcile(&key(Kind::Bot, "triage")).await);
    let conditions = scenario.conditions("Bot", "triage");
    assert!(
        conditions.contains("Programmed False ApplyFailed") && conditions.contains("hostPID"),
        "{conditions}"
    );
}

#[tokio::test]
async fn pods_that_the_installation_does_not_permit_run_nowhere() {
    let (scenario, _session) = settled().await;
    let anywhere = json!([{"operator": "Exists"}]);
    scenario.put(json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "Bot", "metadata": {"name": "triage"},
        "spec": {"gateway": {"pod": {"tolerations": anywhere}}, "runner": {"pod": {"nodeSelector": {"node-role.kubernetes.io/control-plane": ""}}}}}));
    scenario.settle().await;
    let conditions = scenario.conditions("Bot", "triage");
    assert!(conditions.contains("Accepted False NotPermitted"), "{conditions}");
    for part in [
        "spec.gateway.pod.tolerations[0]",
        "spec.runner.pod.nodeSelector[node-role",
        "podPlacement.tolerations",
    ] {
        assert!(conditions.contains(part), "{part}: {conditions}");
    }
    assert!(conditions.contains("Ready False"), "{conditions}");
    let left = scenario.api.paths();
    assert!(
        !left.iter().any(|path| path.contains("deployments/triage")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_sandbox_that_the_installation_does_not_permit_is_not_made() {
    let scenario = Scenario::full();
    scenario.put(
        json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "Resource", "metadata": {"name": "workshop"},
        "spec": {"type": "shell", "runner": {"image": "debian:12", "pod": {"runtimeClassName": "host"}}}}),
    );
    scenario.put(
        json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "Channel", "metadata": {"name": "inbox"},
        "spec": {"type": {"webhook": {"secret": {"name": "inbox", "key": "secret"}, "mode": "Synchronous"}},
                 "pod": {"nodeSelector": {"disk": "ssd"}},
                 "routes": [{"name": "all", "bot": "triage"}], "talkers": {"everyone": true}}}),
    );
    scenario.settle().await;
    scenario.settle().await;
    for (kind, name, field) in [
        ("Resource", "workshop", "spec.runner.pod.runtimeClassName"),
        ("Channel", "inbox", "spec.pod.nodeSelector[disk]"),
    ] {
        let conditions = scenario.conditions(kind, name);
        assert!(
            conditions.contains("Accepted False NotPermitted") && conditions.contains(field),
            "{conditions}"
        );
    }
    let made = scenario.api.paths();
    assert!(
        made.iter()
            .any(|path| path.ends_with("deployments/triage-runner"))
    );
    assert!(
        !made
            .iter()
            .any(|path| path.contains("workshop") && path.contains("deployments")),
        "{made:?}"
    );
    assert!(
        !made
            .iter()
            .any(|path| path.contains("inbox") && path.contains("deployments")),
        "{made:?}"
    );
}
