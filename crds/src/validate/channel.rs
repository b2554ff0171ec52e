//! What is wrong with a `Channel`.

use serde_json::Value;

use super::{Fault, address, limits, placement, reference};
use crate::kinds::Channel;
use crate::kinds::channel::{ChannelType, Route, Webhook};
use crate::object::Kind;
use crate::world::World;

const HOUR: u64 = 3_600;

/// Its secret and bots must be there, its addresses usable.
pub fn validate(channel: &Channel, world: &World) -> Vec<Fault> {
    let ChannelType::Webhook(webhook) = &channel.spec.type_;
    let mut faults = webhook_faults(webhook, world);
    if let Some(pod) = &channel.spec.pod {
        faults.extend(placement::faults("spec.pod", pod, world));
    }
    for (index, route) in channel.spec.routes.iter().enumerate() {
        faults.extend(route_faults(&format!("spec.routes[{index}]"), route, world));
    }
    faults
}

fn webhook_faults(webhook: &Webhook, world: &World) -> Vec<Fault> {
    let callback = webhook.callback_url.as_deref().and_then(address::http_url_fault);
    [
        reference::secret("spec.type.webhook.secret", &webhook.secret, world),
        callback.map(|message| Fault::invalid("spec.type.webhook.callbackUrl", message)),
        limits::span("spec.type.webhook.tolerance", webhook.tolerance.as_ref(), HOUR),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn route_faults(field: &str, route: &Route, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !world.bots.contains_key(&route.bot) {
        faults.push(reference::missing(&format!("{field}.bot"), Kind::Bot, &route.bot));
    }
    for (index, wanted) in route.matches.iter().enumerate() {
        if !matches!(
            wanted.equals,
            Value::String(_) | Value::Number(_) | Value::Bool(_)
        ) {
            faults.push(Fault::invalid(
                format!("{field}.match[{index}].equals"),
                "must be a string, a number or a boolean",
            ));
        }
    }
    faults
}
