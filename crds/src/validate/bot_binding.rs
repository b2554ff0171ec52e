//! What is wrong with a `BotBinding`.

use super::{Fault, boundary, reference};
use crate::contract::Contract;
use crate::convert::grant;
use crate::kinds::BotBinding;
use crate::object::Kind;
use crate::world::World;

/// Its bot, resource and credential must be there, its grants must fit the resource's type and be within the boundary.
pub fn validate(binding: &BotBinding, world: &World) -> Vec<Fault> {
    let spec = &binding.spec;
    let mut faults = Vec::new();
    if !world.bots.contains_key(&spec.bot) {
        faults.push(reference::missing("spec.bot", Kind::Bot, &spec.bot));
    }
    match reference::resource("spec.resource", &spec.resource, world) {
        Err(fault) => {
            faults.push(fault);
            // What is granted can be judged as soon as the type is known, whatever is wrong with the resource.
            let resource = world.resources.get(&spec.resource);
            let known =
                resource.map(|resource| reference::known_type("spec.resource", &resource.spec.type_, world));
            if let Some(Ok(contract)) = known {
                faults.extend(grant_faults(binding, contract, world));
            }
        }
        Ok((resource, contract)) => {
            if let Some(used) = &spec.credential {
                let settings = contract.settings(resource.spec.config.as_ref());
                faults.extend(reference::credential_use(
                    "spec.credential",
                    used,
                    contract,
                    &settings,
                    world,
                ));
            }
            faults.extend(grant_faults(binding, contract, world));
        }
    }
    faults
}

fn grant_faults(binding: &BotBinding, contract: &Contract, world: &World) -> Vec<Fault> {
    let grants = match grant::of_binding(binding) {
        Err(faults) => return faults,
        Ok(grants) => grants,
    };
    let faults: Vec<_> = monstrum_guardian::validate_grants(&contract.source, &grants)
        .into_iter()
        .map(|fault| Fault::invalid(format!("spec.{}", fault.field), fault.message))
        .collect();
    if faults.is_empty() {
        boundary::excess(&contract.source, &grants, world, |field| format!("spec.{field}"))
    } else {
        faults
    }
}
