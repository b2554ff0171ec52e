//! Namespaces for which nothing may be done.

use super::settled;
use crate::index::Owned;
use crate::scenario::{NAMESPACE, Scenario, bot};

#[tokio::test]
async fn nothing_is_written_where_another_installation_governs() {
    let scenario = Scenario::full();
    scenario.index.ownership.require("monstrum-b");
    scenario.settle().await;
    assert_eq!(scenario.api.take_writes(), [], "nobody is known to govern it");
    scenario
        .index
        .ownership
        .set(NAMESPACE, Some(Owned::Theirs("monstrum-a".to_owned())));
    scenario.settle().await;
    assert_eq!(scenario.api.take_writes(), []);
    assert_eq!(scenario.index.lease(NAMESPACE), None, "and nothing is served");
    scenario.index.ownership.set(NAMESPACE, Some(Owned::Ours));
    scenario.settle().await;
    assert!(!scenario.api.take_writes().is_empty());
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
