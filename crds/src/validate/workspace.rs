//! What is wrong with a `Workspace`.

use monstrum_guardian::source::BudgetOf;

use super::{Fault, address, bot, boundary, destination, limits};
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
    for (index, text) in workspace.spec.permitted_addresses.iter().flatten().enumerate() {
        let fault = address::allowed_range_fault(text);
        let field = format!("spec.permittedAddresses[{index}]");
        faults.extend(fault.map(|message| Fault::invalid(field, message)));
    }
    faults.extend(boundary::faults(workspace, world));
    if let Some(hosts) = &workspace.spec.permitted_hosts {
        faults.extend(destination::list_fault("spec.permittedHosts", hosts));
    }
    faults
}
