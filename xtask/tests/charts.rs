//! The charts as Helm renders them, where there is a Helm: on the path, or among what the test cluster was built with.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use monstrum_crds::kinds::PodSettings;
use monstrum_crds::placement::Placement;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn helm() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    let cache = std::env::var_os("MONSTRUM_CACHE").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/monstrum"));
    let built = cache.or_else(home)?.join("cluster");
    let built = std::fs::read_dir(built).into_iter().flatten().flatten();
    folders.extend(built.map(|version| version.path().join("bin")));
    folders
        .into_iter()
        .map(|folder| folder.join("helm"))
        .find(|helm| helm.is_file())
}

/// None where there is no Helm.
fn run(args: &[&str]) -> Option<Output> {
    let Some(helm) = helm() else {
        eprintln!("no helm: `make cluster-up` builds one");
        return None;
    };
    Some(
        Command::new(helm)
            .args(args)
            .current_dir(root())
            .output()
            .unwrap(),
    )
}

fn template(values: &Value) -> Option<Result<Vec<Value>, String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.json");
    std::fs::write(&file, values.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let apis = ["-a", "monitoring.coreos.com/v1"];
    let output = run(&[
        &["template", "rel", "charts/monstrum", "-n", "system", "-f", file][..],
        &apis[..],
    ]
    .concat())?;
    if !output.status.success() {
        return Some(Err(String::from_utf8(output.stderr).unwrap()));
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text
        .split("\n---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap());
    Some(Ok(documents
        .filter(|document: &Value| !document.is_null())
        .collect()))
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents
        .iter()
        .filter(|document| document["kind"] == kind)
        .collect()
}

/// Pods that the chart makes: their templates, and the pod of `helm test`.
fn pods(documents: &[Value]) -> Vec<&Value> {
    let templates = ["Deployment", "StatefulSet"].into_iter();
    let templates = templates.flat_map(|kind| of_kind(documents, kind));
    let mut pods: Vec<_> = templates.map(|document| &document["spec"]["template"]).collect();
    pods.extend(of_kind(documents, "Pod"));
    pods
}

fn variable<'a>(documents: &'a [Value], name: &str) -> &'a str {
    let operator = &of_kind(documents, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    let env = operator["env"].as_array().unwrap();
    let found = env.iter().find(|variable| variable["name"] == name);
    found.unwrap()["value"].as_str().unwrap()
}

fn everything() -> Value {
    json!({
        "labels": {"team": "a"},
        "annotations": {"acme.example/owners": "ann, bob"},
        "containers": {
            "operator": {"env": {"TZ": "UTC"}},
            "ledger": {"resources": {"limits": {"cpu": 1}}},
            "inject": {"resources": {"limits": {"cpu": "100m"}}},
        },
        "nodeSelector": {"disk": "ssd"},
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["bots"]}]}]}},
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution":
                [{"weight": 7, "podAffinityTerm": {"topologyKey": "zone"}}]},
        },
        "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}],
        "tolerations": [{"key": "bots", "operator": "Exists", "tolerationSeconds": 31_536_000}],
        "priorityClassName": "high",
        "runtimeClassName": "gvisor",
        "imagePullSecrets": [{"name": "mirror"}],
        "securityContext": {"assignedByPlatform": true, "fsGroup": 1_000_650_000, "seLinuxOptions": {"level": "s0:c1,c2"}},
    })
}

#[test]
fn what_is_said_of_pods_reaches_the_charts_own_and_the_operators() {
    let values = json!({"pod": everything(), "bots": {"pod": {"priorityClassName": "low"}}});
    let Some(documents) = template(&values) else {
        return;
    };
    let documents = documents.unwrap();
    let pods = pods(&documents);
    assert_eq!(pods.len(), 3);
    for pod in pods {
        assert_eq!(pod["metadata"]["labels"]["team"], "a");
        assert_eq!(pod["metadata"]["annotations"]["acme.example/owners"], "ann, bob");
        let spec = &pod["spec"];
        for (field, expected) in everything().as_object().unwrap() {
            if [
                "nodeSelector",
                "tolerations",
                "priorityClassName",
                "runtimeClassName",
                "imagePullSecrets",
            ]
            .contains(&field.as_str())
            {
                assert_eq!(&spec[field], expected, "{field}");
            }
        }
        assert_eq!(spec["securityContext"]["runAsUser"], Value::Null);
        assert_eq!(spec["securityContext"]["fsGroup"], 1_000_650_000);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        let own = &spec["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"];
        let component = &pod["metadata"]["labels"]["app.kubernetes.io/component"];
        assert_eq!(&own["app.kubernetes.io/component"], component);
        let apart =
            &spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
        assert_eq!(&apart["podAffinityTerm"]["labelSelector"]["matchLabels"], own);
    }
    let settings: PodSettings = serde_json::from_str(variable(&documents, "MONSTRUM_POD_DEFAULTS")).unwrap();
    assert_eq!(settings.priority_class_name.as_deref(), Some("low"));
    assert_eq!(settings.annotations["acme.example/owners"], "ann, bob");
    assert_eq!(settings.containers.keys().collect::<Vec<_>>(), ["inject"]);
    let _: Placement = serde_json::from_str(variable(&documents, "MONSTRUM_POD_PLACEMENT")).unwrap();
}

#[test]
fn pods_are_as_confined_as_ever() {
    let Some(documents) = template(&json!({"pod": everything()})) else {
        return;
    };
    for pod in pods(&documents.unwrap()) {
        for container in pod["spec"]["containers"].as_array().unwrap() {
            assert_eq!(
                container["securityContext"],
                json!({
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                })
            );
        }
        assert_eq!(
            pod["spec"]["securityContext"]["seccompProfile"]["type"],
            "RuntimeDefault"
        );
    }
}

#[test]
fn values_that_would_loosen_a_pod_or_replace_what_is_ours_are_refused() {
    for pod in [
        json!({"hostNetwork": true}),
        json!({"volumes": []}),
        json!({"securityContext": {"runAsUser": 0}}),
        json!({"securityContext": {"runAsNonRoot": false}}),
        json!({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}),
        json!({"containers": {"operator": {"command": ["sh"]}}}),
        json!({"containers": {"operator": {"env": {"MONSTRUM_TRUST_DOMAIN": "evil.example"}}}}),
        json!({"labels": {"app.kubernetes.io/component": "ledger"}}),
        json!({"labels": {"team": "not a label"}}),
    ] {
        let Some(rendered) = template(&json!({"pod": pod})) else {
            return;
        };
        assert!(rendered.is_err(), "{pod}");
    }
    for values in [
        json!({"dns": {"namespace": "", "addresses": []}}),
        json!({"dns": {"ports": []}}),
    ] {
        let Some(rendered) = template(&values) else { return };
        assert!(rendered.is_err(), "{values}");
    }
}

#[test]
fn another_name_is_everywhere_or_nowhere() {
    let values =
        json!({"nameOverride": "acme", "fullnameOverride": "acme-ai", "commonLabels": {"cost": "7"}});
    let Some(documents) = template(&values) else {
        return;
    };
    let documents = documents.unwrap();
    for document in &documents {
        let labels = &document["metadata"]["labels"];
        assert_eq!(labels["cost"], "7", "{document}");
        let name = document["metadata"]["name"].as_str().unwrap();
        assert!(
            document["kind"] == "ResourceType" || name.starts_with("acme-ai-"),
            "{name}"
        );
    }
    // Every selector finds pods that are there.
    let labels: Vec<&Value> = pods(&documents)
        .into_iter()
        .map(|pod| &pod["metadata"]["labels"])
        .collect();
    let services = of_kind(&documents, "Service")
        .into_iter()
        .map(|service| &service["spec"]["selector"]);
    let policies = of_kind(&documents, "NetworkPolicy").into_iter();
    let policies = policies.map(|policy| &policy["spec"]["podSelector"]["matchLabels"]);
    for selector in services.chain(policies).filter_map(Value::as_object) {
        let found = labels
            .iter()
            .any(|labels| selector.iter().all(|(key, value)| labels[key] == *value));
        assert!(found, "{selector:?}");
    }
    for (name, expected) in [
        ("MONSTRUM_SYSTEM_NAME", "acme"),
        ("MONSTRUM_OPERATOR_SERVICE", "acme-ai-operator"),
        ("MONSTRUM_LEDGER_SERVICE", "acme-ai-ledger"),
        ("MONSTRUM_ADMISSION_SERVICE", "acme-ai-admission"),
    ] {
        assert_eq!(variable(&documents, name), expected);
    }
}

#[test]
fn every_image_follows_the_global_registry() {
    let Some(documents) = template(&json!({"global": {"imageRegistry": "mirror.example/x"}})) else {
        return;
    };
    let documents = documents.unwrap();
    let mut images: BTreeSet<String> = pods(&documents)
        .into_iter()
        .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
        .collect();
    images.extend(
        ["GATEWAY", "RUNNER"].map(|name| variable(&documents, &format!("MONSTRUM_{name}_IMAGE")).to_owned()),
    );
    assert_eq!(images.len(), 4, "{images:?}");
    assert!(
        images.iter().all(|image| image.starts_with("mirror.example/x/")),
        "{images:?}"
    );
}

#[test]
fn openshift_lets_the_leader_be_an_endpoint() {
    let Some(documents) = template(&json!({})) else {
        return;
    };
    let documents = documents.unwrap();
    let rules: Vec<&Value> = of_kind(&documents, "Role")
        .into_iter()
        .flat_map(|role| role["rules"].as_array().unwrap())
        .collect();
    let restricted = rules
        .iter()
        .find(|rule| rule["resources"] == json!(["endpointslices/restricted"]));
    assert_eq!(restricted.unwrap()["verbs"], json!(["create"]));
}

/// Helm takes `null` for "without this value". What can't be without is missed by name, before anything of it is rendered empty.
#[test]
fn a_value_that_is_taken_away_is_missed() {
    let text = std::fs::read_to_string(root().join("charts/monstrum/values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&text).unwrap();
    let mut places = Vec::new();
    gather(&values, "", &mut places);
    assert!(places.len() > 60, "{}", places.len());
    for place in places {
        let mut without = Value::Null;
        for key in place.rsplit('/').filter(|key| !key.is_empty()) {
            without = json!({ key: without });
        }
        match template(&without) {
            None => return,
            Some(Err(error)) => assert!(error.contains("missing propert"), "{place}: {error}"),
            Some(Ok(documents)) => {
                let operator = &of_kind(&documents, "Deployment")[0]["spec"];
                assert_eq!(operator["replicas"], 2, "{place}");
                let container = &operator["template"]["spec"]["containers"][0];
                let empty = container["env"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|variable| variable["value"].is_null());
                // What comes from the pod itself has no value of its own.
                let empty = empty.filter(|variable| variable["valueFrom"].is_null());
                assert_eq!(empty, None, "{place}");
            }
        }
    }
}

fn gather(values: &Value, at: &str, places: &mut Vec<String>) {
    for (key, value) in values.as_object().into_iter().flatten() {
        let place = format!("{at}/{key}");
        gather(value, &place, places);
        places.push(place);
    }
}

/// As in objects: a name that is mistyped would be sized in vain.
#[test]
fn containers_that_are_not_there_are_refused() {
    for values in [
        json!({"pod": {"containers": {"opertor": {}}}}),
        json!({"bots": {"pod": {"containers": {"operator": {}}}}}),
        json!({"operator": {"pod": {"containers": {"ledger": {}}}}}),
        json!({"ledger": {"pod": {"containers": {"gateway": {}}}}}),
    ] {
        let Some(rendered) = template(&values) else { return };
        assert!(rendered.unwrap_err().contains("invalid propertyName"), "{values}");
    }
    let every = [
        "operator", "ledger", "gateway", "runner", "channel", "sandbox", "inject",
    ];
    let containers: serde_json::Map<String, Value> = every
        .iter()
        .map(|name| ((*name).to_owned(), json!({"env": {"TZ": "UTC"}})))
        .collect();
    let rendered = template(&json!({"pod": {"containers": containers}}));
    assert!(rendered.is_none_or(|rendered| rendered.is_ok()));
}

#[test]
fn a_registry_may_end_in_a_slash() {
    let Some(rendered) = template(&json!({"global": {"imageRegistry": "registry.example.com/mirror/"}}))
    else {
        return;
    };
    let documents = rendered.unwrap();
    let operator = &of_kind(&documents, "Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    let image = operator["image"].as_str().unwrap();
    assert!(
        image.starts_with("registry.example.com/mirror/operator:"),
        "{image}"
    );
    assert!(!operator.to_string().contains("mirror//"), "{operator}");
}

#[test]
fn kubernetes_own_roles_know_our_kinds() {
    let Some(output) = run(&[
        "template",
        "crds",
        "charts/monstrum-crds",
        "-s",
        "templates/roles.yaml",
    ]) else {
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let roles: Vec<Value> = text
        .split("\n---\n")
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect();
    let may = |role: &str, verb: &str, resource: &str| {
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{role}");
        let aggregated = roles
            .iter()
            .filter(|found| found["metadata"]["labels"][&label] == "true");
        aggregated
            .flat_map(|found| found["rules"].as_array().unwrap())
            .any(|rule| {
                let names = |list: &Value, name: &str| {
                    list.as_array()
                        .unwrap()
                        .iter()
                        .any(|found| *found == *name || *found == "*")
                };
                names(&rule["resources"], resource) && names(&rule["verbs"], verb)
            })
    };
    for (role, verb, resource, expected) in [
        ("admin", "create", "bots", true),
        ("admin", "create", "botbindings", true),
        ("admin", "patch", "workspaces", false),
        ("admin", "patch", "bots/status", false),
        ("edit", "delete", "bots", true),
        ("edit", "create", "botbindings", false),
        ("edit", "patch", "botroles", false),
        ("view", "get", "bots", true),
        ("view", "watch", "workspaces", true),
        ("view", "create", "bots", false),
    ] {
        assert_eq!(may(role, verb, resource), expected, "{role} {verb} {resource}");
    }
}

#[test]
fn helm_shows_a_page_for_each_chart() {
    for chart in ["charts/monstrum", "charts/monstrum-crds"] {
        let Some(output) = run(&["show", "readme", chart]) else {
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("# Chart `monstrum"), "{chart}: {text}");
    }
}
