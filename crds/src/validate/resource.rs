//! What is wrong with a `Resource`.

use std::sync::Arc;

use serde_json::Value;

use super::{Fault, address, destination, reference};
use crate::contract::Contract;
use crate::kinds::Resource;
use crate::kinds::resource_type::Executor;
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
    if contract.executor() == Executor::Http {
        faults.extend(http_faults(&settings, world));
    }
    if contract.executor() == Executor::Shell {
        faults.extend(sandbox_fault(&settings, world));
    }
    if let Some(used) = &resource.spec.credential {
        faults.extend(reference::credential_use(
            "spec.credential",
            used,
            contract,
            &settings,
            world,
        ));
    }
    faults.extend(runner_fault(resource, contract));
    (faults, Some(contract))
}

/// A sandbox's connections are bound to ports, not to hosts: where hosts are, it can have none.
fn sandbox_fault(settings: &Value, world: &World) -> Option<Fault> {
    let field = "spec.config.network.tcpConnectPorts";
    let ports = settings
        .pointer("/network/tcpConnectPorts")
        .and_then(Value::as_array);
    ports.filter(|ports| !ports.is_empty())?;
    destination::unbounded(field, world)
}

fn http_faults(settings: &Value, world: &World) -> Vec<Fault> {
    let mut faults = Vec::new();
    match settings.get("baseUrl").map(Value::as_str) {
        None => faults.push(Fault::invalid(
            "spec.config.baseUrl",
            "is missing: set the address of the service",
        )),
        Some(None) => faults.push(Fault::invalid("spec.config.baseUrl", "must be a string")),
        Some(Some(url)) => {
            let message = address::http_url_fault(url);
            faults.extend(message.map(|message| Fault::invalid("spec.config.baseUrl", message)));
            faults.extend(destination::beyond_workspace("spec.config.baseUrl", url, world));
        }
    }
    let ranges = settings
        .get("allowedAddresses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for (index, range) in ranges.enumerate() {
        let message = range
            .as_str()
            .map_or(Some("must be a string".to_owned()), address::allowed_range_fault);
        let field = format!("spec.config.allowedAddresses[{index}]");
        faults.extend(message.map(|message| Fault::invalid(field, message)));
    }
    faults
}

/// A sandbox exactly where foreign code runs.
fn runner_fault(resource: &Resource, contract: &Contract) -> Option<Fault> {
    let name = contract.name();
    match (contract.executor().runs_foreign_code(), &resource.spec.runner) {
        (true, Some(runner)) if runner.image.is_some() => None,
        (true, _) => Some(Fault::invalid(
            "spec.runner.image",
            format!("ResourceType {name:?} runs programs of an image: name the image that has them"),
        )),
        (false, Some(_)) => Some(Fault::invalid(
            "spec.runner",
            format!("ResourceType {name:?} runs no foreign code, so it has no sandbox: remove the runner"),
        )),
        (false, None) => None,
    }
}
