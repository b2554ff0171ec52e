//! `Bot`: its policy is compiled elsewhere ([`crate::compiler`]); here its pods are made, and its status is told.
//!
//! The steps: what it needs ([`plan`]), the objects for that ([`build`]), the writes, the status.

pub mod build;
pub mod plan;
mod status;

use std::time::Duration;

use kube::ResourceExt as _;
use monstrum_crds::kinds::Bot;
use monstrum_crds::validate;
use monstrum_wire::identity::BotId;

use self::build::{Objects, Plan, build};
use super::rollout::Rollout;
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
    let input = status::Input {
        faults: laboriously(|| validate::bot::validate(bot, &world)).await,
        suspended: bot.spec.suspend,
        facts: &facts,
        failure: applied.as_ref().err().map(ToString::to_string),
        rollouts: rollouts(reconciler, &owner, &objects),
        standing: reconciler.hub.standing(&id),
    };
    let (states, fields) = (status::states(&input), status::fields(&input));
    reconciler
        .status
        .write(&reconciler.index, bot, &states, fields)
        .await?;
    Ok(Some(applied?))
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

fn rollouts(reconciler: &Reconciler, owner: &Owner, objects: &Objects) -> Vec<Rollout> {
    let live = reconciler.index.live.children(ChildKind::Deployment);
    let deployments = objects
        .children
        .iter()
        .filter(|child| child.kind == ChildKind::Deployment);
    deployments
        .map(|child| Rollout::of(&child.name, live.get(&owner.namespace, &child.name).as_deref()))
        .collect()
}
