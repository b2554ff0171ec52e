//! What is wrong with a `Resource`.

use std::sync::Arc;

use serde_json::Value;

use super::address::Destination;
use super::{Fault, address, destination, placement, reference};
use crate::contract::Contract;
use crate::kinds::resource_type::Executor;
use crate::kinds::{Proxy, Resource};
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
        let told: Vec<String> = faults.iter().map(|fault| fault.field.clone()).collect();
        let more = http_faults(&settings, world);
        faults.extend(more.into_iter().filter(|fault| !told.contains(&fault.field)));
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
    let texts = |pointer: &str| -> Vec<String> {
        let list = settings.pointer(pointer).and_then(Value::as_array);
        let texts = list
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap_or_default());
        texts.map(str::to_owned).collect()
    };
    match settings.get("baseUrl").map(Value::as_str) {
        None => faults.push(Fault::invalid(
            "spec.config.baseUrl",
            "is missing: set the address of the service",
        )),
        Some(None) => faults.push(Fault::invalid("spec.config.baseUrl", "must be a string")),
        Some(Some(url)) => {
            let allowed = &texts("/allowedAddresses");
            let destination = Destination { url, allowed };
            faults.extend(destination.faults("spec.config.baseUrl", "spec.config.allowedAddresses", world));
        }
    }
    if let Some(proxy) = settings.get("proxy").filter(|proxy| !proxy.is_null()) {
        match proxy.get("url").and_then(Value::as_str) {
            None => faults.push(Fault::invalid(
                "spec.config.proxy.url",
                "is missing: set the address of the proxy",
            )),
            Some(url) => {
                let proxy = Proxy {
                    url: url.to_owned(),
                    allowed_addresses: texts("/proxy/allowedAddresses"),
                };
                faults.extend(address::proxy_faults("spec.config.proxy", Some(&proxy), world));
            }
        }
    }
    let authorities = settings.get("caCertificate").and_then(Value::as_str);
    faults.extend(address::authority_fault("spec.config.caCertificate", authorities));
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
