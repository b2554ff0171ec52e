use super::*;
use crate::child::label;
use crate::network::Vantage;
use crate::pod_security::violations;
use crate::scenario::installation;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::PodSpec;
use rstest::rstest;
use serde_json::{Value, json};

const HERE: Vantage<'_> = Vantage {
    namespace: "team-a",
    cluster_domain: "cluster.local",
};

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
        model: Target::of("https://models.example.com/v1", &[], None, HERE),
        outward: Outward::default(),
        sandboxes: Vec::new(),
        channels: Vec::new(),
        address: Some("10.96.0.7".to_owned()),
    }
}

/// With settings for the container `name`.
fn placed(name: &str) -> PodSettings {
    let settings = json!({
        "containers": {name: {"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}}}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "bots", "effect": "NoSchedule"}],
        "runtimeClassName": "gvisor",
    });
    serde_json::from_value(settings).unwrap()
}

fn target(url: &str, range: &str) -> Target {
    Target::of(url, &[range.parse().unwrap()], None, HERE).unwrap()
}

fn full() -> Plan {
    Plan {
        replicas: 2,
        gateway: placed("gateway"),
        runner: placed("runner"),
        outward: Outward {
            targets: vec![
                target("https://api.example.com", "10.1.0.0/16"),
                target("http://tracker.tools.svc:8080", "10.96.0.0/12"),
            ],
            ports: Vec::new(),
        },
        sandboxes: vec![Sandbox {
            resource: "workshop".to_owned(),
            executor: "shell".to_owned(),
            image: "debian:12".to_owned(),
            workspace: Quantity("1Gi".to_owned()),
            settings: placed("sandbox"),
            outward: Outward::default(),
        }],
        channels: vec!["inbox".to_owned()],
        ..plan()
    }
}

fn online() -> Plan {
    let mut plan = full();
    plan.sandboxes[0].outward.ports = vec![443];
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

/// All that can be said of a pod.
fn everything() -> PodSettings {
    let limits = json!({"resources": {"limits": {"cpu": "1"}}, "env": {"TZ": "UTC", "EMPTY": "", "PLAIN": "$(POD_NAME) a$b"}});
    let settings = json!({
        "labels": {"team": "a", "app.kubernetes.io/component": "operator"},
        "annotations": {"acme.example/owners": "ann, bob"},
        "containers": {"gateway": limits, "runner": limits, "sandbox": limits, "inject": limits},
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            [{"topologyKey": "kubernetes.io/hostname"}]}},
        "topologySpreadConstraints":
            [{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        "priorityClassName": "bots",
        "imagePullSecrets": [{"name": "mirror"}],
        "securityContext": {"assignedByPlatform": true, "fsGroup": 7, "seLinuxOptions": {"level": "s0:c1,c2", "type": "container_kvm_t"}},
    });
    serde_json::from_value(settings).unwrap()
}

/// The same whether the object says it or the installation.
#[rstest]
#[case::by_the_object(everything(), PodSettings::default())]
#[case::by_the_installation(PodSettings::default(), everything())]
fn what_is_said_of_pods_is_in_all_of_them(#[case] settings: PodSettings, #[case] pods: PodSettings) {
    let mut plan = full();
    plan.gateway = settings.clone();
    plan.runner = settings.clone();
    plan.sandboxes[0].settings = settings;
    let installation = Installation {
        pods,
        ..installation()
    };
    let deployments = build(&plan, &installation).children.into_iter();
    for child in deployments.filter(|child| child.kind == ChildKind::Deployment) {
        let deployment: Deployment = serde_json::from_value(child.object).unwrap();
        let spec = deployment.spec.unwrap();
        let (metadata, pod) = (spec.template.metadata.unwrap(), spec.template.spec.unwrap());
        let name = child.name;
        assert_eq!(violations(&pod), Vec::<String>::new(), "{name}");
        let labels = metadata.labels.unwrap();
        assert_eq!(labels["team"], "a", "{name}");
        assert_ne!(labels["app.kubernetes.io/component"], "operator", "{name}");
        assert_eq!(metadata.annotations.unwrap()["acme.example/owners"], "ann, bob");
        assert_eq!(pod.priority_class_name.as_deref(), Some("bots"));
        assert_eq!(pod.image_pull_secrets.unwrap()[0].name, "mirror");
        let security = pod.security_context.unwrap();
        assert_eq!(
            (security.run_as_user, security.fs_group),
            (None, Some(7)),
            "{name}"
        );
        let own = spec.selector.match_labels;
        let spread = &pod.topology_spread_constraints.unwrap()[0];
        assert_eq!(spread.label_selector.clone().unwrap().match_labels, own, "{name}");
        let apart = pod.affinity.unwrap().pod_anti_affinity.unwrap();
        let apart = &apart.required_during_scheduling_ignored_during_execution.unwrap()[0];
        assert_eq!(apart.label_selector.clone().unwrap().match_labels, own, "{name}");
        for container in pod.containers.iter().chain(pod.init_containers.iter().flatten()) {
            let limits = container.resources.clone().unwrap().limits.unwrap();
            assert_eq!(
                limits["cpu"].0, "1",
                "{name} {}: a quota can be on it",
                container.name
            );
            assert_eq!(
                container.security_context.clone().unwrap().run_as_user,
                None,
                "{name}"
            );
            let env = container.env.clone().unwrap();
            let value = |name: &str| {
                env.iter()
                    .find(|variable| variable.name == name)
                    .unwrap()
                    .value
                    .clone()
            };
            assert_eq!(value("TZ").as_deref(), Some("UTC"), "{name}");
            assert_eq!(value("EMPTY"), None, "{name}: an API server keeps no empty value");
            assert_eq!(value("PLAIN").as_deref(), Some("$$(POD_NAME) a$$b"), "{name}");
        }
    }
}

#[test]
fn no_variable_of_ours_is_replaced() {
    let env =
        json!({"MONSTRUM_OPERATOR": "https://evil.example", "LD_PRELOAD": "/tmp/x.so", "POD_NAME": "x"});
    let settings =
        json!({"containers": {"gateway": {"env": env}, "sandbox": {"env": env}, "inject": {"env": env}}});
    let mut plan = full();
    plan.gateway = serde_json::from_value(settings.clone()).unwrap();
    plan.sandboxes[0].settings = serde_json::from_value(settings).unwrap();
    let text = serde_json::to_string(&pods(&plan)).unwrap();
    assert!(
        !text.contains("evil.example") && !text.contains("LD_PRELOAD"),
        "{text}"
    );
}

#[test]
fn every_object_has_the_labels_that_all_have() {
    let common_labels = [("cost-centre", "7"), ("app.kubernetes.io/name", "other")];
    let installation = Installation {
        common_labels: common_labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..installation()
    };
    let objects = build(&full(), &installation);
    for child in &objects.children {
        let labels = &child.object["metadata"]["labels"];
        assert_eq!(labels["cost-centre"], "7", "{}", child.name);
        assert_eq!(labels["app.kubernetes.io/name"], "monstrum", "{}", child.name);
    }
    for certificate in &objects.certificates {
        assert_eq!(certificate.labels["cost-centre"], "7", "{}", certificate.secret);
    }
}

#[test]
fn names_have_the_clusters_domain_and_services_its_families() {
    let installation = Installation {
        cluster_domain: "k8s.corp".to_owned(),
        ip_family_policy: "RequireDualStack".to_owned(),
        metrics_namespace: Some("monitoring".to_owned()),
        ..installation()
    };
    let objects = build(&full(), &installation);
    let gateway = &objects.certificates[0];
    assert!(
        gateway
            .names
            .contains(&"triage-gateway.team-a.svc.k8s.corp".to_owned()),
        "{:?}",
        gateway.names
    );
    for (name, policy) in [
        ("triage-gateway", "RequireDualStack"),
        ("triage-gateways", "SingleStack"),
    ] {
        let service = objects
            .children
            .iter()
            .find(|child| child.kind == ChildKind::Service && child.name == name);
        assert_eq!(service.unwrap().object["spec"]["ipFamilyPolicy"], policy);
    }
    let policies = objects
        .children
        .iter()
        .filter(|child| child.kind == ChildKind::NetworkPolicy);
    for policy in policies {
        let ingress = policy.object["spec"]["ingress"].to_string();
        assert!(
            ingress.contains("monitoring") && ingress.contains("9090"),
            "{}: {ingress}",
            policy.name
        );
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

#[test]
fn a_runner_is_started_with_the_executors_that_are_placed_there() {
    let mut plan = full();
    plan.sandboxes[0].executor = "echo".to_owned();
    let executors = |pod: &PodSpec| {
        let mut variables = pod.containers[0].env.iter().flatten();
        variables
            .find(|variable| variable.name == "MONSTRUM_EXECUTORS")?
            .value
            .clone()
    };
    let started: Vec<_> = pods(&plan)
        .into_iter()
        .filter_map(|(name, pod)| Some((name, executors(&pod)?)))
        .collect();
    let expected = [("triage-runner", "http"), ("triage-runner-workshop", "echo")];
    assert_eq!(
        started,
        expected.map(|(name, executors)| (name.to_owned(), executors.to_owned()))
    );
}

#[test]
fn a_sandbox_goes_where_its_resource_names_a_place_and_nowhere_else() {
    let mut plan = full();
    let rules = |plan: &Plan| {
        let policy = object(plan, ChildKind::NetworkPolicy, "triage-runner-workshop");
        policy.pointer("/spec/egress").cloned().unwrap()
    };
    let closed = rules(&plan);
    plan.sandboxes[0].outward.targets = vec![target("http://tracker.tools.svc:8080", "10.96.0.0/12")];
    let open = rules(&plan);
    assert_eq!(closed.as_array().map(Vec::len), Some(1));
    assert_eq!(open.as_array().map(Vec::len), Some(3));
    assert_eq!(
        open.pointer("/2/to/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name"),
        Some(&json!("tools"))
    );
}
