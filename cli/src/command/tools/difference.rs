//! Whether a gateway shows what the objects amount to.

use std::collections::BTreeSet;

use monstrum_wire::guardian::ListToolsResponse;

use super::row::Listing;
use crate::cluster::GatewayError;

/// What the user must know beside the listing.
pub(super) fn warnings(listing: &Listing, live: Result<&ListToolsResponse, &GatewayError>) -> Vec<String> {
    let live = match live {
        Ok(live) => live,
        Err(error) => {
            return vec![format!(
                "this is what the objects amount to; the gateway could not be asked: {error}"
            )];
        }
    };
    if live.policy_digest.is_empty() {
        return vec![
            "the gateway holds no policy: whatever the objects say, everything is denied now".to_owned(),
        ];
    }
    let expected: BTreeSet<(&str, String)> = listing
        .tools
        .iter()
        .map(|tool| (tool.name.as_str(), tool.parameters.to_string()))
        .collect();
    let enforced: BTreeSet<(&str, String)> = live
        .tools
        .iter()
        .map(|tool| (tool.name.as_str(), normal(&tool.parameters_json)))
        .collect();
    let names = |tools: &BTreeSet<(&str, String)>, others: &BTreeSet<(&str, String)>| {
        let names: BTreeSet<String> = tools
            .difference(others)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (missing, stale) = (names(&expected, &enforced), names(&enforced, &expected));
    let mut warnings = Vec::new();
    if !missing.is_empty() {
        warnings.push(format!(
            "the gateway (policy {}) does not show this way: {missing}",
            live.policy_digest
        ));
    }
    if !stale.is_empty() {
        warnings.push(format!(
            "the gateway (policy {}) still shows otherwise: {stale}",
            live.policy_digest
        ));
    }
    warnings
}

/// The same text for the same JSON.
fn normal(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json)
        .map_or_else(|_| json.to_owned(), |value| value.to_string())
}
