//! What an API server, or a controller that belongs to the cluster, says in our objects where we say nothing.
//!
//! From `SetDefaults_*` of Kubernetes' `pkg/apis/{core,apps,networking}/v1`, for the kinds and fields that we use.

use serde_json::{Map, Value};

use crate::child::ChildKind;

/// Whether `there`, at a path in an object, is what is filled in by itself. `beside` is the object that it stands in.
pub(super) fn is_default(kind: ChildKind, at: &[&str], there: &Value, beside: &Map<String, Value>) -> bool {
    match kind {
        ChildKind::Deployment => of_deployment(at, there, beside),
        ChildKind::Service => of_service(at, there),
        ChildKind::NetworkPolicy => matches!(at, [.., "ports", "*", "protocol"] if there == "TCP"),
        // Platforms give accounts pull secrets of their own; neither list gives a pod anything that it can read.
        ChildKind::ServiceAccount => matches!(at, ["imagePullSecrets" | "secrets"]),
        ChildKind::ConfigMap | ChildKind::PodDisruptionBudget => false,
    }
}

fn of_deployment(at: &[&str], there: &Value, beside: &Map<String, Value>) -> bool {
    match at {
        ["spec", "progressDeadlineSeconds"] => there == 600,
        ["spec", "template", "metadata", "creationTimestamp"] => there.is_null(),
        // `kubectl rollout restart`.
        [
            "spec",
            "template",
            "metadata",
            "annotations",
            "kubectl.kubernetes.io/restartedAt",
        ] => true,
        ["spec", "template", "spec", rest @ ..] => of_pod(rest, there, beside),
        _ => false,
    }
}

fn of_pod(at: &[&str], there: &Value, beside: &Map<String, Value>) -> bool {
    match at {
        ["restartPolicy"] => there == "Always",
        ["dnsPolicy"] => there == "ClusterFirst",
        ["schedulerName"] => there == "default-scheduler",
        ["terminationGracePeriodSeconds"] => there == 30,
        // An older name of the same field.
        ["serviceAccount"] => beside.get("serviceAccountName") == Some(there),
        ["volumes", "*", "secret" | "configMap", "defaultMode"] => there == 0o644,
        ["containers" | "initContainers", "*", rest @ ..] => of_container(rest, there),
        _ => false,
    }
}

fn of_container(at: &[&str], there: &Value) -> bool {
    match at {
        ["terminationMessagePath"] => there == "/dev/termination-log",
        ["terminationMessagePolicy"] => there == "File",
        ["securityContext", "procMount"] => there == "Default",
        ["ports", "*", "protocol"] => there == "TCP",
        ["env", "*", "valueFrom", "fieldRef", "apiVersion"] => there == "v1",
        ["livenessProbe" | "readinessProbe" | "startupProbe", rest @ ..] => of_probe(rest, there),
        _ => false,
    }
}

fn of_probe(at: &[&str], there: &Value) -> bool {
    match at {
        ["timeoutSeconds" | "successThreshold"] => there == 1,
        ["periodSeconds"] => there == 10,
        ["failureThreshold"] => there == 3,
        ["httpGet", "scheme"] => there == "HTTP",
        _ => false,
    }
}

fn of_service(at: &[&str], there: &Value) -> bool {
    match at {
        // Given by the cluster, and of one family or two as it is made.
        [
            "spec",
            "clusterIP" | "clusterIPs" | "ipFamilies" | "ipFamilyPolicy",
        ] => true,
        ["spec", "internalTrafficPolicy"] => there == "Cluster",
        ["spec", "sessionAffinity"] => there == "None",
        ["spec", "type"] => there == "ClusterIP",
        ["spec", "ports", "*", "protocol"] => there == "TCP",
        _ => false,
    }
}
