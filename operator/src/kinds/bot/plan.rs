//! What a bot needs, read from the objects that it names. What is missing is data, not an error.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use monstrum_crds::kinds::Bot;
use monstrum_crds::world::World;
use serde_json::Value;

use super::build::{Plan, Sandbox, Target, gateway_name};
use crate::child::{ChildKind, Owner};
use crate::compiler::BotFacts;
use crate::index::Live;
use crate::network::Endpoint;

/// A sandbox's working folder holds this much where the resource does not say.
const DEFAULT_WORKSPACE: &str = "256Mi";

/// What `bot` needs.
pub fn plan(bot: &Bot, owner: Owner, facts: &BotFacts, world: &World, live: &Live) -> Plan {
    let gateway = bot.spec.gateway.clone().unwrap_or_default();
    let model = facts
        .resolved
        .as_ref()
        .map(|resolved| resolved.model.base_url.as_str());
    let service = live
        .children(ChildKind::Service)
        .get(&owner.namespace, &gateway_name(&owner.name));
    let mut targets: Vec<Target> = facts
        .targets
        .values()
        .filter_map(|config| target(config, &world.namespace))
        .collect();
    targets.sort();
    targets.dedup();
    Plan {
        replicas: gateway.replicas.unwrap_or(1).clamp(1, 10),
        gateway: gateway.pod,
        runner: bot.spec.runner.clone().unwrap_or_default().pod,
        model: model.and_then(|url| Endpoint::of_url(url, &world.namespace)),
        targets,
        sandboxes: facts
            .sandboxes
            .iter()
            .filter_map(|resource| sandbox(resource, world))
            .collect(),
        channels: channels(&bot.name_any(), world),
        address: service
            .filter(|service| owner.owns(&service.metadata))
            .and_then(|service| address(&service)),
        owner,
    }
}

/// The channels that route to a bot.
fn channels(bot: &str, world: &World) -> Vec<String> {
    let routes = |name: &&String| {
        world
            .channels
            .get(*name)
            .is_some_and(|channel| channel.spec.routes.iter().any(|route| route.bot == bot))
    };
    world.channels.keys().filter(routes).cloned().collect()
}

/// The Service's own address, where it has one.
fn address(service: &DynamicObject) -> Option<String> {
    let address = service.data.pointer("/spec/clusterIP").and_then(Value::as_str)?;
    address
        .parse::<std::net::IpAddr>()
        .ok()
        .map(|address| address.to_string())
}

fn target(config: &Value, namespace: &str) -> Option<Target> {
    let endpoint = Endpoint::of_url(config.get("baseUrl")?.as_str()?, namespace)?;
    let ranges = config
        .get("allowedAddresses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let ranges = ranges.filter_map(Value::as_str).map(range).collect();
    Some(Target { endpoint, ranges })
}

/// A single address as the range of it.
fn range(text: &str) -> String {
    match text.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => format!("{address}/32"),
        Ok(std::net::IpAddr::V6(address)) => format!("{address}/128"),
        Err(_) => text.to_owned(),
    }
}

fn sandbox(resource: &str, world: &World) -> Option<Sandbox> {
    let object = world.resources.get(resource)?;
    let runner = object.spec.runner.clone()?;
    let contract = world.resource_types.get(&object.spec.type_)?;
    let settings = contract.settings(object.spec.config.as_ref());
    let ports = settings
        .pointer("/network/tcpConnectPorts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let ports = ports
        .filter_map(Value::as_i64)
        .filter_map(|port| i32::try_from(port).ok());
    Some(Sandbox {
        resource: resource.to_owned(),
        image: runner.image?,
        workspace: runner
            .workspace_size
            .unwrap_or_else(|| Quantity(DEFAULT_WORKSPACE.to_owned())),
        settings: runner.pod,
        ports: ports.filter(|port| (1..=65_535).contains(port)).collect(),
    })
}
