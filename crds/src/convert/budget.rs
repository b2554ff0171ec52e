//! Budgets in the engine's words. One that can't be understood would be one that is not kept, so it stops the bot.

use monstrum_guardian::source::{self, BudgetOf, Counted};
use monstrum_guardian::validate_budgets;

use super::grant;
use crate::conditions::Reason;
use crate::kinds::Bot;
use crate::kinds::budget::Budget;
use crate::validate::bot::chosen_model;
use crate::validate::{Fault, reference};
use crate::world::World;

/// The budgets of a bot and those of its workspace, or everything that keeps them from being kept.
pub(crate) fn of_bot(bot: &Bot, world: &World) -> Result<Vec<source::Budget>, Vec<Fault>> {
    let shared = world
        .workspace
        .as_ref()
        .map(|workspace| workspace.spec.budgets.as_slice())
        .unwrap_or_default();
    let own = all("spec.budgets", &bot.spec.budgets, BudgetOf::Bot)?;
    let shared = all("spec.budgets", shared, BudgetOf::Workspace).map_err(of_workspace)?;
    let budgets: Vec<_> = own.into_iter().chain(shared).collect();
    match unpriced(&budgets, bot, world) {
        Some(fault) => Err(vec![fault]),
        None => Ok(budgets),
    }
}

/// The budgets of one object, or everything that is wrong with them.
pub(crate) fn all(field: &str, budgets: &[Budget], of: BudgetOf) -> Result<Vec<source::Budget>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut converted = Vec::new();
    for (index, budget) in budgets.iter().enumerate() {
        match one(budget, of, &format!("{field}[{index}]")) {
            Ok(budget) => converted.push(budget),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        let found = validate_budgets(&converted).into_iter();
        faults.extend(found.map(|fault| Fault::invalid(format!("spec.{}", fault.field), fault.message)));
    }
    if faults.is_empty() {
        Ok(converted)
    } else {
        Err(faults)
    }
}

fn one(budget: &Budget, of: BudgetOf, field: &str) -> Result<source::Budget, Fault> {
    Ok(source::Budget {
        of,
        name: budget.name.clone(),
        counts: grant::counted(budget.counts),
        limit: u64::try_from(budget.limit)
            .map_err(|_| Fault::invalid(format!("{field}.limit"), "must not be negative"))?,
        window_seconds: grant::window(budget.window.as_ref(), field)?,
    })
}

fn of_workspace(faults: Vec<Fault>) -> Vec<Fault> {
    let about = |fault: Fault| {
        let message = format!(
            "can't be kept with the budgets of Workspace \"workspace\", whose {}: {}",
            fault.field, fault.message
        );
        Fault::new("spec.budgets", message, Reason::RefInvalid)
    };
    faults.into_iter().map(about).collect()
}

/// What a model costs must be known where money is counted.
fn unpriced(budgets: &[source::Budget], bot: &Bot, world: &World) -> Option<Fault> {
    let counted = budgets.iter().find(|budget| budget.counts == Counted::MicroUsd)?;
    let (provider, name) = chosen_model(bot, world)?;
    let found = reference::provider("spec.model.provider", provider, world).ok()?;
    let model = found.spec.models.iter().find(|model| model.name == name)?;
    if model.prices.is_some() {
        return None;
    }
    let message = format!(
        "ModelProvider {provider:?} gives no prices of model {name:?}, and budget {:?} counts money: write the prices, \
         '0' where it costs nothing",
        counted.name
    );
    Some(Fault::new("spec.budgets", message, Reason::RefInvalid))
}
