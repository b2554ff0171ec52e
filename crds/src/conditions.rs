//! The words of a status: condition types, a closed set of reasons, and how they are written down.
//!
//! Types and reasons are API: people select on them, so they are not renamed.

mod progress;
mod reason;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::Resource as _;

use crate::kinds::{
    Bot, BotBinding, BotRole, Channel, Credential, ModelProvider, Resource, ResourceType, Workspace,
};
use crate::validate::Fault;

pub use progress::{GRACE, Progress};
pub use reason::{Outlook, Reason};

/// The most bytes of a condition's message.
const MAX_MESSAGE: usize = 2048;

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The object itself is right.
    Accepted,
    /// Everything that it names exists and can be used.
    ResolvedRefs,
    /// What follows from it is in place.
    Programmed,
    /// It does what it says: for a bot, its gateways enforce its current policy.
    Ready,
    /// It is on its way; there only while that is so, as kstatus has it.
    Reconciling,
    /// It stays as it is until somebody acts; there only while that is so, as kstatus has it.
    Stalled,
}

impl ConditionType {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::ResolvedRefs,
        Self::Programmed,
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
    ];

    /// The name in a condition's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holds {
    /// Yes.
    True,
    /// No.
    False,
    /// It is not known yet.
    Unknown,
}

impl Holds {
    /// The name in a condition's `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One condition as it should be, before times and generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What it is about.
    pub about: ConditionType,
    /// Whether it holds.
    pub holds: Holds,
    /// Why.
    pub reason: Reason,
    /// What is at the bottom of it, which is what `Ready` says: the reason itself, or that of an object that is named.
    pub cause: Reason,
    /// A sentence for people that says what to do; empty when there is nothing to say.
    pub message: String,
}

impl State {
    /// A condition with a sentence.
    pub fn new(
        about: ConditionType,
        holds: impl Into<Holds>,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self {
            about,
            holds: holds.into(),
            reason,
            cause: reason,
            message: message.into(),
        }
    }

    /// The same, with another cause.
    #[must_use]
    pub fn caused_by(mut self, cause: Reason) -> Self {
        self.cause = cause;
        self
    }
}

/// `Accepted` and `ResolvedRefs` as the faults of an object amount to.
pub fn judged(faults: &[Fault]) -> [State; 2] {
    let (refs, own): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| fault.reason.is_about_refs());
    [
        summarised(ConditionType::Accepted, Reason::Accepted, &own),
        summarised(ConditionType::ResolvedRefs, Reason::Resolved, &refs),
    ]
}

/// The first fault's reason and all faults' sentences.
fn summarised(about: ConditionType, fine: Reason, faults: &[&Fault]) -> State {
    match faults.first() {
        None => State::new(about, true, fine, ""),
        Some(first) => {
            let sentences: Vec<_> = faults.iter().map(ToString::to_string).collect();
            State::new(about, false, first.reason, sentences.join("; ")).caused_by(first.cause)
        }
    }
}

/// The conditions to write: `wanted` in the order of their types, each keeping its transition time for as long as its status
/// stays the same, then what others wrote.
pub fn merged(
    existing: &[Condition],
    wanted: &[State],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let mut wanted: Vec<_> = wanted.iter().collect();
    wanted.sort_by_key(|state| state.about);
    let ours = wanted
        .iter()
        .map(|state| condition(existing, state, generation, now));
    let theirs = existing
        .iter()
        .filter(|old| !wanted.iter().any(|new| new.about.as_str() == old.type_));
    ours.chain(theirs.cloned()).collect()
}

fn condition(existing: &[Condition], state: &State, generation: Option<i64>, now: Timestamp) -> Condition {
    let since = existing
        .iter()
        .find(|old| old.type_ == state.about.as_str() && old.status == state.holds.as_str())
        .map_or(Time(now), |old| old.last_transition_time.clone());
    Condition {
        type_: state.about.as_str().to_owned(),
        status: state.holds.as_str().to_owned(),
        reason: state.reason.as_str().to_owned(),
        message: shortened(&state.message),
        observed_generation: generation,
        last_transition_time: since,
    }
}

/// At most [`MAX_MESSAGE`] bytes, cut between characters.
fn shortened(message: &str) -> String {
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_MESSAGE.saturating_sub('…'.len_utf8()));
    let mut short = message.get(..end).unwrap_or_default().to_owned();
    short.push('…');
    short
}

/// An object whose status has conditions.
pub trait Conditioned {
    /// What its status says; empty without a status.
    fn conditions(&self) -> &[Condition];

    /// Its generation.
    fn generation(&self) -> Option<i64>;

    /// The condition of this type.
    fn condition(&self, about: ConditionType) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.type_ == about.as_str())
    }

    /// Whether it is ready, as of its current generation.
    fn is_ready(&self) -> bool {
        self.condition(ConditionType::Ready).is_some_and(|ready| {
            ready.status == Holds::True.as_str() && ready.observed_generation == self.generation()
        })
    }
}

macro_rules! conditioned {
    ($($kind:ty),+ $(,)?) => {$(
        impl Conditioned for $kind {
            fn conditions(&self) -> &[Condition] {
                self.status.as_ref().map_or(&[], |status| &status.conditions)
            }

            fn generation(&self) -> Option<i64> {
                self.meta().generation
            }
        }
    )+};
}

conditioned!(
    Bot,
    BotBinding,
    BotRole,
    Channel,
    Credential,
    ModelProvider,
    Resource,
    ResourceType,
    Workspace
);

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ready(holds: bool, reason: Reason) -> State {
        State::new(ConditionType::Ready, holds, reason, "why")
    }

    #[test]
    fn the_transition_time_stays_while_the_status_does() {
        let first = merged(&[], &[ready(false, Reason::AwaitingGateway)], Some(1), at(10));
        let second = merged(&first, &[ready(false, Reason::GatewayRefused)], Some(2), at(20));
        assert_eq!(second[0].last_transition_time.0, at(10));
        assert_eq!(second[0].reason, "GatewayRefused");
        assert_eq!(second[0].observed_generation, Some(2));
        let third = merged(&second, &[ready(true, Reason::Ready)], Some(2), at(30));
        assert_eq!(third[0].last_transition_time.0, at(30));
    }

    #[test]
    fn the_same_state_gives_the_same_conditions() {
        let states = [ready(true, Reason::Ready), judged(&[])[0].clone()];
        let first = merged(&[], &states, Some(1), at(10));
        assert_eq!(merged(&first, &states, Some(1), at(99)), first);
        assert_eq!(
            first.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(),
            ["Accepted", "Ready"]
        );
    }

    #[test]
    fn what_others_wrote_is_kept() {
        let other = Condition {
            type_: "Audited".into(),
            ..merged(&[], &judged(&[]), None, at(1))[0].clone()
        };
        let all = merged(std::slice::from_ref(&other), &judged(&[]), None, at(2));
        assert_eq!(all.last(), Some(&other));
        assert_eq!(all.len(), 3);
    }

    #[rstest]
    #[case::nothing(&[], "True", "True")]
    #[case::own(&[Reason::Invalid], "False", "True")]
    #[case::refs(&[Reason::NotFound], "True", "False")]
    #[case::both(&[Reason::SecretNotFound, Reason::NotPermitted], "False", "False")]
    fn faults_decide_acceptance_and_references(
        #[case] reasons: &[Reason],
        #[case] accepted: &str,
        #[case] resolved: &str,
    ) {
        let faults: Vec<_> = reasons
            .iter()
            .map(|reason| Fault::new("spec.x", "is wrong", *reason))
            .collect();
        let states = judged(&faults);
        assert_eq!(states[0].holds.as_str(), accepted);
        assert_eq!(states[1].holds.as_str(), resolved);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let state = State::new(ConditionType::Ready, false, Reason::Internal, "ä".repeat(5_000));
        let message = merged(&[], &[state], None, at(1))[0].message.clone();
        assert!(message.len() <= MAX_MESSAGE && message.ends_with('…'));
    }

    #[test]
    fn readiness_of_an_older_generation_is_none() {
        let mut bot = Bot::new("a", crate::kinds::BotSpec::default());
        bot.metadata.generation = Some(2);
        let conditions = merged(&[], &[ready(true, Reason::Ready)], Some(1), at(1));
        bot.status = Some(crate::kinds::BotStatus {
            conditions,
            ..Default::default()
        });
        assert!(!bot.is_ready());
        bot.metadata.generation = Some(1);
        assert!(bot.is_ready());
    }
}
