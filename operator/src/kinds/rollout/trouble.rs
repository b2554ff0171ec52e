//! What keeps pods from running, as they themselves say it.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use monstrum_crds::conditions::{ConditionType, Reason, State};

use crate::child::ApplyError;
pub(super) use crate::index::REVISION;

/// The label by which a Deployment's pods and `ReplicaSets` of one template are known.
const TEMPLATE: &str = "pod-template-hash";
/// A scheduler needs a moment, and kstatus gives it the same.
const SCHEDULING: SignedDuration = SignedDuration::from_secs(15);
/// The most characters of what a kubelet says.
const MAX_WORDS: usize = 300;

/// Why pods do not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: Reason,
    /// For people: what is wrong with which container, and what the kubelet says.
    pub(crate) message: String,
}

impl Trouble {
    /// Of objects that could not be put in place.
    pub(crate) fn of(error: &ApplyError) -> Self {
        let reason = match error {
            ApplyError::Failed { .. } | ApplyError::NotLeading => Reason::ApiUnavailable,
            ApplyError::Going { .. } => Reason::Progressing,
            ApplyError::Foreign(_)
            | ApplyError::Refused { .. }
            | ApplyError::Contested { .. }
            | ApplyError::Certificate { .. }
            | ApplyError::Unreadable { .. } => Reason::ApplyFailed,
        };
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        Self {
            reason,
            message: format!("{error}{}", cause.unwrap_or_default()),
        }
    }

    /// `Programmed`, as it then is.
    pub(crate) fn programmed(&self) -> State {
        State::new(
            ConditionType::Programmed,
            false,
            self.reason,
            self.message.as_str(),
        )
    }

    /// Whether pods may say more: where they can't be made at all there are none of them.
    pub(super) fn may_be_explained(&self) -> bool {
        self.reason != Reason::FailedCreate
    }
}

/// One pod that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TroubledPod {
    pub(super) template: String,
    pub(super) trouble: Trouble,
}

/// Which of `pods` say why they do not run.
pub(super) fn troubled(pods: &[Pod], now: Timestamp) -> Vec<TroubledPod> {
    let there = pods
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none());
    there
        .filter_map(|pod| {
            Some(TroubledPod {
                template: pod.labels().get(TEMPLATE)?.clone(),
                trouble: of_pod(pod, now)?,
            })
        })
        .collect()
}

/// The template that a Deployment rolls out at `revision`.
pub(super) fn template(revision: &str, sets: &[PartialObjectMeta<ReplicaSet>]) -> Option<String> {
    sets.iter()
        .find(|set| {
            set.annotations()
                .get(REVISION)
                .is_some_and(|found| found == revision)
        })
        .and_then(|set| set.labels().get(TEMPLATE).cloned())
}

fn of_pod(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    let status = pod.status.as_ref()?;
    let containers = [&status.init_container_statuses, &status.container_statuses];
    containers
        .into_iter()
        .flatten()
        .flatten()
        .find_map(of_container)
        .or_else(|| unscheduled(pod, now))
}

fn of_container(status: &ContainerStatus) -> Option<Trouble> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let word = waiting.reason.as_deref()?;
    let reason = reason_of(word)?;
    let container = &status.name;
    let says = shortened(waiting.message.as_deref().unwrap_or_default());
    let message = match reason {
        Reason::ImagePullFailed => {
            format!("container {container}: image {:?}: {word}: {says}", status.image)
        }
        Reason::CrashLoopBackOff => format!("container {container}: {word}: {}", ended(status)),
        _ => format!("container {container}: {word}: {says}"),
    };
    Some(Trouble { reason, message })
}

/// The kubelet's words for what it waits for, where it is no matter of time.
fn reason_of(word: &str) -> Option<Reason> {
    match word {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => Some(Reason::ImagePullFailed),
        "CreateContainerConfigError"
        | "CreateContainerError"
        | "RunContainerError"
        | "StartError"
        | "PreCreateHookError"
        | "PreStartHookError"
        | "PostStartHookError" => Some(Reason::ContainerCreateFailed),
        "CrashLoopBackOff" => Some(Reason::CrashLoopBackOff),
        _ => None,
    }
}

/// How a container ended the last time.
fn ended(status: &ContainerStatus) -> String {
    let last = status
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let Some(last) = last else {
        return "it ends again and again".to_owned();
    };
    let word = last.reason.as_deref().unwrap_or("Error");
    let says = shortened(last.message.as_deref().unwrap_or_default());
    format!("{word} with exit code {} {says}", last.exit_code)
        .trim_end()
        .to_owned()
}

fn unscheduled(pod: &Pod, now: Timestamp) -> Option<Trouble> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled")?;
    let since = scheduled.last_transition_time.as_ref()?.0;
    let unscheduled = scheduled.status == "False"
        && scheduled.reason.as_deref() == Some("Unschedulable")
        && now.duration_since(since) >= SCHEDULING;
    unscheduled.then(|| Trouble {
        reason: Reason::Unschedulable,
        message: shortened(scheduled.message.as_deref().unwrap_or_default()),
    })
}

/// On one line, and not too long.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pod(status: Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "p", "labels": {"pod-template-hash": "new"}},
            "status": status,
        }))
        .unwrap()
    }

    fn container(state: Value) -> Value {
        json!({"name": "sandbox", "image": "debian:nope", "imageID": "", "ready": false, "restartCount": 3, "state": state})
    }

    fn trouble(status: Value) -> Option<(Reason, String)> {
        let found = troubled(&[pod(status)], at(100)).into_iter().next()?.trouble;
        Some((found.reason, found.message))
    }

    #[rstest]
    #[case::backoff("ImagePullBackOff", Some(Reason::ImagePullFailed))]
    #[case::pull("ErrImagePull", Some(Reason::ImagePullFailed))]
    #[case::name("InvalidImageName", Some(Reason::ImagePullFailed))]
    #[case::never("ErrImageNeverPull", Some(Reason::ImagePullFailed))]
    #[case::config("CreateContainerConfigError", Some(Reason::ContainerCreateFailed))]
    #[case::create("CreateContainerError", Some(Reason::ContainerCreateFailed))]
    #[case::run("RunContainerError", Some(Reason::ContainerCreateFailed))]
    #[case::crash("CrashLoopBackOff", Some(Reason::CrashLoopBackOff))]
    #[case::coming("ContainerCreating", None)]
    #[case::initialising("PodInitializing", None)]
    fn what_a_kubelet_waits_for_is_named_for_every_container(
        #[case] word: &str,
        #[case] reason: Option<Reason>,
    ) {
        let waiting = || container(json!({"waiting": {"reason": word, "message": "because\n of it"}}));
        for list in ["containerStatuses", "initContainerStatuses"] {
            let found = trouble(json!({ list: [waiting()] }));
            assert_eq!(found.as_ref().map(|(reason, _)| *reason), reason);
            assert!(
                found.is_none_or(
                    |(_, message)| message.contains("container sandbox") && message.contains(word)
                )
            );
        }
    }

    #[test]
    fn an_image_that_can_not_be_had_is_named() {
        let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "not\nfound"}});
        let (_, message) = trouble(json!({"containerStatuses": [container(waiting)]})).unwrap();
        assert_eq!(
            message,
            "container sandbox: image \"debian:nope\": ErrImagePull: not found"
        );
    }

    #[test]
    fn how_a_container_ended_is_told() {
        let mut status = container(json!({"waiting": {"reason": "CrashLoopBackOff"}}));
        status["lastState"] = json!({"terminated": {"exitCode": 64, "reason": "Error"}});
        let (_, message) = trouble(json!({"containerStatuses": [status]})).unwrap();
        assert_eq!(
            message,
            "container sandbox: CrashLoopBackOff: Error with exit code 64"
        );
    }

    #[rstest]
    #[case::since_long(60, Some(Reason::Unschedulable))]
    #[case::just_now(95, None)]
    fn a_pod_without_a_node_is_told_of_after_a_moment(#[case] since: i64, #[case] reason: Option<Reason>) {
        let scheduled = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available", "lastTransitionTime": at(since)});
        let found = trouble(json!({"conditions": [scheduled]}));
        assert_eq!(found.map(|(reason, _)| reason), reason);
    }

    #[test]
    fn a_pod_that_is_being_deleted_is_none() {
        let mut gone =
            pod(json!({"containerStatuses": [container(json!({"waiting": {"reason": "ErrImagePull"}}))]}));
        assert_eq!(troubled(std::slice::from_ref(&gone), at(100)).len(), 1);
        gone.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(1)));
        assert_eq!(troubled(&[gone], at(100)), []);
    }
}
