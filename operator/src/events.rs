//! Events: what people read with `kubectl events`.

use kube::runtime::events::Reporter;

/// The operator, as whom it speaks in events.
pub(crate) fn reporter(instance: &str) -> Reporter {
    Reporter {
        controller: "monstrum.dev/operator".to_owned(),
        instance: Some(instance.to_owned()),
    }
}
