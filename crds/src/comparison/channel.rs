//! Who may talk with a bot, by which channels, and where its answers go.

use kube::ResourceExt as _;
use monstrum_contract::channel::{Platform, Route, Settings, Webhook, webhook};
use serde_json::{Value, json};

use super::model::added;
use super::{Change, became, pod};
use crate::convert::channel;
use crate::kinds::Channel;
use crate::kinds::channel::ChannelType;
use crate::object::Kind;
use crate::world::World;

/// What changed of the channels that lead to the bot.
pub(super) fn changes(bot: &str, old: &World, new: &World) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, object) in &new.channels {
        let Some(after) = resolved(name, new).filter(|after| leads_to(after, bot)) else {
            continue;
        };
        if let (Some(former), Some(before)) = (
            old.channels.get(name),
            resolved(name, old).filter(|before| leads_to(before, bot)),
        ) {
            changes.extend(between(bot, (former, &before), (object, &after)));
        } else {
            let what = format!("{} may talk with the bot by it", talkers(&after));
            changes.push(Change::new(Kind::Channel, name, "spec.routes", what, true));
        }
    }
    let gone = old.channels.keys().filter(|name| {
        let leads = |world: &World| resolved(name, world).is_some_and(|channel| leads_to(&channel, bot));
        leads(old) && !leads(new)
    });
    changes.extend(gone.map(|name| {
        Change::new(
            Kind::Channel,
            name,
            "spec.routes",
            "it leads to the bot no longer",
            false,
        )
    }));
    changes
}

fn resolved(name: &str, world: &World) -> Option<Settings> {
    channel::convert(name, world)?.resolved
}

fn leads_to(channel: &Settings, bot: &str) -> bool {
    channel.routes.iter().any(|route| route.bot == bot)
}

fn talkers(channel: &Settings) -> String {
    if channel.talkers.everyone {
        "everyone".to_owned()
    } else {
        format!("{} users", channel.talkers.users.len())
    }
}

fn between(
    bot: &str,
    (former, old): (&Channel, &Settings),
    (object, new): (&Channel, &Settings),
) -> Vec<Change> {
    let name = object.name_any();
    let of = |field: &str, what: String| Change::new(Kind::Channel, &name, field, what, true);
    let mut changes = Vec::new();
    let (may, might) = (&new.talkers, &old.talkers);
    if may.everyone && !might.everyone {
        changes.push(of("spec.talkers", "everyone may talk with the bot".to_owned()));
    } else if let Some(users) = added(&might.users, &may.users).filter(|_| !might.everyone) {
        changes.push(of(
            "spec.talkers.users",
            format!("who may talk with the bot: {users}"),
        ));
    }
    let (Platform::Webhook(before), Platform::Webhook(after)) = (&old.platform, &new.platform);
    let fields = [
        (
            "spec.type.webhook.secret",
            became(&secret(former), &secret(object)),
        ),
        ("spec.type.webhook.mode", became(&before.mode, &after.mode)),
        (
            "spec.type.webhook.callbackUrl",
            became(&before.callback_url, &after.callback_url),
        ),
        (
            "spec.type.webhook.allowedAddresses",
            added(&before.allowed_addresses, &after.allowed_addresses),
        ),
        (
            "spec.type.webhook.caCertificate",
            became(&before.ca_certificate, &after.ca_certificate),
        ),
        ("spec.type.webhook.proxy", became(&before.proxy, &after.proxy)),
        (
            "spec.type.webhook.tolerance",
            raised(before.tolerance_seconds, after.tolerance_seconds),
        ),
        (
            "spec.type.webhook.maxBodyBytes",
            raised(before.max_body_bytes, after.max_body_bytes),
        ),
        ("spec.pod", became(&pod(former), &pod(object))),
    ];
    changes.extend(
        fields
            .into_iter()
            .filter_map(|(field, what)| Some(of(field, what?))),
    );
    let (former, present) = (ways(old, before), ways(new, after));
    let open = present.iter().enumerate().filter(|(_, way)| way.bot == bot);
    for (place, way) in open.filter(|(place, way)| !is_old(&former, &present, *place, way)) {
        let matches: Vec<Value> = way.taking.matches.iter().map(|wanted| json!(wanted)).collect();
        let what = format!(
            "messages to {} that say {} reach the bot",
            way.taking.path,
            Value::from(matches)
        );
        changes.push(of(&format!("spec.routes[{place}]"), what));
    }
    changes
}

/// A route, and which messages take it.
struct Way<'a> {
    bot: &'a str,
    taking: &'a webhook::Route,
}

fn ways<'a>(settings: &'a Settings, webhook: &'a Webhook) -> Vec<Way<'a>> {
    let way = |route: &'a Route| {
        let taking = webhook.routes.get(&route.name)?;
        Some(Way {
            bot: &route.bot,
            taking,
        })
    };
    settings.routes.iter().filter_map(way).collect()
}

fn secret(channel: &Channel) -> Value {
    let ChannelType::Webhook(webhook) = &channel.spec.type_;
    json!({"name": webhook.secret.name, "key": webhook.secret.key})
}

/// What the signing secret lies in, but for its size.
fn pod(channel: &Channel) -> Value {
    let settings = channel.spec.pod.as_ref();
    pod::unsized_pod(settings.and_then(|settings| serde_json::to_value(settings).ok()))
}

fn raised(old: u32, new: u32) -> Option<String> {
    (new > old).then(|| format!("{old} → {new}"))
}

/// Whether a route takes only what an old one took. Routes are tried in turn, so what an earlier route took before, for another bot or by
/// another reading of the body, it must still take first: else who says to be whom is read from another place.
fn is_old(old: &[Way<'_>], new: &[Way<'_>], place: usize, way: &Way<'_>) -> bool {
    let before: Vec<&Way<'_>> = new.iter().take(place).collect();
    let takes_away = |earlier: &Way<'_>| {
        earlier.bot != way.bot
            || (earlier.taking.path == way.taking.path && reading(earlier.taking) != reading(way.taking))
    };
    old.iter().enumerate().any(|(former_place, former)| {
        former.bot == way.bot
            && takes_less(way.taking, former.taking)
            && old
                .iter()
                .take(former_place)
                .filter(|earlier| takes_away(earlier))
                .all(|earlier| before.iter().any(|kept| same(kept.taking, earlier.taking)))
    })
}

fn takes_less(route: &webhook::Route, former: &webhook::Route) -> bool {
    route.path == former.path
        && reading(route) == reading(former)
        && former.matches.iter().all(|wanted| route.matches.contains(wanted))
}

/// Where a route reads what is said, by whom and in which conversation.
fn reading(route: &webhook::Route) -> (&str, &str, Option<&str>) {
    (&route.text, &route.user, route.session.as_deref())
}

fn same(one: &webhook::Route, other: &webhook::Route) -> bool {
    one.path == other.path && one.matches == other.matches
}
