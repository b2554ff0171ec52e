//! `Channel`: the pods that speak with one chat platform.

mod build;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use monstrum_contract::channel::Platform;
use monstrum_crds::conditions::{ConditionType, Holds, Reason, State, judged};
use monstrum_crds::convert::channel as conversion;
use monstrum_crds::kinds::Channel;
use monstrum_crds::validate::{self, Fault};
use monstrum_crds::world::World;
use serde_json::{Map, Value};

use self::build::{Plan, build};
use super::rollout::{Rollout, Trouble};
use super::{ReconcileError, Reconciler, ready};
use crate::child::{Applier, ApplyError, CertificateSpec, Child, ChildKind, Owner, label};
use crate::identity;
use crate::labour::laboriously;
use crate::network::{Target, Vantage};

/// Who writes a channel's objects.
pub const MANAGER: &str = "monstrum-channel";
/// Who writes a channel's certificates.
pub const TLS_MANAGER: &str = "monstrum-channel-tls";

pub(super) async fn reconcile(
    reconciler: &Reconciler,
    channel: &Channel,
) -> Result<Option<Duration>, ReconcileError> {
    let namespace = channel.namespace().unwrap_or_default();
    let world = reconciler.index.world(&namespace);
    let Some(id) = identity::channel(channel) else {
        return Ok(None);
    };
    let owner = Owner {
        kind: "Channel",
        namespace,
        name: channel.name_any(),
        uid: id.uid,
        label: label::CHANNEL,
    };
    let applied = apply(reconciler, &owner, plan(channel, &owner, &world)).await;
    let faults = laboriously(|| validate::channel::validate(channel, &world)).await;
    let (rollout, look_at_pods) = deployment(reconciler, &owner).await;
    let failure = applied.as_ref().err().map(Trouble::of);
    let states = states(&faults, failure.as_ref(), &rollout);
    let look_at_status = reconciler
        .status
        .write(&reconciler.index, channel, &states, fields(&rollout))
        .await?;
    Ok([Some(applied?), look_at_pods, look_at_status]
        .into_iter()
        .flatten()
        .min())
}

/// What its pods need; nothing while the channel is wrong or its secret is not there: then it has no pods.
fn plan(channel: &Channel, owner: &Owner, world: &World) -> Option<Plan> {
    let resolved = conversion::convert(&owner.name, world)?.resolved?;
    let monstrum_crds::kinds::channel::ChannelType::Webhook(webhook) = &channel.spec.type_;
    let vantage = Vantage {
        namespace: &owner.namespace,
        cluster_domain: world.cluster_domain(),
    };
    let Platform::Webhook(settings) = &resolved.platform;
    let proxy = settings.proxy.as_ref();
    let proxy = proxy.map(|proxy| (proxy.url.as_str(), proxy.allowed_addresses.as_slice()));
    let callback = settings
        .callback_url
        .as_deref()
        .and_then(|url| Target::of(url, &settings.allowed_addresses, proxy, vantage));
    Some(Plan {
        owner: owner.clone(),
        replicas: channel.spec.replicas.unwrap_or(1).clamp(1, 10),
        settings: channel.spec.pod.clone().unwrap_or_default(),
        secret: webhook.secret.clone(),
        callback,
        channel: resolved,
    })
}

async fn apply(reconciler: &Reconciler, owner: &Owner, plan: Option<Plan>) -> Result<Duration, ApplyError> {
    let applier = &reconciler.applier;
    let Some(plan) = plan else {
        applier.prune(owner, &[], &[]).await?;
        return Ok(reconciler.installation.certificate_lifetime);
    };
    let (children, certificate) = build(&plan, &reconciler.installation);
    match apply_all(applier, owner, &children, &certificate).await {
        Err(ApplyError::Foreign(_)) => {
            let certificates = std::slice::from_ref(&certificate);
            let strangers = applier.strangers(owner, &children, certificates).await?;
            Err(ApplyError::Foreign(strangers))
        }
        done => done,
    }
}

async fn apply_all(
    applier: &Applier,
    owner: &Owner,
    children: &[Child],
    certificate: &CertificateSpec,
) -> Result<Duration, ApplyError> {
    let metadata = owner.metadata(&certificate.secret, certificate.labels.clone());
    let renewal = applier
        .certify(Some(owner), metadata, TLS_MANAGER, certificate)
        .await?
        .good_for;
    for child in children {
        applier.apply(owner, MANAGER, child).await?;
    }
    applier
        .prune(owner, children, std::slice::from_ref(certificate))
        .await?;
    Ok(renewal)
}

async fn deployment(reconciler: &Reconciler, owner: &Owner) -> (Rollout, Option<Duration>) {
    let name = build::name(owner);
    let live = reconciler
        .index
        .live
        .children(ChildKind::Deployment)
        .get(&owner.namespace, &name)
        .filter(|live| owner.owns(&live.metadata));
    let mut rollout = Rollout::of(&name, live.as_deref());
    let again = reconciler
        .pods
        .explain(
            owner,
            std::slice::from_mut(&mut rollout),
            &[live],
            Timestamp::now(),
        )
        .await;
    (rollout, again)
}

/// The other fields of the status.
fn fields(rollout: &Rollout) -> Map<String, Value> {
    let fields = rollout.scale().into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The four conditions.
fn states(faults: &[Fault], failure: Option<&Trouble>, rollout: &Rollout) -> Vec<State> {
    let mut states = judged(faults).to_vec();
    let usable = states.iter().all(|state| state.holds == Holds::True);
    let programmed =
        |holds: bool, reason, message: String| State::new(ConditionType::Programmed, holds, reason, message);
    states.push(match (failure, rollout.troubled()) {
        (Some(failure), _) => failure.programmed(),
        (None, Some(troubled)) => troubled,
        (None, None) if rollout.complete => programmed(true, Reason::Programmed, String::new()),
        (None, None) if usable => programmed(false, Reason::Progressing, rollout.awaited()),
        (None, None) => programmed(
            false,
            Reason::NotReady,
            "it hears nobody before it is put right".to_owned(),
        ),
    });
    states.push(ready(&states, ""));
    states
}

#[cfg(test)]
mod tests;
