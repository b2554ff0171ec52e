//! `Bot`: its policy is compiled elsewhere ([`crate::compiler`]); here its pods are made, and its status is told.
//!
//! The steps: what it needs ([`plan`]), the objects for that ([`build`]), the writes, the status.

pub mod build;
pub mod plan;
mod status;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use monstrum_crds::conditions::{ConditionType, Conditioned as _, State};
use monstrum_crds::kinds::Bot;
use monstrum_crds::validate;
use monstrum_wire::identity::BotId;

use self::build::{Objects, Plan, build};
use super::rollout::{Rollout, Trouble};
use super::{ReconcileError, Reconciler};
use crate::child::{ApplyError, ChildKind, Owner, label};
use crate::compiler::BotFacts;
use crate::identity;
use crate::labour::laboriously;

/// Who writes a bot's objects.
pub const MANAGER: &str = "monstrum-bot";
/// Who writes a bot's certificates.
pub const TLS_MANAGER: &str = "monstrum-bot-tls";

pub(super) async fn reconcile(
    reconciler: &Reconciler,
    bot: &Bot,
) -> Result<Option<Duration>, ReconcileError> {
    let (namespace, name) = (bot.namespace().unwrap_or_default(), bot.name_any());
    let Some(facts) = reconciler
        .facts
        .of(&namespace, &name)
        .filter(|facts| is_of(facts, bot))
    else {
        // The compiler has not seen this generation; it queues the bot when it has.
        return Ok(None);
    };
    let Some(id) = identity::bot(bot) else {
        return Ok(None);
    };
    let world = reconciler.index.world(&namespace);
    let owner = owner(&id);
    // Pods that may not run where they should run nowhere.
    let has_pods = !bot.spec.suspend && validate::bot::placement_faults(bot, &world).is_empty();
    // The sandboxes need the address that the Service is given.
    let named = if has_pods {
        name_gateways(reconciler, &owner).await
    } else {
        Ok(())
    };
    let plan = has_pods.then(|| plan::plan(bot, owner.clone(), &facts, &world, &reconciler.index.live));
    let objects = plan
        .as_ref()
        .map_or_else(Objects::default, |plan| build(plan, &reconciler.installation));
    let applied = match named {
        Ok(()) => apply(reconciler, &owner, &objects).await,
        Err(error) => Err(error),
    };
    let applied = match (applied, plan) {
        (Err(ApplyError::Foreign(_)), Some(plan)) => Err(strangers(reconciler, plan).await),
        (applied, _) => applied,
    };
    let (rollouts, look_at_pods) = rollouts(reconciler, &owner, &objects).await;
    let input = status::Input {
        faults: laboriously(|| validate::bot::validate(bot, &world)).await,
        suspended: bot.spec.suspend,
        facts: &facts,
        failure: applied.as_ref().err().map(Trouble::of),
        rollouts,
        standing: reconciler.hub.standing(&id),
    };
    let (states, fields) = (status::states(&input), status::fields(&input));
    let look_at_status = reconciler
        .status
        .write(&reconciler.index, bot, &states, fields)
        .await?;
    if is_another_cause(bot, &states) {
        reconciler.index.queue_bindings_of(&namespace, &name);
    }
    Ok([Some(applied?), look_at_pods, look_at_status]
        .into_iter()
        .flatten()
        .min())
}

/// Whether the bot's bindings have something else to say of it.
fn is_another_cause(bot: &Bot, states: &[State]) -> bool {
    let before = bot
        .condition(ConditionType::Ready)
        .map(|ready| ready.reason.as_str());
    let now = states.iter().find(|state| state.about == ConditionType::Ready);
    before != now.map(|ready| ready.reason.as_str())
}

fn is_of(facts: &BotFacts, bot: &Bot) -> bool {
    facts.uid == bot.metadata.uid && facts.generation == bot.metadata.generation
}

fn owner(bot: &BotId) -> Owner {
    Owner {
        kind: "Bot",
        namespace: bot.namespace.clone(),
        name: bot.name.clone(),
        uid: bot.uid,
        label: label::BOT,
    }
}

/// All objects of others that are in the way of a bot, of its sandboxes to come as well.
async fn strangers(reconciler: &Reconciler, mut plan: Plan) -> ApplyError {
    plan.address.get_or_insert_default();
    let objects = build(&plan, &reconciler.installation);
    let strangers = reconciler
        .applier
        .strangers(&plan.owner, &objects.children, &objects.certificates);
    strangers.await.map_or_else(|error| error, ApplyError::Foreign)
}

async fn name_gateways(reconciler: &Reconciler, owner: &Owner) -> Result<(), ApplyError> {
    reconciler
        .applier
        .apply(owner, MANAGER, &build::service(owner, &reconciler.installation))
        .await
        .map(drop)
}

/// Puts everything in place; says when the first certificate is to be renewed.
async fn apply(reconciler: &Reconciler, owner: &Owner, objects: &Objects) -> Result<Duration, ApplyError> {
    let mut renewal = reconciler.installation.certificate_lifetime;
    for spec in &objects.certificates {
        let metadata = owner.metadata(&spec.secret, spec.labels.clone());
        renewal = renewal.min(
            reconciler
                .applier
                .certify(Some(owner), metadata, TLS_MANAGER, spec)
                .await?
                .good_for,
        );
    }
    for child in &objects.children {
        reconciler.applier.apply(owner, MANAGER, child).await?;
    }
    reconciler
        .applier
        .prune(owner, &objects.children, &objects.certificates)
        .await?;
    Ok(renewal)
}

/// How far its Deployments have come, and when to look again at their pods.
async fn rollouts(
    reconciler: &Reconciler,
    owner: &Owner,
    objects: &Objects,
) -> (Vec<Rollout>, Option<Duration>) {
    let known = reconciler.index.live.children(ChildKind::Deployment);
    let deployments = objects
        .children
        .iter()
        .filter(|child| child.kind == ChildKind::Deployment);
    let (mut rollouts, live): (Vec<_>, Vec<_>) = deployments
        .map(|child| {
            let live = known.get(&owner.namespace, &child.name);
            (Rollout::of(&child.name, live.as_deref()), live)
        })
        .unzip();
    let now = Timestamp::now();
    let again = reconciler.pods.explain(owner, &mut rollouts, &live, now).await;
    (rollouts, again)
}
