//! How far Deployments have come, and what keeps them.

mod pods;
mod trouble;

use kube::ResourceExt as _;
use kube::api::DynamicObject;
use monstrum_crds::conditions::{ConditionType, Reason, State};
use serde_json::{Value, json};

pub use pods::Pods;
pub(crate) use trouble::Trouble;

use crate::child::label;

/// How far one Deployment has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollout {
    pub(crate) name: String,
    /// The resource that its pods are for, where they are a sandbox.
    pub(crate) resource: Option<String>,
    /// The labels of its pods, as a selector in one line; none of a Deployment that is not there.
    pub(crate) selector: Option<String>,
    /// Pods that there should be.
    pub(crate) wanted: i64,
    /// Pods that there are, of whichever template.
    pub(crate) pods: i64,
    /// Pods of the current template that are ready, as far as that can be told.
    pub(crate) ready: i64,
    /// Whether everything is as it should be: no old pods, all new ones ready.
    pub(crate) complete: bool,
    /// What keeps pods from being made, or from running.
    pub(crate) trouble: Option<Trouble>,
}

impl Rollout {
    /// Of a Deployment as the API server has it; of one that is not there yet, without.
    pub(crate) fn of(name: &str, live: Option<&DynamicObject>) -> Self {
        let Some(live) = live else {
            return Self {
                name: name.to_owned(),
                resource: None,
                selector: None,
                wanted: 1,
                pods: 0,
                ready: 0,
                complete: false,
                trouble: None,
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
        // Which pods are ready is not said: all older ones may be, and they are none of this rollout.
        let older = all.saturating_sub(updated).max(0);
        let ready_of_new = ready.saturating_sub(older).clamp(0, updated.max(0));
        Self {
            name: name.to_owned(),
            resource: live.labels().get(label::RESOURCE).cloned(),
            selector: Some(selector(live)),
            wanted,
            pods: all,
            ready: if observed { ready_of_new } else { 0 },
            complete: observed && all == wanted && updated == wanted && ready == wanted,
            trouble: trouble_of(&live.data).filter(|_| observed),
        }
    }

    /// What is still awaited, for people.
    pub(crate) fn awaited(&self) -> String {
        format!(
            "Deployment {}: {} of {} pods are ready",
            self.name, self.ready, self.wanted
        )
    }

    /// What a status tells whoever scales: how many pods there are, and the labels by which they are found.
    pub(crate) fn scale(&self) -> [(&'static str, Value); 2] {
        let pods = i32::try_from(self.pods).unwrap_or(i32::MAX);
        [("replicas", json!(pods)), ("selector", json!(self.selector))]
    }

    /// `Programmed`, where pods are in trouble.
    pub(crate) fn troubled(&self) -> Option<State> {
        let trouble = self.trouble.as_ref()?;
        let message = format!(
            "{}: {}. {}",
            self.awaited(),
            trouble.message.trim_end_matches('.'),
            self.remedy(trouble.reason)
        );
        Some(State::new(
            ConditionType::Programmed,
            false,
            trouble.reason,
            message,
        ))
    }

    fn remedy(&self, reason: Reason) -> String {
        match (&self.resource, reason) {
            (Some(resource), Reason::ImagePullFailed) => format!(
                "Put the image where the node can pull it, or name another in spec.runner.image of Resource {resource:?}"
            ),
            (None, Reason::ImagePullFailed) => {
                "Put the image where the node can pull it, or set image.* of the installation's chart"
                    .to_owned()
            }
            _ => reason.remedy().to_owned(),
        }
    }
}

fn selector(live: &DynamicObject) -> String {
    let labels = live.data.pointer("/spec/selector/matchLabels");
    let pairs = labels
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    pairs.collect::<Vec<_>>().join(",")
}

fn trouble_of(data: &Value) -> Option<Trouble> {
    let conditions = data.pointer("/status/conditions")?.as_array()?;
    let find = |type_: &str, status: &str| {
        conditions
            .iter()
            .find(|condition| text(condition, "type") == type_ && text(condition, "status") == status)
    };
    let trouble = |reason, condition| Trouble {
        reason,
        message: text(condition, "message").to_owned(),
    };
    let refused = find("ReplicaFailure", "True").map(|found| trouble(Reason::FailedCreate, found));
    refused.or_else(|| {
        find("Progressing", "False").map(|found| trouble(Reason::ProgressDeadlineExceeded, found))
    })
}

fn text<'a>(condition: &'a Value, key: &str) -> &'a str {
    condition.get(key).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests;
