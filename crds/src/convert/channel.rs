//! A channel with its defaults put in.

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use monstrum_contract::channel::{Platform, Route, Settings, Talkers, webhook};

use super::egress::ResolvedEgress;
use super::{ObjectFault, version};
use crate::kinds::channel::{ChannelType, Webhook, WebhookRoute};
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
    pub resolved: Option<Settings>,
    /// What is wrong, ordered.
    pub faults: Vec<ObjectFault>,
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

fn resolved(channel: &Channel, world: &World) -> Option<Settings> {
    let ChannelType::Webhook(webhook) = &channel.spec.type_;
    if validate::channel::secret_fault(&channel.name_any(), webhook, world).is_some() {
        return None;
    }
    let routes = channel.spec.routes.iter();
    let routes: Vec<_> = routes
        .filter_map(|route| Some((route, world.bots.get(&route.bot)?)))
        .collect();
    let places = routes.iter().map(|(route, _)| {
        (
            route.name.clone(),
            places(route.webhook.clone().unwrap_or_default()),
        )
    });
    let platform = Platform::Webhook(of_webhook(webhook, places.collect(), world)?);
    let talkers = channel.spec.talkers.clone().unwrap_or_default();
    Some(Settings {
        namespace: world.namespace.clone(),
        name: channel.name_any(),
        secret_version: version::of_secret(&webhook.secret, world)?,
        routes: routes
            .into_iter()
            .map(|(route, bot)| Route {
                name: route.name.clone(),
                bot: route.bot.clone(),
                bot_uid: uid(bot),
            })
            .collect(),
        talkers: Talkers {
            everyone: talkers.everyone,
            users: talkers.users,
        },
        platform,
    })
}

/// Only an object that no API server has seen has none.
fn uid(bot: &Bot) -> String {
    bot.uid().unwrap_or_default()
}

fn of_webhook(
    webhook: &Webhook,
    routes: BTreeMap<String, webhook::Route>,
    world: &World,
) -> Option<webhook::Webhook> {
    let (authority, proxy) = (webhook.ca_certificate.as_ref(), webhook.proxy.as_ref());
    let egress = validate::channel::destination(webhook).map_or_else(ResolvedEgress::default, |callback| {
        ResolvedEgress::new(callback, authority, proxy, world)
    });
    Some(webhook::Webhook {
        mode: webhook.mode,
        callback_url: webhook.callback_url.clone(),
        allowed_addresses: egress.allowed_addresses,
        ca_certificate: egress.ca_certificate,
        proxy: egress.proxy,
        tolerance_seconds: tolerance(webhook)?,
        max_body_bytes: body_bytes(webhook)?,
        routes,
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

fn places(route: WebhookRoute) -> webhook::Route {
    let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
    let matches = route.matches.into_iter().map(|wanted| webhook::Match {
        pointer: wanted.pointer,
        equals: wanted.equals,
    });
    webhook::Route {
        path: or(route.path, "/"),
        matches: matches.collect(),
        text: or(route.text, "/text"),
        user: or(route.user, "/user"),
        session: route.session,
    }
}
