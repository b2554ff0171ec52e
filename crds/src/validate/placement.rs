//! What is wrong with where an object's pods should run.

use super::Fault;
use crate::conditions::Reason;
use crate::kinds::PodSettings;
use crate::placement::Placement;
use crate::world::World;

/// Everything that the installation does not permit. Where its permissions are not known, as on the command line, nothing
/// is judged.
pub(crate) fn faults(field: &str, settings: &PodSettings, world: &World) -> Vec<Fault> {
    world
        .placement
        .as_deref()
        .map(|placement| judged(field, settings, placement))
        .unwrap_or_default()
}

fn judged(field: &str, settings: &PodSettings, placement: &Placement) -> Vec<Fault> {
    let tolerations = settings.tolerations.iter().enumerate();
    let tolerations = tolerations
        .filter(|(_, asked)| !placement.tolerates(asked))
        .map(|(index, _)| {
            fault(
                format!("{field}.tolerations[{index}]"),
                "toleration",
                "tolerations",
            )
        });
    let labels = settings
        .node_selector
        .iter()
        .filter(|(label, value)| !placement.selects(label, value))
        .map(|(label, _)| {
            fault(
                format!("{field}.nodeSelector[{label}]"),
                "node label",
                "nodeSelector",
            )
        });
    let class = settings
        .runtime_class_name
        .as_deref()
        .filter(|class| !placement.runs_as(class))
        .map(|_| {
            fault(
                format!("{field}.runtimeClassName"),
                "RuntimeClass",
                "runtimeClassNames",
            )
        });
    tolerations.chain(labels).chain(class).collect()
}

fn fault(field: String, what: &str, value: &str) -> Fault {
    Fault::new(
        field,
        format!(
            "this installation does not permit this {what}: remove it, or have the administrator add it to the chart's value podPlacement.{value}"
        ),
        Reason::NotPermitted,
    )
}
