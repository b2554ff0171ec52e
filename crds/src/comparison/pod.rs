//! What a bot's calls run in.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Change, became};
use crate::convert;
use crate::object::Kind;
use crate::world::World;

/// What is size and number, and no permission.
const SIZES: [&str; 2] = ["replicas", "workspaceSize"];

/// What changed of the sandboxes that the bot's calls run in, and of its own pods.
pub(super) fn changes(bot: &str, old: &World, new: &World) -> Vec<Change> {
    let sandboxes: BTreeSet<String> = convert::bot(bot, new)
        .map(|conversion| conversion.sandboxes)
        .unwrap_or_default();
    let sandbox = |name: &str, world: &World| {
        let resource = world.resources.get(name);
        unsized_of(resource.and_then(|resource| serde_json::to_value(&resource.spec.runner).ok()))
    };
    let of_sandboxes = sandboxes.iter().filter_map(|name| {
        let what = became(&sandbox(name, old), &sandbox(name, new))?;
        Some(Change::new(Kind::Resource, name, "spec.runner", what, true))
    });
    let own = |world: &World, part: &str| {
        let spec = world
            .bots
            .get(bot)
            .and_then(|bot| serde_json::to_value(&bot.spec).ok());
        unsized_of(spec.and_then(|spec| spec.get(part).cloned()))
    };
    let of_pods = ["gateway", "runner"].into_iter().filter_map(|part| {
        let what = became(&own(old, part), &own(new, part))?;
        Some(Change::new(Kind::Bot, bot, &format!("spec.{part}"), what, true))
    });
    of_sandboxes.chain(of_pods).collect()
}

/// Settings that are absent and settings that are only sizes are alike.
fn unsized_of(settings: Option<Value>) -> Value {
    let Some(Value::Object(mut settings)) = settings else {
        return Value::Object(Map::new());
    };
    settings.retain(|key, _| !SIZES.contains(&key.as_str()));
    if let Some(pod) = settings.remove("pod").map(|pod| unsized_pod(Some(pod)))
        && pod != Value::Object(Map::new())
    {
        settings.insert("pod".to_owned(), pod);
    }
    Value::Object(settings)
}

/// The settings of a pod without the sizes of its containers.
pub(super) fn unsized_pod(pod: Option<Value>) -> Value {
    let Some(Value::Object(mut pod)) = pod else {
        return Value::Object(Map::new());
    };
    if let Some(Value::Object(containers)) = pod.get_mut("containers") {
        for container in containers.values_mut() {
            if let Value::Object(container) = container {
                container.remove("resources");
            }
        }
        containers.retain(|_, container| *container != Value::Object(Map::new()));
    }
    pod.retain(|key, setting| key != "containers" || *setting != Value::Object(Map::new()));
    Value::Object(pod)
}
