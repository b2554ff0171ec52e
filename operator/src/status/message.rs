//! Which changes of conditions are worth an event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};

/// The most characters of an event's note.
const MAX_NOTE: usize = 1000;

/// An event for each condition that got another reason: a warning where it says that a person must act.
pub(crate) fn changes(before: &[Condition], after: &[Condition]) -> Vec<Event> {
    after
        .iter()
        .filter(|now| is_news(before, now))
        .map(event)
        .collect()
}

/// A new object's condition is news only when it is `Ready`, or not as it should be.
fn is_news(before: &[Condition], now: &Condition) -> bool {
    match before.iter().find(|old| old.type_ == now.type_) {
        Some(old) => old.reason != now.reason,
        None => now.status != "True" && !is_passing(&now.reason) && now.type_ != "Ready",
    }
}

fn is_passing(reason: &str) -> bool {
    matches!(reason, "Progressing" | "AwaitingGateway" | "NotReady")
}

fn event(now: &Condition) -> Event {
    let warning = now.status == "False" && !is_passing(&now.reason) && now.reason != "Suspended";
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
}
