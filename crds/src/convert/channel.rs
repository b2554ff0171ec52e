//! A channel with its defaults put in.

use ipnet::IpNet;
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::egress::{ResolvedEgress, ResolvedProxy};
use super::{ObjectFault, version};
use crate::kinds::channel::{ChannelType, Route, Webhook, WebhookMode};
use crate::kinds::{Bot, Channel};
use crate::object::Kind;
use crate::validate;
use crate::world::World;

/// How far a timestamp may be from the present, where the channel does not say.
pub const DEFAULT_TOLERANCE_SECONDS: u32 = 300;
/// The largest body, where the channel does not say.
pub const DEFAULT_MAX_BODY_BYTES: u32 = 65_536;

/// One channel's part of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelConversion {
    /// What the channel's pods need; nothing if the channel itself is wrong or its secret is not there.
    pub resolved: Option<ResolvedChannel>,
    /// What is wrong, ordered.
    pub faults: Vec<ObjectFault>,
}

/// What a channel's pods need. Contains no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolvedChannel {
    /// The namespace.
    pub namespace: String,
    /// The channel's name.
    pub name: String,
    /// Changes whenever the signing secret does.
    pub secret_version: String,
    /// Whether answers are responses or callbacks.
    pub mode: WebhookMode,
    /// Where callbacks go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The ranges that they may arrive at although they are not the public internet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_addresses: Vec<IpNet>,
    /// PEM certificates of the authorities to trust, where they are not the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// What they go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ResolvedProxy>,
    /// How far a timestamp may be from the present.
    pub tolerance_seconds: u32,
    /// The largest body that is read.
    pub max_body_bytes: u32,
    /// In the order in which they are tried. Routes to bots that are not there are left out.
    pub routes: Vec<ResolvedRoute>,
    /// Whether everyone may talk.
    pub everyone: bool,
    /// Who may talk, by id, where not everyone may.
    pub users: Vec<String>,
}

/// Which messages go to one bot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolvedRoute {
    /// Its name.
    pub name: String,
    /// The bot, in the channel's namespace.
    pub bot: String,
    /// Which bot of that name: one that comes later is another.
    pub bot_uid: String,
    /// The request path.
    pub path: String,
    /// What the body must say, as JSON Pointers and values; all of it must fit.
    #[serde(rename = "match")]
    pub matches: Vec<ResolvedMatch>,
    /// Where the text stands.
    pub text: String,
    /// Where the sender's id stands.
    pub user: String,
    /// Where the conversation's id stands; without it, there is one for each sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// One thing that a body must say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub struct ResolvedMatch {
    pub pointer: String,
    pub equals: Value,
}

/// Converts the channel of this name; nothing if there is none.
pub fn convert(name: &str, world: &World) -> Option<ChannelConversion> {
    let channel = world.channels.get(name)?;
    let found = validate::channel::validate(channel, world);
    let usable = found.iter().all(|fault| fault.reason.is_about_refs());
    let mut faults: Vec<_> = found
        .into_iter()
        .map(|fault| ObjectFault::new(Kind::Channel, name, fault))
        .collect();
    faults.sort();
    Some(ChannelConversion {
        resolved: usable.then(|| resolved(channel, world)).flatten(),
        faults,
    })
}

fn resolved(channel: &Channel, world: &World) -> Option<ResolvedChannel> {
    let ChannelType::Webhook(webhook) = &channel.spec.type_;
    if validate::channel::secret_fault(&channel.name_any(), webhook, world).is_some() {
        return None;
    }
    let talkers = channel.spec.talkers.clone().unwrap_or_default();
    let egress = validate::channel::destination(webhook).map_or_else(ResolvedEgress::default, |callback| {
        ResolvedEgress::new(
            callback,
            webhook.ca_certificate.as_ref(),
            webhook.proxy.as_ref(),
            world,
        )
    });
    Some(ResolvedChannel {
        namespace: world.namespace.clone(),
        name: channel.name_any(),
        secret_version: version::of_secret(&webhook.secret, world)?,
        mode: webhook.mode,
        callback_url: webhook.callback_url.clone(),
        allowed_addresses: egress.allowed_addresses,
        ca_certificate: egress.ca_certificate,
        proxy: egress.proxy,
        tolerance_seconds: tolerance(webhook)?,
        max_body_bytes: body_bytes(webhook)?,
        routes: channel
            .spec
            .routes
            .iter()
            .filter_map(|from| Some(route(from, world.bots.get(&from.bot)?)))
            .collect(),
        everyone: talkers.everyone,
        users: talkers.users,
    })
}

fn tolerance(webhook: &Webhook) -> Option<u32> {
    match &webhook.tolerance {
        None => Some(DEFAULT_TOLERANCE_SECONDS),
        Some(span) => u32::try_from(span.duration()?.as_secs()).ok(),
    }
}

fn body_bytes(webhook: &Webhook) -> Option<u32> {
    webhook
        .max_body_bytes
        .map_or(Some(DEFAULT_MAX_BODY_BYTES), |bytes| u32::try_from(bytes).ok())
}

fn route(route: &Route, bot: &Bot) -> ResolvedRoute {
    let or = |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    ResolvedRoute {
        name: route.name.clone(),
        bot: route.bot.clone(),
        // Only an object that no API server has seen has none.
        bot_uid: bot.uid().unwrap_or_default(),
        path: or(&route.path, "/"),
        matches: route
            .matches
            .iter()
            .map(|wanted| ResolvedMatch {
                pointer: wanted.pointer.clone(),
                equals: wanted.equals.clone(),
            })
            .collect(),
        text: or(&route.text, "/text"),
        user: or(&route.user, "/user"),
        session: route.session.clone(),
    }
}
