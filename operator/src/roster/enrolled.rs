//! One who lives. Pure.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use monstrum_crds::kinds::Channel;
use monstrum_crds::world::World;
use monstrum_wire::identity::{BotId, DEFAULT_RUNNER, Identity, SANDBOX_PREFIX, Uid};
use monstrum_wire::policy;

use crate::child::{Certificate, Issued};
use crate::identity;

/// One who lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// Who.
    pub identity: Identity,
    /// Those that are good.
    pub certificates: Vec<Certificate>,
    /// The namespace's Workspace, of a gateway.
    pub workspace: Option<Uid>,
    /// The bots whose gateways it may call.
    pub calls: BTreeSet<BotId>,
}

/// Everybody who lives in the namespace of `world`: whose object is there, and owns a Secret with a certificate. `sandboxes`
/// are the resources whose sandboxes a bot has.
pub fn enrolled<'a>(
    world: &World,
    secrets: impl Iterator<Item = &'a ObjectMeta>,
    sandboxes: impl Fn(&BotId) -> BTreeSet<String>,
) -> Vec<Enrolled> {
    let bots: BTreeMap<BotId, BTreeSet<String>> = world
        .bots
        .values()
        .filter_map(|bot| identity::bot(bot))
        .map(|bot| (bot.clone(), sandboxes(&bot)))
        .collect();
    let issued = secrets.filter_map(|secret| Some((secret, Issued::read(secret)?)));
    let mut members: Vec<Enrolled> = issued
        .filter_map(|(secret, issued)| enrol(world, &bots, secret, issued))
        .collect();
    members.sort_by(|left, right| left.identity.cmp(&right.identity));
    members
}

fn enrol(
    world: &World,
    bots: &BTreeMap<BotId, BTreeSet<String>>,
    secret: &ObjectMeta,
    issued: Issued,
) -> Option<Enrolled> {
    let (owner, workspace, calls) = match &issued.identity {
        Identity::Gateway(bot) => {
            bots.get(bot)?;
            let workspace = world.workspace.as_ref();
            let workspace = workspace.and_then(|workspace| identity::uid(&workspace.metadata));
            (bot.uid, workspace, BTreeSet::new())
        }
        Identity::Runner { bot, runner } => {
            let sandboxes = bots.get(bot)?;
            let is_known = runner == DEFAULT_RUNNER
                || runner
                    .strip_prefix(SANDBOX_PREFIX)
                    .is_some_and(|resource| sandboxes.contains(resource));
            is_known.then_some((bot.uid, None, BTreeSet::from([bot.clone()])))?
        }
        Identity::Channel(id) => {
            let channel = world.channels.get(&id.name)?;
            if identity::channel(channel)? != *id {
                return None;
            }
            (id.uid, None, routed(channel, bots))
        }
        Identity::Operator | Identity::Ledger => return None,
    };
    is_owned_by(secret, owner).then_some(Enrolled {
        identity: issued.identity,
        certificates: issued.certificates,
        workspace,
        calls,
    })
}

/// The bots that a channel has routes to.
fn routed(channel: &Channel, bots: &BTreeMap<BotId, BTreeSet<String>>) -> BTreeSet<BotId> {
    let routes = &channel.spec.routes;
    let reached = bots
        .keys()
        .filter(|bot| routes.iter().any(|route| route.bot == bot.name));
    reached.cloned().collect()
}

fn is_owned_by(secret: &ObjectMeta, owner: Uid) -> bool {
    let owner = owner.to_string();
    secret
        .owner_references
        .iter()
        .flatten()
        .any(|reference| reference.uid == owner)
}

impl Enrolled {
    /// As the wire says it, at an instant.
    pub fn told(&self, now: Timestamp) -> policy::Member {
        let certificates = self
            .certificates
            .iter()
            .filter(|certificate| certificate.is_good(now));
        policy::Member {
            identity: self.identity.to_string(),
            certificates: certificates
                .map(|certificate| policy::Certificate {
                    serial: certificate.serial.to_string(),
                    good_seconds: certificate.good_seconds(now),
                })
                .collect(),
            workspace: self.workspace.map(|uid| uid.to_string()).unwrap_or_default(),
        }
    }
}
