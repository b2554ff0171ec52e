//! What is wrong with a `Bot`.

use super::{Fault, generation, limits, placement, reference};
use crate::conditions::Reason;
use crate::convert::budget;
use crate::kinds::Bot;
use crate::object::Kind;
use crate::world::World;

/// Its bounds must be usable, its model and roles there.
pub fn validate(bot: &Bot, world: &World) -> Vec<Fault> {
    let mut faults = limits::faults("spec.limits", bot.spec.limits.as_ref());
    faults.extend(budget::of_bot(bot, world).err().unwrap_or_default());
    faults.extend(generation::faults(bot, world));
    faults.extend(placement_faults(bot, world));
    faults.extend(chosen_model_fault(bot, world));
    for (index, role) in bot.spec.roles.iter().enumerate() {
        if !world.roles.contains_key(role) {
            faults.push(reference::missing(
                &format!("spec.roles[{index}]"),
                Kind::BotRole,
                role,
            ));
        }
    }
    faults
}

/// What is wrong with its pods, in itself or because the installation does not permit it; while there is any of it the bot has no
/// pods.
pub fn placement_faults(bot: &Bot, world: &World) -> Vec<Fault> {
    let gateway = bot.spec.gateway.as_ref();
    let gateway = gateway.and_then(|settings| settings.pod.as_ref());
    let runner = bot.spec.runner.as_ref();
    let runner = runner.and_then(|settings| settings.pod.as_ref());
    let mut faults = placement::faults("spec.gateway.pod", gateway, &["gateway"], world);
    faults.extend(placement::faults("spec.runner.pod", runner, &["runner"], world));
    faults
}

/// The provider and the name of the bot's model: its own, or else the workspace's.
pub(crate) fn chosen_model<'a>(bot: &'a Bot, world: &'a World) -> Option<(&'a str, &'a str)> {
    let own = bot.spec.model.as_ref();
    let default = world
        .workspace
        .as_ref()
        .and_then(|workspace| workspace.spec.model.as_ref());
    let provider = own
        .and_then(|model| model.provider.as_deref())
        .or_else(|| default.map(|model| model.provider.as_str()))?;
    let name = own
        .and_then(|model| model.name.as_deref())
        .or_else(|| default.map(|model| model.name.as_str()))?;
    Some((provider, name))
}

fn chosen_model_fault(bot: &Bot, world: &World) -> Option<Fault> {
    match chosen_model(bot, world) {
        Some((provider, name)) => model_fault("spec.model", provider, name, world),
        None => Some(Fault::new(
            "spec.model",
            "no model is chosen: set provider and name here, or as spec.model of Workspace \"workspace\"",
            Reason::NotFound,
        )),
    }
}

/// What is wrong with naming a provider's model.
pub(crate) fn model_fault(field: &str, provider: &str, name: &str, world: &World) -> Option<Fault> {
    let found = match reference::provider(&format!("{field}.provider"), provider, world) {
        Ok(found) => found,
        Err(fault) => return Some(fault),
    };
    if found.spec.models.iter().any(|model| model.name == name) {
        return None;
    }
    let known: Vec<_> = found
        .spec
        .models
        .iter()
        .map(|model| model.name.as_str())
        .collect();
    Some(Fault::new(
        format!("{field}.name"),
        format!(
            "ModelProvider {provider:?} has no model {name:?}: use one of {}",
            known.join(", ")
        ),
        Reason::NotFound,
    ))
}
