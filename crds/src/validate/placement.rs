//! What is wrong with an object's pod settings: in themselves, and as the installation permits them.

use super::{Fault, pod};
use crate::conditions::Reason;
use crate::kinds::PodSettings;
use crate::placement::{Placement, names};
use crate::world::World;

/// Everything that is wrong. Where the installation's permissions are not known, as on the command line, they are not judged.
pub(crate) fn faults(
    field: &str,
    settings: Option<&PodSettings>,
    containers: &[&str],
    world: &World,
) -> Vec<Fault> {
    let Some(settings) = settings else {
        return Vec::new();
    };
    let mut faults = pod::faults(field, settings, containers);
    if let Some(placement) = world.placement.as_deref() {
        let asked = Asked { field, settings };
        faults.extend(asked.placed(placement));
        faults.extend(asked.named(placement));
        faults.extend(asked.run(placement));
    }
    faults
}

struct Asked<'a> {
    field: &'a str,
    settings: &'a PodSettings,
}

impl Asked<'_> {
    /// Where they run.
    fn placed(&self, placement: &Placement) -> Vec<Fault> {
        let settings = self.settings;
        let tolerations = settings.tolerations.iter().enumerate();
        let tolerations = tolerations
            .filter(|(_, asked)| !placement.tolerates(asked))
            .map(|(index, _)| self.fault(&format!("tolerations[{index}]"), "toleration", "tolerations"));
        let labels = settings.node_selector.iter();
        let labels = labels
            .filter(|(label, value)| !placement.selects(label, value))
            .map(|(label, _)| self.fault(&format!("nodeSelector[{label}]"), "node label", "nodeSelector"));
        let affinity = settings.affinity.iter();
        let affinity = affinity
            .flat_map(|affinity| placement.beyond(affinity))
            .map(|(at, value)| self.fault(&format!("affinity.{at}"), "affinity", value));
        let spread = settings.topology_spread_constraints.iter().enumerate();
        let spread = spread
            .filter(|(_, spread)| !placement.topology_keys.contains(&spread.topology_key))
            .map(|(index, _)| {
                let at = format!("topologySpreadConstraints[{index}]");
                self.fault(&at, "topology key", "topologyKeys")
            });
        tolerations.chain(labels).chain(affinity).chain(spread).collect()
    }

    /// What others read of them.
    fn named(&self, placement: &Placement) -> Vec<Fault> {
        let labels = self.settings.labels.keys();
        let labels = labels
            .filter(|key| !names(&placement.labels, key))
            .map(|key| self.fault(&format!("labels[{key}]"), "label", "labels"));
        let annotations = self.settings.annotations.keys();
        let annotations = annotations
            .filter(|key| !names(&placement.annotations, key))
            .map(|key| self.fault(&format!("annotations[{key}]"), "annotation", "annotations"));
        labels.chain(annotations).collect()
    }

    /// As what they run.
    fn run(&self, placement: &Placement) -> Vec<Fault> {
        let settings = self.settings;
        let class = settings.runtime_class_name.as_deref();
        let class = class
            .filter(|class| !placement.runs_as(class))
            .map(|_| self.fault("runtimeClassName", "RuntimeClass", "runtimeClassNames"));
        let priority = settings.priority_class_name.as_ref();
        let priority = priority
            .filter(|class| !placement.priority_class_names.contains(*class))
            .map(|_| self.fault("priorityClassName", "PriorityClass", "priorityClassNames"));
        let secrets = settings.image_pull_secrets.iter();
        let secrets = secrets
            .filter(|secret| !placement.image_pull_secrets.contains(&secret.name))
            .map(|secret| {
                let at = format!("imagePullSecrets[{}]", secret.name);
                self.fault(&at, "pull secret", "imagePullSecrets")
            });
        let variables = settings.containers.iter().flat_map(|(name, container)| {
            let variables = container.env.keys();
            variables
                .filter(|variable| !placement.env.contains(*variable))
                .map(move |variable| format!("containers[{name}].env[{variable}]"))
        });
        let variables = variables.map(|at| self.fault(&at, "environment variable", "env"));
        let security = settings.security_context.as_ref();
        let security = security
            .filter(|_| !placement.security_context)
            .map(|_| self.fault("securityContext", "choice of user or labels", "securityContext"));
        let classes = class.into_iter().chain(priority);
        classes.chain(secrets).chain(variables).chain(security).collect()
    }

    fn fault(&self, at: &str, what: &str, value: &str) -> Fault {
        Fault::new(
            format!("{}.{at}", self.field),
            format!(
                "this installation does not permit this {what}: remove it, or have the administrator add it to the chart's value podPlacement.{value}"
            ),
            Reason::NotPermitted,
        )
    }
}
