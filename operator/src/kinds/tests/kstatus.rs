//! The rules by which kstatus judges objects of kinds that it does not know: Flux, kpt and `cli-utils` wait by them.

use serde_json::Value;

/// What kstatus makes of an object.
pub(super) fn kstatus(object: &Value) -> &'static str {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating";
    }
    let (generation, observed) = (
        &object["metadata"]["generation"],
        &object["status"]["observedGeneration"],
    );
    if generation.is_i64() && observed.is_i64() && generation != observed {
        return "InProgress";
    }
    let conditions = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let holds = |condition: &Value, about: &str| condition["type"] == about && condition["status"] == "True";
    for condition in &conditions {
        if holds(condition, "Reconciling") {
            return "InProgress";
        }
        if holds(condition, "Stalled") {
            return "Failed";
        }
    }
    match conditions.iter().find(|condition| condition["type"] == "Ready") {
        Some(ready) if ready["status"] == "True" => "Current",
        Some(_) => "InProgress",
        None => "Current",
    }
}
