//! Literal patterns that no value of any call can equal: above all `no`, which YAML reads as a boolean.

use serde_json::Value;

use crate::parameters::{self, Place, Types};
use crate::selector;
use crate::source::{Dimension, FeedFrom, Grant, Match, ResourceType};

/// Why a pattern can match nothing that the tools of the grant feed to its dimension.
pub(super) fn fault(
    grant: &Grant,
    resource_type: &ResourceType,
    dimension: &Dimension,
    pattern: &Value,
) -> Option<String> {
    if !matches!(dimension.matching, Match::Exact {} | Match::Enum { .. }) {
        return None;
    }
    let fed = fed(grant, resource_type, dimension)?;
    if fed.meets(Types::of(pattern)) {
        return None;
    }
    let remedy = match pattern {
        Value::Bool(flag) if fed.meets(Types::STRING) => {
            let words = if *flag {
                "yes, on, y and true"
            } else {
                "no, off, n and false"
            };
            format!("YAML reads {words} as {flag}: put the word in quotes")
        }
        Value::Number(_) if fed.meets(Types::STRING) => "put it in quotes".to_owned(),
        Value::String(_) => "remove the quotes".to_owned(),
        _ => "correct it".to_owned(),
    };
    let (found, wanted) = (Types::of(pattern).words(), fed.words());
    Some(format!(
        "{pattern} is {found}, and {} is fed {wanted}, so it matches nothing; {remedy}",
        dimension.name
    ))
}

/// The types of what the covered tools feed to the dimension. None where nothing does, which is told elsewhere.
fn fed(grant: &Grant, resource_type: &ResourceType, dimension: &Dimension) -> Option<Types> {
    let plain = Types::STRING.or(Types::NUMBER).or(Types::BOOLEAN);
    let tools = resource_type
        .tools
        .iter()
        .filter(|tool| selector::covers(grant, tool));
    let types = tools.flat_map(|tool| {
        let feeds = tool.scope.iter().filter(|feed| feed.dimension == dimension.name);
        feeds.map(|feed| match &feed.from {
            FeedFrom::Template(_) => Types::STRING,
            FeedFrom::Pointer(pointer) => match parameters::place(&tool.parameters, pointer) {
                Place::Value(shape) if shape.types.meets(Types::ARRAY) => shape.types.or(shape.items),
                Place::Value(shape) => shape.types,
                Place::WithinList(_) | Place::Undeclared => plain,
            },
        })
    });
    let fed = types.fold(Types::NONE, Types::or).and(plain);
    (fed != Types::NONE).then_some(fed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::source::{Grant, ResourceType};
    use crate::validate_grants;

    fn faults(parameter: serde_json::Value, pattern: serde_json::Value) -> Vec<(String, String)> {
        let resource_type: ResourceType = serde_json::from_value(json!({
            "name": "r", "executor": "http", "dimensions": [{"name": "d", "match": {"exact": {}}}],
            "tools": [{
                "name": "t", "description": "", "operation": "a.b",
                "scope": [{"dimension": "d", "from": {"pointer": "/a"}}],
                "parameters": {"type": "object", "properties": {"a": parameter}}
            }]
        }))
        .unwrap();
        let grant: Grant =
            serde_json::from_value(json!({"origin": "o", "operations": ["*"], "scope": {"d": [pattern]}}))
                .unwrap();
        validate_grants(&resource_type, &[grant])
            .into_iter()
            .map(|fault| (fault.field, fault.message))
            .collect()
    }

    #[rstest]
    #[case::no(json!({"type": "string"}), json!(false), "YAML reads no, off, n and false as false: put the word in quotes")]
    #[case::number(json!({"type": "string"}), json!(5), "put it in quotes")]
    #[case::quoted(json!({"type": "integer"}), json!("5"), "remove the quotes")]
    #[case::in_a_list(json!({"type": "array", "items": {"type": "string"}}), json!(true), "YAML reads yes")]
    fn a_pattern_of_another_type_is_refused(
        #[case] parameter: serde_json::Value,
        #[case] pattern: serde_json::Value,
        #[case] message: &str,
    ) {
        let faults = faults(parameter, pattern);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, "grants[0].scope.d[0]");
        assert!(faults[0].1.contains(message), "{faults:?}");
    }

    #[rstest]
    #[case(json!({"type": "string"}), json!("no"))]
    #[case(json!({"type": "boolean"}), json!(false))]
    #[case(json!({}), json!(false))]
    #[case(json!({"type": ["string", "integer"]}), json!(5))]
    fn a_pattern_of_a_type_that_is_fed_is_taken(
        #[case] parameter: serde_json::Value,
        #[case] pattern: serde_json::Value,
    ) {
        assert_eq!(faults(parameter, pattern), []);
    }
}
