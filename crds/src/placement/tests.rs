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
    assert!(serde_json::from_value::<Placement>(json!({"tolerations": [], "nodeSelectors": {}})).is_err());
}

#[rstest]
#[case::listed(json!({"key": "pool", "operator": "In", "values": ["bots"]}), true)]
#[case::not_listed(json!({"key": "pool", "operator": "In", "values": ["bots", "control"]}), false)]
#[case::of_nothing(json!({"key": "pool", "operator": "In"}), false)]
#[case::all_but(json!({"key": "pool", "operator": "NotIn", "values": ["bots"]}), false)]
#[case::any(json!({"key": "pool", "operator": "Exists"}), false)]
#[case::without(json!({"key": "pool", "operator": "DoesNotExist"}), false)]
#[case::other_label(json!({"key": "node-role.kubernetes.io/control-plane", "operator": "In", "values": [""]}), false)]
fn an_affinity_reaches_no_node_that_a_selector_may_not(#[case] requirement: Value, #[case] expected: bool) {
    let placement: Placement = serde_json::from_value(json!({"nodeSelector": {"pool": ["bots"]}})).unwrap();
    let term = json!({"matchExpressions": [requirement]});
    for affinity in [
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}),
        json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": term}]}}),
    ] {
        let affinity: Affinity = serde_json::from_value(affinity).unwrap();
        assert_eq!(placement.beyond(&affinity).is_empty(), expected, "{affinity:?}");
    }
}

#[test]
fn pods_are_kept_near_or_away_by_listed_places_only() {
    let placement: Placement = serde_json::from_value(json!({"topologyKeys": ["zone"]})).unwrap();
    for (key, expected) in [("zone", true), ("kubernetes.io/hostname", false)] {
        let term = json!({"topologyKey": key});
        for affinity in [
            json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}),
            json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}}),
        ] {
            let affinity: Affinity = serde_json::from_value(affinity).unwrap();
            assert_eq!(placement.beyond(&affinity).is_empty(), expected, "{affinity:?}");
        }
    }
}

#[rstest]
#[case("acme.example/team", true)]
#[case("cost", true)]
#[case("acme.example.evil/team", false)]
#[case("acme", false)]
#[case("other/cost", false)]
fn keys_are_listed_one_by_one_or_by_prefix(#[case] key: &str, #[case] expected: bool) {
    let keys = ["acme.example/*", "cost"].map(str::to_owned).into();
    assert_eq!(names(&keys, key), expected);
}
