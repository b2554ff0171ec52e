//! Kinds that nothing follows from but what others make of them: they are right, and what they name is there, or not.

use std::time::Duration;

use kube::ResourceExt as _;
use monstrum_crds::conditions::{ConditionType, Holds, Reason, State, judged};
use monstrum_crds::validate::{Fault, validate};
use serde_json::Map;

use super::{ReconcileError, Reconciler, ready};
use crate::labour::laboriously;
use crate::status::Governed;

pub(super) async fn reconcile<K: Governed>(
    reconciler: &Reconciler,
    object: &K,
) -> Result<Option<Duration>, ReconcileError> {
    let world = reconciler.index.world(&object.namespace().unwrap_or_default());
    let faults = laboriously(|| validate(&object.object(), &world)).await;
    let states = states(&faults);
    let again = reconciler
        .status
        .write(&reconciler.index, object, &states, Map::new())
        .await?;
    Ok(again)
}

/// The four conditions.
fn states(faults: &[Fault]) -> Vec<State> {
    let mut states = judged(faults).to_vec();
    let usable = states.iter().all(|state| state.holds == Holds::True);
    states.push(if usable {
        State::new(ConditionType::Programmed, true, Reason::Programmed, "")
    } else {
        State::new(
            ConditionType::Programmed,
            false,
            Reason::NotReady,
            "it is not used before it is put right",
        )
    });
    states.push(ready(&states, ""));
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::fine(&[], "True True True True", "Ready")]
    #[case::wrong(&[Reason::Invalid], "False True False False", "Invalid")]
    #[case::forbidden(&[Reason::NotPermitted], "False True False False", "NotPermitted")]
    #[case::missing(&[Reason::SecretNotFound], "True False False False", "SecretNotFound")]
    fn conditions_follow_from_faults(#[case] reasons: &[Reason], #[case] holds: &str, #[case] reason: &str) {
        let faults: Vec<_> = reasons
            .iter()
            .map(|reason| Fault::new("spec.x", "is wrong: put it right", *reason))
            .collect();
        let states = states(&faults);
        let found: Vec<_> = states.iter().map(|state| state.holds.as_str()).collect();
        assert_eq!(found.join(" "), holds);
        assert_eq!(states.last().unwrap().reason.as_str(), reason);
        if !reasons.is_empty() {
            assert!(
                states
                    .last()
                    .unwrap()
                    .message
                    .contains("spec.x: is wrong: put it right")
            );
        }
    }
}
