use serde_json::{Value, json};

use super::*;

fn settings(value: Value) -> PodSettings {
    serde_json::from_value(value).unwrap()
}

#[test]
fn an_object_speaks_last_and_what_it_leaves_out_stays() {
    let base = settings(json!({
        "labels": {"team": "a", "tier": "bots"},
        "containers": {"sandbox": {"resources": {"limits": {"memory": "1Gi", "cpu": "1"}}, "env": {"TZ": "UTC"}}},
        "tolerations": [{"key": "bots"}],
        "priorityClassName": "low",
        "imagePullSecrets": [{"name": "mirror"}],
        "securityContext": {"fsGroup": 7, "runAsUser": 8},
    }));
    let own = settings(json!({
        "labels": {"team": "b"},
        "containers": {"sandbox": {"resources": {"limits": {"cpu": "2"}}}, "inject": {"resources": {"limits": {"cpu": "1"}}}},
        "imagePullSecrets": [{"name": "mirror"}, {"name": "own"}],
        "securityContext": {"runAsUser": 9},
    }));
    let expected = settings(json!({
        "labels": {"team": "b", "tier": "bots"},
        "containers": {
            "sandbox": {"resources": {"limits": {"memory": "1Gi", "cpu": "2"}}, "env": {"TZ": "UTC"}},
            "inject": {"resources": {"limits": {"cpu": "1"}}},
        },
        "tolerations": [{"key": "bots"}],
        "priorityClassName": "low",
        "imagePullSecrets": [{"name": "mirror"}, {"name": "own"}],
        "securityContext": {"fsGroup": 7, "runAsUser": 9},
    }));
    assert_eq!(own.over(&base), expected);
    assert_eq!(own.over(&PodSettings::default()), own);
    assert_eq!(PodSettings::default().over(&base), base);
}

/// What confines a pod can't be said at all.
#[test]
fn there_is_no_word_for_what_would_loosen_a_pod() {
    for loosening in [
        json!({"hostNetwork": true}),
        json!({"volumes": []}),
        json!({"serviceAccountName": "admin"}),
        json!({"securityContext": {"runAsNonRoot": false}}),
        json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        json!({"securityContext": {"supplementalGroups": [0]}}),
        json!({"securityContext": {"sysctls": []}}),
        json!({"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}),
        json!({"securityContext": {"seLinuxOptions": {"user": "system_u"}}}),
        json!({"containers": {"sandbox": {"command": ["/bin/sh"]}}}),
        json!({"containers": {"sandbox": {"securityContext": {"privileged": true}}}}),
        json!({"containers": {"sandbox": {"env": {"A": {"valueFrom": {}}}}}}),
        json!({"containers": {"sandbox": {"volumeMounts": []}}}),
        json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
            [{"topologyKey": "zone", "namespaces": ["kube-system"]}]}}}),
    ] {
        assert!(
            serde_json::from_value::<PodSettings>(loosening.clone()).is_err(),
            "{loosening}"
        );
    }
}
