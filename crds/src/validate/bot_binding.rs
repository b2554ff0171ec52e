//! What is wrong with a `BotBinding`.

use super::{Fault, reference};
use crate::contract::Contract;
use crate::convert::grant;
use crate::kinds::BotBinding;
use crate::object::Kind;
use crate::world::World;

/// Its bot, resource and credential must be there, its grants must fit the resource's type.
pub fn validate(binding: &BotBinding, world: &World) -> Vec<Fault> {
    let spec = &binding.spec;
    let mut faults = Vec::new();
    if !world.bots.contains_key(&spec.bot) {
        faults.push(reference::missing("spec.bot", Kind::Bot, &spec.bot));
    }
    match reference::resource("spec.resource", &spec.resource, world) {
        Err(fault) => faults.push(fault),
        Ok((_, contract)) => {
            if let Some(used) = &spec.credential {
                faults.extend(reference::credential_use(
                    "spec.credential",
                    used,
                    contract,
                    world,
                ));
            }
            faults.extend(grant_faults(binding, contract));
        }
    }
    faults
}

fn grant_faults(binding: &BotBinding, contract: &Contract) -> Vec<Fault> {
    match grant::of_binding(binding) {
        Err(faults) => faults,
        Ok(grants) => monstrum_guardian::validate_grants(&contract.source, &grants)
            .into_iter()
            .map(|fault| Fault::invalid(format!("spec.{}", fault.field), fault.message))
            .collect(),
    }
}
