//! What is wrong with budgets.

use std::collections::BTreeSet;

use crate::fault::FieldFault;
use crate::source::Budget;

/// What is wrong with budgets, ordered by field. Fields begin with `budgets[i]`.
pub fn validate_budgets(budgets: &[Budget]) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for (place, budget) in budgets.iter().enumerate() {
        let field = |name: &str| format!("budgets[{place}].{name}");
        if budget.name.is_empty() {
            faults.push(FieldFault::new(
                field("name"),
                "the budget has no name; give it one",
            ));
        }
        if !names.insert((budget.of, &budget.name)) {
            let message = format!("{} is declared twice; rename one", budget.name);
            faults.push(FieldFault::new(field("name"), message));
        }
        if budget.window_seconds == Some(0) {
            faults.push(FieldFault::new(
                field("windowSeconds"),
                "a window of 0 seconds holds nothing; make it longer or remove it",
            ));
        }
    }
    faults.sort();
    faults
}
