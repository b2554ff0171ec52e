//! What is wrong with how a bot wants its model to answer.

use super::Fault;
use super::bot::chosen_model;
use crate::conditions::Reason;
use crate::kinds::bot::{BotModel, ReasoningEffort, ToolChoice};
use crate::kinds::model_provider::Dialect;
use crate::kinds::{Bot, ModelProvider};
use crate::world::World;

/// Numbers must be such, and what is wanted must be sayable in the dialect of the chosen model.
pub(super) fn faults(bot: &Bot, world: &World) -> Vec<Fault> {
    let Some(wanted) = &bot.spec.model else {
        return Vec::new();
    };
    let mut faults: Vec<_> = [temperature_fault(wanted), top_p_fault(wanted)]
        .into_iter()
        .flatten()
        .collect();
    for (index, stop) in wanted.stop.iter().enumerate() {
        if stop.trim().is_empty() {
            let field = format!("spec.model.stop[{index}]");
            faults.push(Fault::invalid(field, "must hold more than white space"));
        }
    }
    let provider = chosen_model(bot, world).and_then(|(provider, _)| world.providers.get(provider));
    if let Some(provider) = provider.filter(|provider| provider.spec.dialect == Dialect::Anthropic) {
        faults.extend(anthropic_faults(wanted, provider));
    }
    faults
}

fn temperature_fault(wanted: &BotModel) -> Option<Fault> {
    let text = wanted.temperature.as_ref()?;
    let fits = text
        .parse::<f64>()
        .is_ok_and(|value| (0.0..=2.0).contains(&value));
    (!fits).then(|| {
        Fault::invalid(
            "spec.model.temperature",
            format!("{text:?} must be a number from \"0\" to \"2\""),
        )
    })
}

fn top_p_fault(wanted: &BotModel) -> Option<Fault> {
    let text = wanted.top_p.as_ref()?;
    let fits = text.parse::<f64>().is_ok_and(|value| value > 0.0 && value <= 1.0);
    (!fits).then(|| {
        Fault::invalid(
            "spec.model.topP",
            format!("{text:?} must be a number above \"0\" and up to \"1\""),
        )
    })
}

/// What the API of this dialect refuses, or has no word for.
fn anthropic_faults(wanted: &BotModel, provider: &ModelProvider) -> Vec<Fault> {
    let name = provider.metadata.name.as_deref().unwrap_or_default();
    let about = |field: &str, why: &str| {
        let message = format!("ModelProvider {name:?} speaks the dialect Anthropic, {why}");
        Fault::new(format!("spec.model.{field}"), message, Reason::RefInvalid)
    };
    let mut faults = Vec::new();
    if wanted.seed.is_some() {
        faults.push(about("seed", "which has no seed: leave it out"));
    }
    let warm = wanted
        .temperature
        .as_ref()
        .and_then(|text| text.parse::<f64>().ok());
    if warm.is_some_and(|value| value > 1.0) {
        faults.push(about("temperature", "whose temperature ends at \"1\""));
    }
    let thinks = wanted
        .reasoning_effort
        .is_some_and(|effort| effort != ReasoningEffort::None);
    if thinks && wanted.temperature.is_some() {
        let why = "where a model that thinks takes no temperature: leave it or reasoningEffort out";
        faults.push(about("temperature", why));
    }
    if thinks && wanted.tool_choice == Some(ToolChoice::Required) {
        let why = "where a model that thinks can't be made to call: use Auto, or leave reasoningEffort out";
        faults.push(about("toolChoice", why));
    }
    faults
}
