//! What is wrong with a `Resource`.

use std::sync::Arc;

use monstrum_contract::{Placement, Reach};
use serde_json::Value;

use super::address::Destination;
use super::{Fault, config, destination, placement, reference};
use crate::contract::Contract;
use crate::kinds::Resource;
use crate::world::World;

/// Its type must be there and permitted, its settings must fit the type, its credential must be there.
pub fn validate(resource: &Resource, world: &World) -> Vec<Fault> {
    judged(resource, world).0
}

/// The faults, and the type where it can be used.
pub(crate) fn judged<'a>(resource: &Resource, world: &'a World) -> (Vec<Fault>, Option<&'a Arc<Contract>>) {
    let contract = match reference::contract("spec.type", &resource.spec.type_, world) {
        Ok(contract) => contract,
        Err(fault) => return (vec![fault], None),
    };
    let settings = contract.settings(resource.spec.config.as_ref());
    let mut faults = contract.config_faults(&settings);
    config::further(&mut faults, contract.executor_faults(&settings));
    config::further(&mut faults, reach_faults(&contract.reach(&settings), world));
    if let Some(used) = &resource.spec.credential {
        faults.extend(reference::credential_use(
            "spec.credential",
            used,
            contract,
            &settings,
            world,
        ));
    }
    faults.extend(runner_fault(resource, contract, &settings));
    if let Some(sandbox) = &resource.spec.runner {
        let pod = sandbox.pod.as_ref();
        faults.extend(placement::faults(
            "spec.runner.pod",
            pod,
            &["sandbox", "inject"],
            world,
        ));
    }
    (faults, Some(contract))
}

/// Where its calls go must be permitted here.
fn reach_faults(reach: &Reach, world: &World) -> Vec<Fault> {
    let addresses = reach.addresses().flat_map(|address| {
        let allowed: Vec<String> = address.ranges.iter().map(ToString::to_string).collect();
        let destination = Destination {
            url: &address.url,
            allowed: &allowed,
        };
        let (url, ranges) = (&address.field, &address.ranges_field);
        destination.reach_faults(
            &format!("spec.config.{url}"),
            &format!("spec.config.{ranges}"),
            world,
        )
    });
    let internet = reach.internet.iter();
    // Connections that are bound to ports are bound to no hosts: where hosts are, there can be none.
    let unbounded =
        internet.filter_map(|ports| destination::unbounded(&format!("spec.config.{}", ports.field), world));
    addresses.chain(unbounded).collect()
}

/// A sandbox exactly where foreign code runs.
fn runner_fault(resource: &Resource, contract: &Contract, settings: &Value) -> Option<Fault> {
    let name = contract.name();
    match (contract.placement(settings)?, &resource.spec.runner) {
        (Placement::Sandbox, Some(runner)) if runner.image.is_some() => None,
        (Placement::Sandbox, _) => Some(Fault::invalid(
            "spec.runner.image",
            format!("ResourceType {name:?} runs programs of an image: name the image that has them"),
        )),
        (Placement::Bot, Some(_)) => Some(Fault::invalid(
            "spec.runner",
            format!("ResourceType {name:?} runs no foreign code, so it has no sandbox: remove the runner"),
        )),
        (Placement::Bot, None) => None,
        (Placement::Gateway, _) => Some(reference::without_runner("spec.type", contract)),
    }
}
