//! Which changes of conditions are worth an event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};
use monstrum_crds::conditions::{Outlook, Reason};

/// The most characters of an event's note.
const MAX_NOTE: usize = 1000;

/// An event for each condition that got another reason: a warning where it says that a person must act. What `Ready` only
/// repeats of another condition is told once, and whether it will pass by itself is no event.
pub(crate) fn changes(before: &[Condition], after: &[Condition]) -> Vec<Event> {
    let repeats = |now: &Condition| {
        let steps = after.iter().filter(|step| step.type_ != "Ready" && is_step(step));
        now.type_ == "Ready"
            && steps
                .filter(|step| step.status != "True")
                .any(|step| step.reason == now.reason && is_news(before, step))
    };
    after
        .iter()
        .filter(|now| is_step(now) && is_news(before, now) && !repeats(now))
        .map(event)
        .collect()
}

fn is_step(condition: &Condition) -> bool {
    !matches!(condition.type_.as_str(), "Reconciling" | "Stalled")
}

/// A new object's condition is news only when it is `Ready`, or not as it should be.
fn is_news(before: &[Condition], now: &Condition) -> bool {
    let seen = |old: &&Condition| old.type_ == now.type_ && old.reason != Reason::Pending.as_str();
    match before.iter().find(seen) {
        Some(old) => old.reason != now.reason,
        None => now.status != "True" && !is_passing(&now.reason) && now.type_ != "Ready",
    }
}

fn is_passing(reason: &str) -> bool {
    matches!(
        Reason::parse(reason),
        Some(Reason::Progressing | Reason::AwaitingGateway | Reason::NotReady)
    )
}

fn event(now: &Condition) -> Event {
    let paused = Reason::parse(&now.reason).map(Reason::outlook) == Some(Outlook::Paused);
    let warning = now.status == "False" && !is_passing(&now.reason) && !paused;
    let mut note: String = now.message.chars().take(MAX_NOTE).collect();
    if note.is_empty() {
        note = format!("{} is {}", now.type_, now.status);
    }
    Event {
        type_: if warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: now.reason.clone(),
        note: Some(note),
        action: now.type_.clone(),
        secondary: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;
    use rstest::rstest;

    fn condition(type_: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    #[rstest]
    #[case::same(Some(("Ready", "True", "Ready")), ("Ready", "True", "Ready"), None)]
    #[case::ready(Some(("Ready", "False", "AwaitingGateway")), ("Ready", "True", "Ready"), Some(EventType::Normal))]
    #[case::refused(Some(("Ready", "True", "Ready")), ("Ready", "False", "GatewayRefused"), Some(EventType::Warning))]
    #[case::passing(Some(("Ready", "True", "Ready")), ("Ready", "False", "AwaitingGateway"), Some(EventType::Normal))]
    #[case::new_and_wrong(None, ("Accepted", "False", "Invalid"), Some(EventType::Warning))]
    #[case::new_and_right(None, ("Accepted", "True", "Accepted"), None)]
    #[case::new_and_coming(None, ("Programmed", "False", "Progressing"), None)]
    fn only_a_change_of_reason_is_an_event(
        #[case] before: Option<(&str, &str, &str)>,
        #[case] now: (&str, &str, &str),
        #[case] expected: Option<EventType>,
    ) {
        let before: Vec<_> = before.map(|(a, b, c)| condition(a, b, c)).into_iter().collect();
        let events = changes(&before, &[condition(now.0, now.1, now.2)]);
        assert_eq!(events.first().map(|event| event.type_), expected);
    }

    #[test]
    fn a_cause_is_told_once_and_the_first_sight_of_an_object_is_no_news() {
        let refs = condition("ResolvedRefs", "False", "SecretNotFound");
        let ready = condition("Ready", "False", "SecretNotFound");
        let stalled = condition("Stalled", "True", "SecretNotFound");
        let before = [
            condition("ResolvedRefs", "True", "Resolved"),
            condition("Ready", "True", "Ready"),
        ];
        let told = |before: &[Condition], after: &[Condition]| -> Vec<String> {
            changes(before, after)
                .into_iter()
                .map(|event| event.action)
                .collect()
        };
        assert_eq!(
            told(&before, &[refs.clone(), ready.clone(), stalled]),
            ["ResolvedRefs"]
        );
        // What was known before and is now the cause.
        assert_eq!(
            told(&[refs.clone(), before[1].clone()], &[refs, ready]),
            ["Ready"]
        );
        let unseen = condition("Ready", "Unknown", "Pending");
        assert_eq!(
            told(&[unseen], &[condition("Ready", "False", "AwaitingGateway")]),
            Vec::<String>::new()
        );
    }
}
