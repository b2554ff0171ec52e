//! Who may talk with a bot, by which channels, and where its answers go.

use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::model::added;
use super::{Change, became, pod};
use crate::convert::channel::{self, ResolvedChannel, ResolvedRoute};
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

fn resolved(name: &str, world: &World) -> Option<ResolvedChannel> {
    channel::convert(name, world)?.resolved
}

fn leads_to(channel: &ResolvedChannel, bot: &str) -> bool {
    channel.routes.iter().any(|route| route.bot == bot)
}

fn talkers(channel: &ResolvedChannel) -> String {
    if channel.everyone {
        "everyone".to_owned()
    } else {
        format!("{} users", channel.users.len())
    }
}

fn between(
    bot: &str,
    (former, old): (&Channel, &ResolvedChannel),
    (object, new): (&Channel, &ResolvedChannel),
) -> Vec<Change> {
    let name = object.name_any();
    let of = |field: &str, what: String| Change::new(Kind::Channel, &name, field, what, true);
    let mut changes = Vec::new();
    if new.everyone && !old.everyone {
        changes.push(of("spec.talkers", "everyone may talk with the bot".to_owned()));
    } else if let Some(users) = added(&old.users, &new.users).filter(|_| !old.everyone) {
        changes.push(of(
            "spec.talkers.users",
            format!("who may talk with the bot: {users}"),
        ));
    }
    let fields = [
        (
            "spec.type.webhook.secret",
            became(&secret(former), &secret(object)),
        ),
        ("spec.type.webhook.mode", became(&old.mode, &new.mode)),
        (
            "spec.type.webhook.callbackUrl",
            became(&old.callback_url, &new.callback_url),
        ),
        (
            "spec.type.webhook.allowedAddresses",
            added(&old.allowed_addresses, &new.allowed_addresses),
        ),
        (
            "spec.type.webhook.caCertificate",
            became(&old.ca_certificate, &new.ca_certificate),
        ),
        ("spec.type.webhook.proxy", became(&old.proxy, &new.proxy)),
        (
            "spec.type.webhook.tolerance",
            raised(old.tolerance_seconds, new.tolerance_seconds),
        ),
        (
            "spec.type.webhook.maxBodyBytes",
            raised(old.max_body_bytes, new.max_body_bytes),
        ),
        ("spec.pod", became(&pod(former), &pod(object))),
    ];
    changes.extend(
        fields
            .into_iter()
            .filter_map(|(field, what)| Some(of(field, what?))),
    );
    let open = new
        .routes
        .iter()
        .enumerate()
        .filter(|(_, route)| route.bot == bot);
    for (place, route) in open.filter(|(place, route)| !is_old(&old.routes, &new.routes, *place, route)) {
        let matches: Vec<Value> = route.matches.iter().map(|wanted| json!(wanted)).collect();
        let what = format!(
            "messages to {} that say {} reach the bot",
            route.path,
            Value::from(matches)
        );
        changes.push(of(&format!("spec.routes[{place}]"), what));
    }
    changes
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
fn is_old(old: &[ResolvedRoute], new: &[ResolvedRoute], place: usize, route: &ResolvedRoute) -> bool {
    let before: Vec<&ResolvedRoute> = new.iter().take(place).collect();
    let takes_away = |earlier: &&ResolvedRoute| {
        earlier.bot != route.bot || (earlier.path == route.path && reading(earlier) != reading(route))
    };
    old.iter().enumerate().any(|(former_place, former)| {
        former.bot == route.bot
            && takes_less(route, former)
            && old
                .iter()
                .take(former_place)
                .filter(takes_away)
                .all(|earlier| before.iter().any(|kept| same(kept, earlier)))
    })
}

fn takes_less(route: &ResolvedRoute, former: &ResolvedRoute) -> bool {
    route.path == former.path
        && reading(route) == reading(former)
        && former.matches.iter().all(|wanted| route.matches.contains(wanted))
}

/// Where a route reads what is said, by whom and in which conversation.
fn reading(route: &ResolvedRoute) -> (&str, &str, Option<&str>) {
    (&route.text, &route.user, route.session.as_deref())
}

fn same(one: &ResolvedRoute, other: &ResolvedRoute) -> bool {
    one.path == other.path && one.matches == other.matches
}
