//! What is wrong with a `Workspace`.

use monstrum_guardian::source::BudgetOf;

use super::{Fault, bot, boundary, destination, limits};
use crate::convert::budget;
use crate::kinds::Workspace;
use crate::world::World;

/// Its bounds must be usable, its default model there, its boundary such that grants can be compared with it.
pub fn validate(workspace: &Workspace, world: &World) -> Vec<Fault> {
    let mut faults = limits::faults("spec.limits", workspace.spec.limits.as_ref());
    faults.extend(
        budget::all("spec.budgets", &workspace.spec.budgets, BudgetOf::Workspace)
            .err()
            .unwrap_or_default(),
    );
    if let Some(model) = &workspace.spec.model {
        faults.extend(bot::model_fault(
            "spec.model",
            &model.provider,
            &model.name,
            world,
        ));
    }
    faults.extend(boundary::faults(workspace, world));
    if let Some(hosts) = &workspace.spec.permitted_hosts {
        faults.extend(destination::list_fault("spec.permittedHosts", hosts));
    }
    faults
}
