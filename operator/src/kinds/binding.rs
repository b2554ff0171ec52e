//! `BotBinding`: right, resolved, and part of a policy that its bot's gateways enforce.

use std::time::Duration;

use kube::ResourceExt as _;
use monstrum_crds::conditions::{ConditionType, Conditioned as _, Holds, Outlook, Reason, State, judged};
use monstrum_crds::kinds::{Bot, BotBinding};
use monstrum_crds::object::Kind;
use monstrum_crds::validate::{self, Fault};
use serde_json::Map;

use super::{ReconcileError, Reconciler, ready};
use crate::identity;
use crate::labour::laboriously;
use crate::policy::Standing;

pub(super) async fn reconcile(
    reconciler: &Reconciler,
    binding: &BotBinding,
) -> Result<Option<Duration>, ReconcileError> {
    let (namespace, name) = (binding.namespace().unwrap_or_default(), binding.name_any());
    let world = reconciler.index.world(&namespace);
    let mut faults = laboriously(|| validate::bot_binding::validate(binding, &world)).await;
    let facts = reconciler.facts.of(&namespace, &binding.spec.bot);
    let compiled = facts.as_ref().is_some_and(|facts| {
        facts
            .bindings
            .get(&name)
            .is_some_and(|generation| *generation == binding.metadata.generation)
    });
    if compiled && let Some(facts) = &facts {
        faults.extend(facts.faults_of(Kind::BotBinding, &name));
        faults.sort();
        faults.dedup();
    }
    let bot = world
        .bots
        .get(&binding.spec.bot)
        .and_then(|bot| identity::bot(bot));
    let standing = bot
        .filter(|_| compiled)
        .and_then(|bot| reconciler.hub.standing(&bot));
    let suspended = world
        .bots
        .get(&binding.spec.bot)
        .is_some_and(|bot| bot.spec.suspend);
    let held_up = world.bots.get(&binding.spec.bot).and_then(|bot| held_up(bot));
    let states = states(
        &faults,
        &binding.spec.bot,
        standing.as_ref(),
        suspended,
        held_up.as_ref(),
    );
    let again = reconciler
        .status
        .write(&reconciler.index, binding, &states, Map::new())
        .await?;
    Ok(again)
}

/// Why the bot is not ready, where that does not pass by itself.
fn held_up(bot: &Bot) -> Option<(Reason, String)> {
    let ready = bot.condition(ConditionType::Ready)?;
    if bot.is_ready() || ready.observed_generation != bot.metadata.generation {
        return None;
    }
    let reason = Reason::parse(&ready.reason)?;
    let lasts = matches!(reason.outlook(), Outlook::Blocked | Outlook::Stuck);
    lasts.then(|| (reason.seen_through(Kind::Bot), ready.message.clone()))
}

/// The four conditions.
fn states(
    faults: &[Fault],
    bot: &str,
    standing: Option<&Standing>,
    suspended: bool,
    held_up: Option<&(Reason, String)>,
) -> Vec<State> {
    let mut states = judged(faults).to_vec();
    let usable = states.iter().all(|state| state.holds == Holds::True);
    let programmed =
        |holds: bool, reason, message: String| State::new(ConditionType::Programmed, holds, reason, message);
    states.push(match standing {
        _ if !usable => programmed(
            false,
            Reason::NotReady,
            "it grants nothing before it is put right".to_owned(),
        ),
        _ if suspended => programmed(false, Reason::Suspended, format!("Bot {bot:?} is suspended")),
        Some(standing) if standing.is_enforced_by_all() => {
            programmed(true, Reason::Programmed, String::new())
        }
        Some(_) | None => {
            let awaited = format!("the gateways of Bot {bot:?} do not enforce it yet");
            match held_up {
                Some((cause, why)) => {
                    programmed(false, Reason::AwaitingGateway, format!("{awaited}: {why}")).caused_by(*cause)
                }
                None => programmed(false, Reason::AwaitingGateway, awaited),
            }
        }
    });
    states.push(ready(&states, ""));
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ReplicaStanding;
    use rstest::rstest;

    fn standing(digest: &str) -> Standing {
        let replica = ReplicaStanding {
            name: "a".into(),
            digest: digest.into(),
            fault: String::new(),
            other_program: None,
        };
        Standing {
            digest: "new".into(),
            replicas: vec![replica],
        }
    }

    #[rstest]
    #[case::enforced(&[], Some("new"), false, "True", "Programmed")]
    #[case::older(&[], Some("old"), false, "False", "AwaitingGateway")]
    #[case::nobody(&[], None, false, "False", "AwaitingGateway")]
    #[case::suspended(&[], Some("new"), true, "False", "Suspended")]
    #[case::wrong(&[Reason::Invalid], Some("new"), false, "False", "NotReady")]
    fn a_binding_is_programmed_when_it_is_enforced(
        #[case] reasons: &[Reason],
        #[case] digest: Option<&str>,
        #[case] suspended: bool,
        #[case] holds: &str,
        #[case] reason: &str,
    ) {
        let faults: Vec<_> = reasons
            .iter()
            .map(|reason| Fault::new("spec.x", "is wrong", *reason))
            .collect();
        let states = states(&faults, "triage", digest.map(standing).as_ref(), suspended, None);
        assert_eq!(
            (states[2].holds.as_str(), states[2].reason.as_str()),
            (holds, reason)
        );
        assert_eq!(states[3].holds.as_str(), holds);
    }
}
