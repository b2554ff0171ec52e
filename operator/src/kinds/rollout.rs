//! How far Deployments have come.

use kube::api::DynamicObject;
use serde_json::Value;

/// How far one Deployment has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollout {
    pub(crate) name: String,
    /// Pods that there should be.
    pub(crate) wanted: i64,
    /// Pods of the current template that are ready.
    pub(crate) ready: i64,
    /// Whether everything is as it should be: no old pods, all new ones ready.
    pub(crate) complete: bool,
    /// What keeps pods from being made.
    pub(crate) failure: Option<String>,
}

impl Rollout {
    /// Of a Deployment as the API server has it; of one that is not there yet, without.
    pub(crate) fn of(name: &str, live: Option<&DynamicObject>) -> Self {
        let Some(live) = live else {
            return Self {
                name: name.to_owned(),
                wanted: 1,
                ready: 0,
                complete: false,
                failure: None,
            };
        };
        let number = |pointer: &str| live.data.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        let wanted = live
            .data
            .pointer("/spec/replicas")
            .and_then(Value::as_i64)
            .unwrap_or(1);
        let observed = number("/status/observedGeneration") >= live.metadata.generation.unwrap_or(0);
        let (all, updated) = (number("/status/replicas"), number("/status/updatedReplicas"));
        let ready = number("/status/readyReplicas");
        Self {
            name: name.to_owned(),
            wanted,
            ready: if observed { ready.min(updated) } else { 0 },
            complete: observed && all == wanted && updated == wanted && ready == wanted,
            failure: failure(&live.data),
        }
    }

    /// What is still awaited, for people.
    pub(crate) fn awaited(&self) -> String {
        format!(
            "Deployment {}: {} of {} pods are ready",
            self.name, self.ready, self.wanted
        )
    }
}

fn failure(data: &Value) -> Option<String> {
    let conditions = data.pointer("/status/conditions")?.as_array()?;
    let text = |condition: &Value, key: &str| {
        condition
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let failed = conditions.iter().find(|condition| {
        let (type_, status) = (text(condition, "type"), text(condition, "status"));
        (type_ == "ReplicaFailure" && status == "True") || (type_ == "Progressing" && status == "False")
    })?;
    Some(text(failed, "message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::ChildKind;
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
    #[case::starting(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1}), 1, false)]
    #[case::done(json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}), 2, true)]
    fn progress_is_read_from_the_status(#[case] status: Value, #[case] ready: i64, #[case] complete: bool) {
        let rollout = Rollout::of("d", Some(&live(status)));
        assert_eq!((rollout.ready, rollout.complete), (ready, complete));
    }

    #[test]
    fn what_keeps_pods_from_being_made_is_told() {
        let status = json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]});
        assert_eq!(
            Rollout::of("d", Some(&live(status))).failure.as_deref(),
            Some("exceeded quota")
        );
        assert!(!Rollout::of("d", None).complete);
    }
}
