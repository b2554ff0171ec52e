//! What a bot needs, read from the objects that it names. What is missing is data, not an error.

use std::net::IpAddr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use monstrum_crds::convert::ResolvedModel;
use monstrum_crds::kinds::Bot;
use monstrum_crds::world::World;
use serde_json::Value;

use super::build::{Plan, Sandbox, gateway_name};
use crate::child::{ChildKind, Owner};
use crate::compiler::BotFacts;
use crate::index::Live;
use crate::network::{Outward, Target, Vantage};

/// A sandbox's working folder holds this much where the resource does not say.
const DEFAULT_WORKSPACE: &str = "256Mi";

/// What `bot` needs.
pub fn plan(bot: &Bot, owner: Owner, facts: &BotFacts, world: &World, live: &Live) -> Plan {
    let gateway = bot.spec.gateway.clone().unwrap_or_default();
    let model = facts.resolved.as_ref().map(|resolved| &resolved.model);
    let service = live
        .children(ChildKind::Service)
        .get(&owner.namespace, &gateway_name(&owner.name));
    Plan {
        replicas: gateway.replicas.unwrap_or(1).clamp(1, 10),
        gateway: gateway.pod.unwrap_or_default(),
        runner: bot
            .spec
            .runner
            .clone()
            .unwrap_or_default()
            .pod
            .unwrap_or_default(),
        model: model.and_then(|model| model_target(model, vantage(world))),
        outward: Outward::of(facts.reaches.values(), vantage(world)),
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

/// From where a namespace's pods look.
fn vantage(world: &World) -> Vantage<'_> {
    Vantage {
        namespace: &world.namespace,
        cluster_domain: world.cluster_domain(),
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
    address.parse::<IpAddr>().ok().map(|address| address.to_string())
}

fn model_target(model: &ResolvedModel, from: Vantage<'_>) -> Option<Target> {
    let egress = &model.egress;
    let proxy = egress.proxy.as_ref();
    Target::of(
        &model.base_url,
        &egress.allowed_addresses,
        proxy.map(|proxy| (proxy.url.as_str(), proxy.allowed_addresses.as_slice())),
        from,
    )
}

fn sandbox(resource: &str, world: &World) -> Option<Sandbox> {
    let object = world.resources.get(resource)?;
    let runner = object.spec.runner.clone()?;
    let contract = world.resource_types.get(&object.spec.type_)?;
    let settings = contract.settings(object.spec.config.as_ref());
    Some(Sandbox {
        resource: resource.to_owned(),
        executor: contract.object.spec.executor.clone(),
        image: runner.image?,
        workspace: runner
            .workspace_size
            .unwrap_or_else(|| Quantity(DEFAULT_WORKSPACE.to_owned())),
        settings: runner.pod.unwrap_or_default(),
        outward: Outward::of([&contract.reach(&settings)], vantage(world)),
    })
}
