//! Where the pods of bots, channels and resources may run, as an installation permits it.
//!
//! A toleration reaches nodes that others are kept from, a node selector chooses among all of them, and a `RuntimeClass` can
//! carry both and another isolation besides. Whoever may write a Bot has none of these by that alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kinds::pod::{TaintEffect, Toleration, TolerationOperator};

/// What objects may say about where their pods run. What is not listed is not permitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Placement {
    /// Tolerations that may be asked for: these, and narrower ones.
    pub tolerations: Vec<Toleration>,
    /// Labels of nodes that may be selected by, each with the values that may be chosen.
    pub node_selector: BTreeMap<String, BTreeSet<String>>,
    /// Each `RuntimeClass` that may be chosen.
    pub runtime_class_names: BTreeSet<String>,
}

impl Placement {
    /// Whether a toleration may be asked for.
    pub fn tolerates(&self, asked: &Toleration) -> bool {
        self.tolerations.iter().any(|permitted| covers(permitted, asked))
    }

    /// Whether nodes with this label may be chosen.
    pub fn selects(&self, label: &str, value: &str) -> bool {
        self.node_selector
            .get(label)
            .is_some_and(|values| values.contains(value))
    }

    /// Whether this `RuntimeClass` may be chosen.
    pub fn runs_as(&self, class: &str) -> bool {
        self.runtime_class_names.contains(class)
    }
}

/// Whether every taint that `asked` tolerates is one that `permitted` tolerates.
fn covers(permitted: &Toleration, asked: &Toleration) -> bool {
    let key = permitted.key.as_deref().unwrap_or_default();
    let any_key = key.is_empty() && exists(permitted);
    let same_key = !key.is_empty() && asked.key.as_deref() == Some(key);
    let value = exists(permitted) || (!exists(asked) && permitted.value == asked.value);
    let effect = permitted.effect.is_none_or(|effect| asked.effect == Some(effect));
    // Only `NoExecute` knows a time; to stay for ever is more than to stay for a while.
    let time = match permitted.toleration_seconds {
        Some(most)
            if permitted
                .effect
                .is_none_or(|effect| effect == TaintEffect::NoExecute) =>
        {
            asked.toleration_seconds.is_some_and(|seconds| seconds <= most)
        }
        Some(_) | None => true,
    };
    (any_key || same_key) && value && effect && time
}

fn exists(toleration: &Toleration) -> bool {
    toleration.operator == Some(TolerationOperator::Exists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn toleration(value: Value) -> Toleration {
        serde_json::from_value(value).unwrap()
    }

    #[rstest]
    #[case::same(json!({"key": "bots", "value": "a"}), json!({"key": "bots", "value": "a"}), true)]
    #[case::operator_said(json!({"key": "bots", "value": "a"}), json!({"key": "bots", "operator": "Equal", "value": "a"}), true)]
    #[case::other_value(json!({"key": "bots", "value": "a"}), json!({"key": "bots", "value": "b"}), false)]
    #[case::any_value_of_one(json!({"key": "bots", "value": "a"}), json!({"key": "bots", "operator": "Exists"}), false)]
    #[case::one_value_of_any(json!({"key": "bots", "operator": "Exists"}), json!({"key": "bots", "value": "b"}), true)]
    #[case::other_key(json!({"key": "bots", "operator": "Exists"}), json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}), false)]
    #[case::every_key(json!({"key": "bots", "operator": "Exists"}), json!({"operator": "Exists"}), false)]
    #[case::empty_key(json!({"key": "bots", "operator": "Exists"}), json!({"key": "", "operator": "Exists"}), false)]
    #[case::effect(json!({"key": "bots", "operator": "Exists", "effect": "NoSchedule"}), json!({"key": "bots", "operator": "Exists", "effect": "NoSchedule"}), true)]
    #[case::other_effect(json!({"key": "bots", "operator": "Exists", "effect": "NoSchedule"}), json!({"key": "bots", "operator": "Exists", "effect": "NoExecute"}), false)]
    #[case::every_effect(json!({"key": "bots", "operator": "Exists", "effect": "NoSchedule"}), json!({"key": "bots", "operator": "Exists"}), false)]
    #[case::for_ever(json!({"key": "bots", "operator": "Exists", "tolerationSeconds": 60}), json!({"key": "bots", "operator": "Exists"}), false)]
    #[case::shorter(json!({"key": "bots", "operator": "Exists", "tolerationSeconds": 60}), json!({"key": "bots", "operator": "Exists", "tolerationSeconds": 30}), true)]
    #[case::all(json!({"operator": "Exists"}), json!({"key": "anything", "value": "x", "effect": "NoExecute"}), true)]
    #[case::nothing_said(json!({}), json!({"key": "bots"}), false)]
    #[case::nothing_asked(json!({"key": "bots"}), json!({}), false)]
    fn a_toleration_is_permitted_when_a_wider_one_is(
        #[case] permitted: Value,
        #[case] asked: Value,
        #[case] expected: bool,
    ) {
        let placement = Placement {
            tolerations: vec![toleration(permitted)],
            ..Placement::default()
        };
        assert_eq!(placement.tolerates(&toleration(asked)), expected);
    }

    #[test]
    fn nothing_is_permitted_where_nothing_is_said() {
        let placement: Placement = serde_json::from_value(json!({})).unwrap();
        assert_eq!(placement, Placement::default());
        assert!(!placement.tolerates(&toleration(json!({"key": "bots"}))));
        assert!(!placement.selects("disk", "ssd") && !placement.runs_as("gvisor"));
    }

    #[test]
    fn a_misspelt_permission_is_an_error() {
        assert!(
            serde_json::from_value::<Placement>(json!({"tolerations": [], "nodeSelectors": {}})).is_err()
        );
    }
}
