//! Namespaces for which nothing may be done.

use super::settled;
use crate::fake_api::Call;
use crate::index::Owned;
use crate::scenario::{NAMESPACE, Scenario, bot};

/// What was written in the namespace.
fn writes(scenario: &Scenario) -> Vec<Call> {
    let writes = scenario.api.take_writes().into_iter();
    writes.filter(|call| call.path.contains(NAMESPACE)).collect()
}

#[tokio::test]
async fn nothing_is_written_where_another_installation_governs() {
    let scenario = Scenario::full();
    scenario.index.ownership.require("monstrum-b");
    scenario.settle().await;
    assert_eq!(writes(&scenario), [], "nobody is known to govern it");
    scenario
        .index
        .ownership
        .set(NAMESPACE, Some(Owned::Theirs("monstrum-a".to_owned())));
    scenario.settle().await;
    assert_eq!(writes(&scenario), []);
    assert_eq!(scenario.index.lease(NAMESPACE), None, "and nothing is served");
    scenario.index.ownership.set(NAMESPACE, Some(Owned::Ours));
    scenario.settle().await;
    assert!(!writes(&scenario).is_empty());
}

#[tokio::test]
async fn a_namespace_that_is_too_large_says_so_and_is_not_in_force() {
    let (scenario, _session) = settled().await;
    assert!(scenario.index.lease(NAMESPACE).is_some());
    let budget = &scenario.index.budget;
    budget.put("Secret", NAMESPACE, "huge", 100 << 20);
    assert_eq!(scenario.index.lease(NAMESPACE), None);
    scenario.settle().await;
    for (kind, name) in [("Bot", "triage"), ("BotBinding", "reader"), ("Channel", "inbox")] {
        let conditions = scenario.conditions(kind, name);
        assert!(
            conditions.contains("Ready False TooLarge nothing is permitted: "),
            "{conditions}"
        );
        assert!(conditions.contains("take 104857600 bytes"), "{conditions}");
    }
    assert!(
        scenario.hub.standing(&bot()).is_some(),
        "nothing is taken back either"
    );
    budget.remove("Secret", NAMESPACE, "huge");
    scenario.settle().await;
    assert!(scenario.conditions("Bot", "triage").contains("Ready True"));
}
