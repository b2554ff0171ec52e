use super::*;
use crate::fake_api::merge_patch;
use crate::scenario::{NAMESPACE, Scenario};
use rstest::rstest;
use serde_json::json;

fn desired() -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"replicas": 1, "empty": {}, "template": {"spec": {"containers": [
        {"name": "c", "image": "i", "resources": {"requests": {"cpu": "0.5"}}}]}}}})
}

fn live(change: impl FnOnce(&mut Value)) -> Value {
    let mut live = with_digest(&desired());
    let container = &mut live["spec"]["template"]["spec"]["containers"][0];
    container["terminationMessagePath"] = json!("/dev/termination-log");
    container["resources"]["requests"]["cpu"] = json!("500m");
    live["spec"].as_object_mut().unwrap().remove("empty");
    live["status"] = json!({"readyReplicas": 1});
    change(&mut live);
    live
}

fn correct(live: &Value) -> Option<Value> {
    correction(ChildKind::Deployment, &desired(), live)
}

#[test]
fn defaults_and_other_notations_are_no_drift() {
    assert!(was_applied(&desired(), &live(|_| {})));
    assert_eq!(correct(&live(|_| {})), None);
}

#[rstest]
#[case::value(|live: &mut Value| live["spec"]["replicas"] = json!(3))]
#[case::image(|live: &mut Value| live["spec"]["template"]["spec"]["containers"][0]["image"] = json!("evil"))]
#[case::one_container_more(|live: &mut Value| live["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(json!({})))]
#[case::removed(|live: &mut Value| { live["spec"].as_object_mut().unwrap().remove("replicas"); })]
#[case::request(|live: &mut Value| live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("2"))]
#[case::one_request_more(|live: &mut Value| live["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["gpu"] = json!("1"))]
#[case::limits(|live: &mut Value| live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = json!({"cpu": "9"}))]
fn a_change_of_what_we_wrote_is_drift(#[case] change: fn(&mut Value)) {
    let mut live = live(change);
    let correction = correct(&live).unwrap();
    merge_patch(&mut live, &correction);
    assert_eq!(correct(&live), None, "{live}");
}

#[test]
fn another_digest_was_not_applied() {
    let other = live(|live| live["metadata"]["annotations"][APPLIED] = json!("other"));
    assert!(!was_applied(&desired(), &other));
    let mut less = desired();
    less["spec"].as_object_mut().unwrap().remove("replicas");
    assert!(!was_applied(&less, &live(|_| {})));
    let correction = correction(ChildKind::Deployment, &less, &live(|_| {})).unwrap();
    assert_eq!(correction, json!({"spec": {"replicas": null}}));
}

#[test]
fn what_is_corrected_is_told() {
    let correction = json!({"spec": {"a": null, "b": {"c": [1]}}, "data": {"k": null}});
    assert_eq!(paths(&correction), ["data.k", "spec.a", "spec.b.c"]);
}

/// Every object that is made for a bot and a channel, and as an API server shows it.
async fn children() -> Vec<(ChildKind, Value, Value)> {
    let scenario = Scenario::full();
    scenario.settle().await;
    scenario.settle().await;
    let mut children = Vec::new();
    for kind in ChildKind::ALL {
        for live in scenario.index.live.children(kind).of(NAMESPACE) {
            let mut live = serde_json::to_value(live.as_ref()).unwrap();
            let desired = live.clone();
            fill_in(kind, &mut live);
            children.push((kind, desired, live));
        }
    }
    assert!(children.len() >= 15, "{}", children.len());
    children
}

/// The defaults of an API server of today.
fn fill_in(kind: ChildKind, live: &mut Value) {
    match kind {
        ChildKind::Deployment => {
            live["spec"]["progressDeadlineSeconds"] = json!(600);
            live["spec"]["template"]["metadata"]["creationTimestamp"] = Value::Null;
            let pod = &mut live["spec"]["template"]["spec"];
            pod["schedulerName"] = json!("default-scheduler");
            if !pod["serviceAccountName"].is_null() {
                pod["serviceAccount"] = pod["serviceAccountName"].clone();
            }
            for container in ["containers", "initContainers"]
                .into_iter()
                .filter_map(|list| {
                    live["spec"]["template"]["spec"][list]
                        .as_array()
                        .cloned()
                        .map(|all| (list, all.len()))
                })
                .collect::<Vec<_>>()
            {
                for index in 0..container.1 {
                    let container = &mut live["spec"]["template"]["spec"][container.0][index];
                    container["terminationMessagePath"] = json!("/dev/termination-log");
                    container["terminationMessagePolicy"] = json!("File");
                    for probe in ["livenessProbe", "readinessProbe"] {
                        if !container[probe].is_null() {
                            container[probe]["successThreshold"] = json!(1);
                        }
                    }
                }
            }
        }
        ChildKind::Service => {
            let own = live["spec"]["clusterIP"].clone();
            live["spec"]["clusterIPs"] = json!([own]);
            live["spec"]["ipFamilies"] = json!(["IPv4"]);
            live["spec"]["internalTrafficPolicy"] = json!("Cluster");
            live["spec"]["sessionAffinity"] = json!("None");
        }
        ChildKind::ServiceAccount => live["imagePullSecrets"] = json!([{"name": "platform"}]),
        ChildKind::ConfigMap | ChildKind::NetworkPolicy | ChildKind::PodDisruptionBudget => {}
    }
}

#[tokio::test]
async fn what_an_api_server_fills_in_is_no_drift() {
    for (kind, desired, live) in children().await {
        assert_eq!(
            correction(kind, &desired, &live),
            None,
            "{} {live}",
            kind.as_str()
        );
    }
}

/// Pointers to every object and list of a value, but for what is kept about an object.
fn places(at: &str, value: &Value, places: &mut Vec<String>) {
    if at == "/metadata" || at == "/status" {
        return;
    }
    match value {
        Value::Object(fields) => {
            places.push(at.to_owned());
            for (key, value) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                self::places(&format!("{at}/{key}"), value, places);
            }
        }
        Value::Array(items) => {
            places.push(at.to_owned());
            for (index, value) in items.iter().enumerate() {
                self::places(&format!("{at}/{index}"), value, places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Nothing can be added anywhere without being seen and taken out.
#[tokio::test]
async fn whatever_is_added_wherever_is_noticed_and_taken_out() {
    let planted = [
        json!(true),
        json!({}),
        json!([]),
        json!([{}]),
        json!("x"),
        json!(1),
    ];
    let mut tried = 0;
    for (kind, desired, live) in children().await {
        let mut found = Vec::new();
        places("", &live, &mut found);
        // A platform's pull secrets of an account are not ours to say.
        found.retain(|at| {
            !at.starts_with("/imagePullSecrets")
                && !at.starts_with("/spec/clusterIPs")
                && !at.starts_with("/spec/ipFamilies")
        });
        for (at, value) in found
            .iter()
            .flat_map(|at| planted.iter().map(move |value| (at, value)))
        {
            let mut changed = live.clone();
            match changed.pointer_mut(at).unwrap() {
                Value::Object(fields) => drop(fields.insert("planted".to_owned(), value.clone())),
                Value::Array(items) => items.push(value.clone()),
                _ => unreachable!(),
            }
            let correction = correction(kind, &desired, &changed);
            let correction =
                correction.unwrap_or_else(|| panic!("{} {at}: {value} went unnoticed", kind.as_str()));
            merge_patch(&mut changed, &correction);
            let left = super::correction(kind, &desired, &changed);
            assert_eq!(left, None, "{} {at}", kind.as_str());
            tried += 1;
        }
    }
    assert!(tried > 2_000, "{tried}");
}

/// Additions that open something, by name.
#[rstest]
#[case::ingress_for_all(ChildKind::NetworkPolicy, "runner", "/spec", "ingress", json!([{}]))]
#[case::egress_for_all(ChildKind::NetworkPolicy, "workshop", "/spec/egress/0/to/0", "namespaceSelector", json!({}))]
#[case::all_ports(ChildKind::NetworkPolicy, "workshop", "/spec/egress/0/ports/0", "endPort", json!(65535))]
#[case::processes(ChildKind::Deployment, "gateway", "/spec/template/spec", "shareProcessNamespace", json!(true))]
#[case::network(ChildKind::Deployment, "runner", "/spec/template/spec", "hostNetwork", json!(true))]
#[case::pids(ChildKind::Deployment, "runner", "/spec/template/spec", "hostPID", json!(true))]
#[case::ipc(ChildKind::Deployment, "runner", "/spec/template/spec", "hostIPC", json!(true))]
#[case::aliases(ChildKind::Deployment, "gateway", "/spec/template/spec", "hostAliases", json!([{"ip": "1.2.3.4", "hostnames": ["ledger"]}]))]
#[case::names(ChildKind::Deployment, "gateway", "/spec/template/spec", "dnsConfig", json!({"nameservers": ["1.2.3.4"]}))]
#[case::nodes(ChildKind::Deployment, "gateway", "/spec/template/spec", "tolerations", json!([{"operator": "Exists"}]))]
#[case::node(ChildKind::Deployment, "gateway", "/spec/template/spec", "nodeName", json!("control-plane"))]
#[case::scheduler(ChildKind::Deployment, "gateway", "/spec/template/spec", "schedulerName", json!("mine"))]
#[case::init_container(ChildKind::Deployment, "gateway", "/spec/template/spec", "initContainers", json!([{"name": "x", "image": "x"}]))]
#[case::debugger(ChildKind::Deployment, "gateway", "/spec/template/spec", "ephemeralContainers", json!([{"name": "x", "image": "x"}]))]
#[case::sysctls(ChildKind::Deployment, "gateway", "/spec/template/spec/securityContext", "sysctls", json!([{"name": "x", "value": "1"}]))]
#[case::groups(ChildKind::Deployment, "gateway", "/spec/template/spec/securityContext", "supplementalGroups", json!([0]))]
#[case::privileged(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0/securityContext", "privileged", json!(true))]
#[case::mounts(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0/securityContext", "procMount", json!("Unmasked"))]
#[case::capabilities(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0/securityContext/capabilities", "add", json!(["SYS_ADMIN"]))]
#[case::args(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0", "args", json!(["--insecure"]))]
#[case::env_from(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0", "envFrom", json!([{"secretRef": {"name": "x"}}]))]
#[case::hook(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0", "lifecycle", json!({"postStart": {"exec": {"command": ["x"]}}}))]
#[case::devices(ChildKind::Deployment, "runner", "/spec/template/spec/containers/0", "volumeDevices", json!([{"name": "x", "devicePath": "/x"}]))]
#[case::unconfined(ChildKind::Deployment, "runner", "/spec/template/metadata", "annotations", json!({"container.apparmor.security.beta.kubernetes.io/runner": "unconfined"}))]
#[case::labels(ChildKind::Deployment, "runner", "/spec/template/metadata/labels", "team", json!("trusted"))]
#[case::outside(ChildKind::Service, "gateway", "/spec", "externalIPs", json!(["203.0.113.7"]))]
#[case::node_port(ChildKind::Service, "gateway", "/spec/ports/0", "nodePort", json!(30080))]
#[case::selector(ChildKind::Service, "gateway", "/spec/selector", "team", json!("trusted"))]
#[case::not_ready(ChildKind::Service, "inbox", "/spec", "publishNotReadyAddresses", json!(true))]
#[case::settings(ChildKind::ConfigMap, "inbox", "/data", "more", json!("x"))]
#[case::bytes(ChildKind::ConfigMap, "inbox", "", "binaryData", json!({"x": "eA=="}))]
#[case::evictions(ChildKind::PodDisruptionBudget, "inbox", "/spec", "unhealthyPodEvictionPolicy", json!("AlwaysAllow"))]
#[tokio::test]
async fn an_addition_that_opens_something_is_drift(
    #[case] of: ChildKind,
    #[case] named: &str,
    #[case] at: &str,
    #[case] field: &str,
    #[case] value: Value,
) {
    let mut found = false;
    for (kind, desired, mut live) in children().await {
        let name = live["metadata"]["name"].as_str().unwrap().to_owned();
        if kind != of || !name.contains(named) {
            continue;
        }
        let Some(Value::Object(fields)) = live.pointer_mut(at) else {
            continue;
        };
        fields.insert(field.to_owned(), value.clone());
        found = true;
        assert!(correction(kind, &desired, &live).is_some(), "{name}");
    }
    assert!(found, "nothing to add it to");
}

#[tokio::test]
async fn a_restart_by_hand_is_no_drift() {
    for (kind, desired, mut live) in children().await {
        if kind == ChildKind::Deployment {
            live["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
                json!("now");
            assert_eq!(correction(kind, &desired, &live), None);
        }
    }
}
