//! What is wrong with a `Channel`.

use kube::ResourceExt as _;
use serde_json::Value;

use super::address::Destination;
use super::{Fault, address, limits, placement, reference};
use crate::consent::User;
use crate::kinds::Channel;
use crate::kinds::channel::{ChannelType, Route, Webhook};
use crate::object::Kind;
use crate::world::{SecretUse, World};

const HOUR: u64 = 3_600;

/// Its secret and bots must be there, its addresses usable.
pub fn validate(channel: &Channel, world: &World) -> Vec<Fault> {
    let ChannelType::Webhook(webhook) = &channel.spec.type_;
    let mut faults = webhook_faults(webhook, world);
    faults.extend(secret_fault(&channel.name_any(), webhook, world));
    let pod = channel.spec.pod.as_ref();
    faults.extend(placement::faults("spec.pod", pod, &["channel"], world));
    for (index, route) in channel.spec.routes.iter().enumerate() {
        faults.extend(route_faults(&format!("spec.routes[{index}]"), route, world));
    }
    faults
}

/// Why the signing secret can't be used: it must be there and agree to this channel, and to where its signatures are sent.
pub(crate) fn secret_fault(name: &str, webhook: &Webhook, world: &World) -> Option<Fault> {
    let used = SecretUse {
        secret: webhook.secret.clone(),
        user: User::Channel(name.to_owned()),
        hosts: webhook.hosts(),
    };
    reference::secret("spec.type.webhook.secret", &used, world)
}

fn webhook_faults(webhook: &Webhook, world: &World) -> Vec<Fault> {
    let field = |name: &str| format!("spec.type.webhook.{name}");
    let callback = destination(webhook).map_or_else(Vec::new, |callback| {
        callback.faults(&field("callbackUrl"), &field("allowedAddresses"), world)
    });
    [
        address::authority_fault(&field("caCertificate"), webhook.ca_certificate.as_deref()),
        limits::span("spec.type.webhook.tolerance", webhook.tolerance.as_ref(), HOUR),
    ]
    .into_iter()
    .flatten()
    .chain(callback)
    .chain(address::proxy_faults(
        &field("proxy"),
        webhook.proxy.as_ref(),
        world,
    ))
    .collect()
}

/// Where its callbacks go, if they go anywhere.
pub(crate) fn destination(webhook: &Webhook) -> Option<Destination<'_>> {
    Some(Destination {
        url: webhook.callback_url.as_deref()?,
        allowed: &webhook.allowed_addresses,
    })
}

fn route_faults(field: &str, route: &Route, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !world.bots.contains_key(&route.bot) {
        faults.push(reference::missing(&format!("{field}.bot"), Kind::Bot, &route.bot));
    }
    let matches = route.webhook.iter().flat_map(|webhook| &webhook.matches);
    for (index, wanted) in matches.enumerate() {
        if !matches!(
            wanted.equals,
            Value::String(_) | Value::Number(_) | Value::Bool(_)
        ) {
            faults.push(Fault::invalid(
                format!("{field}.webhook.match[{index}].equals"),
                "must be a string, a number or a boolean",
            ));
        }
    }
    faults
}
