//! One binding with everything that it names.

use std::sync::Arc;

use kube::ResourceExt as _;
use monstrum_contract::Placement;
use monstrum_guardian::source::{BindingSource, CredentialRef, RunnerRef};
use serde_json::Value;

use super::role::{self, Held};
use super::{grant, version};
use crate::contract::Contract;
use crate::kinds::{BotBinding, CredentialUse, Resource};
use crate::validate::{Fault, bot_binding, reference};
use crate::world::World;

/// The binding, or everything that is wrong with it.
pub(crate) fn converted(
    binding: &BotBinding,
    roles: &Held<'_>,
    world: &World,
) -> Result<BindingSource, Vec<Fault>> {
    let faults = bot_binding::validate(binding, world);
    if !faults.is_empty() {
        return Err(faults);
    }
    let (resource, contract) =
        reference::resource("spec.resource", &binding.spec.resource, world).map_err(|fault| vec![fault])?;
    let mut grants = grant::of_binding(binding)?;
    grants.extend(role::grants_on(roles, &binding.spec.resource, &contract.name()));
    let description = binding
        .spec
        .description
        .clone()
        .or_else(|| resource.spec.description.clone());
    let config = contract.settings(resource.spec.config.as_ref());
    Ok(BindingSource {
        name: binding.name_any(),
        alias: binding.spec.alias.clone(),
        resource: binding.spec.resource.clone(),
        description,
        resource_type: Arc::clone(&contract.source),
        credential: credential(binding, resource, contract, world).map_err(|fault| vec![fault])?,
        runner: runner(resource, contract, &config).map_err(|fault| vec![fault])?,
        config,
        grants,
    })
}

fn runner(resource: &Resource, contract: &Contract, settings: &Value) -> Result<RunnerRef, Fault> {
    match contract.placement(settings) {
        Some(Placement::Sandbox) => Ok(RunnerRef::Resource(resource.name_any())),
        Some(Placement::Bot) => Ok(RunnerRef::Bot),
        Some(Placement::Gateway) | None => Err(reference::without_runner("spec.resource", contract)),
    }
}

/// The binding's own credential, or else the resource's.
fn credential(
    binding: &BotBinding,
    resource: &Resource,
    contract: &Contract,
    world: &World,
) -> Result<Option<CredentialRef>, Fault> {
    let own = binding.spec.credential.as_ref();
    let Some(used) = own.or(resource.spec.credential.as_ref()) else {
        return Ok(None);
    };
    reference(used, contract, world).map(Some)
}

fn reference(used: &CredentialUse, contract: &Contract, world: &World) -> Result<CredentialRef, Fault> {
    let field = "spec.credential.name";
    let credential = reference::credential(field, &used.name, world)?;
    let version = version::of_credential(credential, world)
        .ok_or_else(|| Fault::invalid(field, "its Secrets have no version: create them"))?;
    let method = contract.credential_method(&used.method);
    Ok(CredentialRef {
        name: used.name.clone(),
        method: used.method.clone(),
        version,
        presentation: serde_json::to_value(method.and_then(|method| method.presentation.as_ref()))
            .unwrap_or_default(),
    })
}
