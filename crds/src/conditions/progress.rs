//! `Reconciling` and `Stalled`, which [kstatus](https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus) and what
//! waits with it (Flux, kpt, `cli-utils`) go by: there only while true, never both.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{ConditionType, Holds, Outlook, Reason, State};

/// Objects are applied in any order, and images take a moment: what an object lacks may be missing for this long before it is
/// called stalled. Whoever waits gives up at that word.
pub const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Where an object is on its way to `Ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// `Reconciling` or `Stalled`; nothing where neither is true.
    pub state: Option<State>,
    /// When another answer is due although nothing changes.
    pub look_again: Option<Duration>,
}

impl Progress {
    /// As the conditions of an object amount to, with the times since when they are as they are.
    pub fn of(conditions: &[Condition], now: Timestamp) -> Self {
        let none = Self {
            state: None,
            look_again: None,
        };
        let find = |about: ConditionType| conditions.iter().find(|found| found.type_ == about.as_str());
        let Some(ready) = find(ConditionType::Ready).filter(|ready| ready.status != Holds::True.as_str())
        else {
            return none;
        };
        let reason = Reason::parse(&ready.reason).unwrap_or(Reason::NotReady);
        let told = |about| State::new(about, true, reason, ready.message.clone());
        let (about, look_again) = match reason.outlook() {
            Outlook::Fine | Outlook::Paused => return none,
            Outlook::Coming => (ConditionType::Reconciling, None),
            Outlook::Stuck => (ConditionType::Stalled, None),
            Outlook::Blocked => {
                let since = first_failing(conditions).unwrap_or(ready);
                let left = GRACE.saturating_sub(now.duration_since(since.last_transition_time.0));
                if left.is_positive() {
                    (ConditionType::Reconciling, Some(left.unsigned_abs()))
                } else {
                    (ConditionType::Stalled, None)
                }
            }
        };
        Self {
            state: Some(told(about)),
            look_again,
        }
    }
}

/// The first of the conditions before `Ready` that does not hold.
fn first_failing(conditions: &[Condition]) -> Option<&Condition> {
    let steps = [
        ConditionType::Accepted,
        ConditionType::ResolvedRefs,
        ConditionType::Programmed,
    ];
    steps.iter().find_map(|step| {
        conditions
            .iter()
            .find(|found| found.type_ == step.as_str() && found.status != Holds::True.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::super::{judged, merged};
    use super::*;
    use crate::validate::Fault;
    use rstest::rstest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Of an object that is not ready for this reason since second 100.
    fn conditions(reason: Reason) -> Vec<Condition> {
        let fault = Fault::new("spec.x", "is wrong", reason);
        let faults = if matches!(reason, Reason::Invalid) || reason.is_about_refs() {
            vec![fault]
        } else {
            Vec::new()
        };
        let mut states = judged(&faults).to_vec();
        states.push(State::new(ConditionType::Ready, false, reason, "why"));
        merged(&[], &states, Some(1), at(100))
    }

    fn told(reason: Reason, now: i64) -> (Option<&'static str>, Option<u64>) {
        let progress = Progress::of(&conditions(reason), at(now));
        let state = progress.state.as_ref();
        assert!(state.is_none_or(|state| state.message == "why" && state.reason == reason));
        (
            state.map(|state| state.about.as_str()),
            progress.look_again.map(|left| left.as_secs()),
        )
    }

    #[rstest]
    #[case::on_its_way(Reason::AwaitingGateway, Some("Reconciling"), Some("Reconciling"))]
    #[case::wrong(Reason::Invalid, Some("Stalled"), Some("Stalled"))]
    #[case::missing(Reason::SecretNotFound, Some("Reconciling"), Some("Stalled"))]
    #[case::image(Reason::ImagePullFailed, Some("Reconciling"), Some("Stalled"))]
    #[case::suspended(Reason::Suspended, None, None)]
    fn what_is_blocked_is_stalled_after_a_while(
        #[case] reason: Reason,
        #[case] soon: Option<&str>,
        #[case] later: Option<&str>,
    ) {
        assert_eq!((told(reason, 110).0, told(reason, 130).0), (soon, later));
        let blocked = reason.outlook() == Outlook::Blocked;
        assert_eq!(told(reason, 110).1, blocked.then_some(20));
        assert_eq!(told(reason, 130).1, None);
    }

    #[test]
    fn what_is_ready_is_neither() {
        let ready = State::new(ConditionType::Ready, true, Reason::Ready, "");
        let progress = Progress::of(&merged(&[], &[ready], Some(1), at(1)), at(99));
        assert_eq!(progress.state, None);
        assert_eq!(Progress::of(&[], at(99)).state, None);
    }

    #[test]
    fn the_time_counts_from_when_the_failing_step_failed() {
        let mut known = conditions(Reason::NotFound);
        // It was not ready for long, for another reason.
        known[2].last_transition_time.0 = at(0);
        let progress = Progress::of(&known, at(110));
        assert_eq!(progress.state.unwrap().about, ConditionType::Reconciling);
    }
}
