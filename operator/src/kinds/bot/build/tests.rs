use super::*;
use crate::child::label;
use crate::pod_security::violations;
use crate::scenario::installation;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::PodSpec;
use monstrum_crds::kinds::pod::{ComputeResources, TaintEffect, Toleration};
use rstest::rstest;
use serde_json::Value;

fn plan() -> Plan {
    Plan {
        owner: Owner {
            kind: "Bot",
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
            label: label::BOT,
        },
        replicas: 1,
        gateway: PodSettings::default(),
        runner: PodSettings::default(),
        model: Target::of("https://models.example.com/v1", &[], None, "team-a"),
        targets: Vec::new(),
        sandboxes: Vec::new(),
        channels: Vec::new(),
        address: Some("10.96.0.7".to_owned()),
    }
}

fn placed() -> PodSettings {
    PodSettings {
        resources: Some(ComputeResources {
            requests: [("cpu".to_owned(), Quantity("2".to_owned()))].into(),
            limits: [("memory".to_owned(), Quantity("1Gi".to_owned()))].into(),
        }),
        node_selector: [("disk".to_owned(), "ssd".to_owned())].into(),
        tolerations: vec![Toleration {
            key: Some("bots".to_owned()),
            effect: Some(TaintEffect::NoSchedule),
            ..Toleration::default()
        }],
        runtime_class_name: Some("gvisor".to_owned()),
    }
}

fn target(url: &str, range: &str) -> Target {
    Target::of(url, &[range.parse().unwrap()], None, "team-a").unwrap()
}

fn full() -> Plan {
    Plan {
        replicas: 2,
        gateway: placed(),
        runner: placed(),
        targets: vec![
            target("https://api.example.com", "10.1.0.0/16"),
            target("http://tracker.tools.svc:8080", "10.96.0.0/12"),
        ],
        sandboxes: vec![Sandbox {
            resource: "workshop".to_owned(),
            image: "debian:12".to_owned(),
            workspace: Quantity("1Gi".to_owned()),
            settings: placed(),
            ports: Vec::new(),
        }],
        channels: vec!["inbox".to_owned()],
        ..plan()
    }
}

fn online() -> Plan {
    let mut plan = full();
    plan.sandboxes[0].ports = vec![443];
    plan
}

fn pods(plan: &Plan) -> Vec<(String, PodSpec)> {
    let children = build(plan, &installation()).children;
    let deployments = children
        .into_iter()
        .filter(|child| child.kind == ChildKind::Deployment);
    deployments
        .map(|child| {
            let deployment: Deployment = serde_json::from_value(child.object).unwrap();
            (child.name, deployment.spec.unwrap().template.spec.unwrap())
        })
        .collect()
}

fn object(plan: &Plan, kind: ChildKind, name: &str) -> Value {
    let children = build(plan, &installation()).children;
    children
        .into_iter()
        .find(|child| child.kind == kind && child.name == name)
        .unwrap()
        .object
}

#[rstest]
#[case::plain(plan())]
#[case::full(full())]
#[case::online(online())]
fn every_pod_passes_pod_security_restricted(#[case] plan: Plan) {
    let pods = pods(&plan);
    assert_eq!(pods.len().checked_sub(plan.sandboxes.len()), Some(2));
    for (name, pod) in pods {
        assert_eq!(violations(&pod), Vec::<String>::new(), "{name}");
        assert_eq!(pod.automount_service_account_token, Some(false), "{name}");
        assert_eq!(pod.enable_service_links, Some(false), "{name}");
        for container in pod.containers.iter().chain(pod.init_containers.iter().flatten()) {
            let security = container.security_context.clone().unwrap();
            assert_eq!(security.read_only_root_filesystem, Some(true), "{name}");
            assert!(container.resources.is_some(), "{name}");
        }
    }
}

#[test]
fn the_same_plan_gives_the_same_objects() {
    let (first, second) = (build(&full(), &installation()), build(&full(), &installation()));
    assert_eq!(first.children, second.children);
    assert_eq!(first.certificates, second.certificates);
}

#[test]
fn placement_is_passed_through_to_every_pod() {
    for (name, pod) in pods(&full()) {
        assert_eq!(pod.runtime_class_name.as_deref(), Some("gvisor"), "{name}");
        assert_eq!(pod.node_selector.unwrap()["disk"], "ssd", "{name}");
        assert_eq!(pod.tolerations.unwrap()[0].key.as_deref(), Some("bots"), "{name}");
        let resources = pod.containers[0].resources.clone().unwrap();
        assert_eq!(resources.requests.unwrap()["cpu"].0, "2", "{name}");
        assert_eq!(resources.limits.unwrap()["memory"].0, "1Gi", "{name}");
    }
}

#[test]
fn a_sandbox_waits_for_the_gateways_address() {
    let without = Plan {
        address: None,
        ..full()
    };
    assert!(
        pods(&without)
            .iter()
            .all(|(name, _)| name != "triage-runner-workshop")
    );
    assert!(
        pods(&full())
            .iter()
            .any(|(name, _)| name == "triage-runner-workshop")
    );
}

#[test]
fn programs_in_a_sandbox_can_not_read_its_certificate_by_default() {
    let pods = pods(&full());
    let (_, pod) = pods
        .iter()
        .find(|(name, _)| name == "triage-runner-workshop")
        .unwrap();
    let mounts = pod.containers[0].volume_mounts.clone().unwrap();
    let tls = mounts.iter().find(|mount| mount.name == "tls").unwrap();
    for readable in ["/usr", "/bin", "/lib", "/lib64", "/etc", "/workspace", "/tmp"] {
        assert!(
            !tls.mount_path.starts_with(readable),
            "{} is below {readable}",
            tls.mount_path
        );
    }
}

#[test]
fn a_policy_selects_every_pod_and_closes_both_ways() {
    let plan = full();
    for (name, _) in pods(&plan) {
        let policy = object(&plan, ChildKind::NetworkPolicy, &name);
        assert_eq!(
            policy["spec"]["policyTypes"],
            serde_json::json!(["Ingress", "Egress"]),
            "{name}"
        );
        let pods =
            object(&plan, ChildKind::Deployment, &name)["spec"]["template"]["metadata"]["labels"].clone();
        for (key, value) in policy["spec"]["podSelector"]["matchLabels"].as_object().unwrap() {
            assert_eq!(&pods[key], value, "{name}");
        }
    }
}

#[test]
fn the_policy_of_one_runner_selects_no_other() {
    let plan = full();
    let selector = |name: &str| {
        object(&plan, ChildKind::NetworkPolicy, name)["spec"]["podSelector"]["matchLabels"].clone()
    };
    let labels = |name: &str| {
        object(&plan, ChildKind::Deployment, name)["spec"]["template"]["metadata"]["labels"].clone()
    };
    let selects = |policy: &str, pods: &str| {
        let labels = labels(pods);
        selector(policy)
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, value)| labels[key] == *value)
    };
    assert!(selects("triage-runner", "triage-runner"));
    assert!(!selects("triage-runner", "triage-runner-workshop"));
    assert!(!selects("triage-runner-workshop", "triage-runner"));
    assert!(!selects("triage-gateway", "triage-runner"));
}

#[test]
fn a_sandbox_reaches_its_gateway_and_nothing_else() {
    let egress =
        object(&full(), ChildKind::NetworkPolicy, "triage-runner-workshop")["spec"]["egress"].clone();
    assert_eq!(egress.as_array().unwrap().len(), 1);
    insta::assert_json_snapshot!(egress, @r#"
    [
      {
        "ports": [
          {
            "port": 9443,
            "protocol": "TCP"
          }
        ],
        "to": [
          {
            "podSelector": {
              "matchLabels": {
                "app.kubernetes.io/component": "gateway",
                "monstrum.dev/bot": "triage"
              }
            }
          }
        ]
      }
    ]
    "#);
}

#[rstest]
#[case::plain("plain", plan())]
#[case::full("full", full())]
#[case::online("online", online())]
fn objects_are_as_they_were(#[case] name: &str, #[case] plan: Plan) {
    let objects = build(&plan, &installation());
    let values: Vec<_> = objects.children.into_iter().map(|child| child.object).collect();
    insta::assert_yaml_snapshot!(format!("bot_{name}"), values);
    let certificates: Vec<_> = objects
        .certificates
        .iter()
        .map(|spec| format!("{} {} {}", spec.secret, spec.identity, spec.names.join(",")))
        .collect();
    insta::assert_yaml_snapshot!(format!("bot_{name}_certificates"), certificates);
}
