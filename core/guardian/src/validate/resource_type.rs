//! What is wrong with a resource type.

use std::collections::BTreeSet;

use crate::expression::Allowance;
use crate::fault::FieldFault;
use crate::feed::CompiledFeed;
use crate::matching::Canonical;
use crate::parameters;
use crate::selector;
use crate::source::{Dimension, Match, ResourceType, Tool};

/// What is wrong with a resource type, ordered by field. Fields are relative to its spec, for example `tools[0].scope[1]`.
pub fn validate_resource_type(resource_type: &ResourceType) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for (place, dimension) in resource_type.dimensions.iter().enumerate() {
        let field = format!("dimensions[{place}]");
        if !selector::is_word(&dimension.name) {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                "use letters, digits, _ and - only",
            ));
        }
        if !names.insert(&dimension.name) {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                format!("{} is declared twice; rename one", dimension.name),
            ));
        }
        check_match(&dimension.matching, &field, &mut faults);
    }
    let mut names = BTreeSet::new();
    let mut allowance = Allowance::default();
    for (place, tool) in resource_type.tools.iter().enumerate() {
        let field = format!("tools[{place}]");
        if !names.insert(&tool.name) {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                format!("{} is declared twice; rename one", tool.name),
            ));
        }
        check_tool(
            tool,
            &resource_type.dimensions,
            &field,
            &mut allowance,
            &mut faults,
        );
    }
    faults.sort();
    faults
}

fn check_match(matching: &Match, field: &str, faults: &mut Vec<FieldFault>) {
    match matching {
        Match::Enum { values } => {
            if values.is_empty() {
                faults.push(FieldFault::new(
                    format!("{field}.match.enum.values"),
                    "there is no value; list them",
                ));
            }
            for (place, value) in values.iter().enumerate() {
                if let Err(fault) = Canonical::read(&Match::Exact {}, value) {
                    let field = format!("{field}.match.enum.values[{place}]");
                    faults.push(FieldFault::new(field, format!("{value} {fault}")));
                }
            }
        }
        Match::Glob {
            separator: Some(separator),
        } => {
            let usable = separator.is_ascii_punctuation() && !"*\\?[]{}".contains(*separator);
            if !usable {
                let message =
                    format!("{separator:?} cannot separate segments; use punctuation such as / or .");
                faults.push(FieldFault::new(format!("{field}.match.glob.separator"), message));
            }
        }
        Match::Exact {}
        | Match::Glob { separator: None }
        | Match::Path {}
        | Match::Host {}
        | Match::Url {}
        | Match::Command {}
        | Match::Range { .. }
        | Match::Regex {}
        | Match::Cel {} => {}
    }
}

fn check_tool(
    tool: &Tool,
    dimensions: &[Dimension],
    field: &str,
    allowance: &mut Allowance,
    faults: &mut Vec<FieldFault>,
) {
    if !selector::is_tool_name(&tool.name) {
        let message = format!(
            "{:?} is not a tool name; use 1 to 64 letters, digits, _ and -",
            tool.name
        );
        faults.push(FieldFault::new(format!("{field}.name"), message));
    }
    if !selector::is_operation(&tool.operation) {
        let message = format!(
            "{:?} is not an operation; write words with dots between, such as issue.read",
            tool.operation
        );
        faults.push(FieldFault::new(format!("{field}.operation"), message));
    }
    for fault in parameters::faults(&tool.parameters, allowance) {
        let dot = if fault.field.is_empty() { "" } else { "." };
        faults.push(FieldFault::new(
            format!("{field}.parameters{dot}{}", fault.field),
            fault.message,
        ));
    }
    let mut feeds: Vec<CompiledFeed> = Vec::new();
    for (place, feed) in tool.scope.iter().enumerate() {
        let field = format!("{field}.scope[{place}]");
        match CompiledFeed::compile(feed, dimensions) {
            Err(message) => faults.push(FieldFault::new(field, message)),
            Ok(compiled) => {
                if let Some(pointer) = compiled
                    .pointers()
                    .find(|pointer| !parameters::declares(&tool.parameters, pointer))
                {
                    let message = format!(
                        "{pointer} leads to no parameter of {}; declare it or correct the pointer",
                        tool.name
                    );
                    faults.push(FieldFault::new(format!("{field}.from"), message));
                }
                if feeds.iter().any(|other| rewrite_each_other(other, &compiled)) {
                    let message = "the parameter is given another canonical form by another feed; feed dimensions of one kind";
                    faults.push(FieldFault::new(format!("{field}.from"), message));
                }
                feeds.push(compiled);
            }
        }
    }
}

/// Whether two feeds put different canonical forms in one place.
fn rewrite_each_other(left: &CompiledFeed, right: &CompiledFeed) -> bool {
    let overlap = |a: &str, b: &str| {
        a == b
            || a.strip_prefix(b)
                .or_else(|| b.strip_prefix(a))
                .is_some_and(|r| r.starts_with('/'))
    };
    left.rewrites()
        && right.rewrites()
        && left.matching() != right.matching()
        && left.pointers().any(|a| right.pointers().any(|b| overlap(a, b)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn resource_type(dimensions: Value, tool: Value) -> ResourceType {
        let mut full = json!({
            "name": "t", "description": "", "operation": "a.b",
            "parameters": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
        });
        for (key, value) in tool.as_object().unwrap() {
            full[key] = value.clone();
        }
        serde_json::from_value(
            json!({"name": "r", "executor": "http", "dimensions": dimensions, "tools": [full]}),
        )
        .unwrap()
    }

    fn feed(dimension: &str, pointer: &str) -> Value {
        json!({"dimension": dimension, "from": {"pointer": pointer}})
    }

    #[rstest]
    #[case::tool_name(json!([]), json!({"name": "a b"}), "tools[0].name", "not a tool name")]
    #[case::tool_name_long(json!([]), json!({"name": "a".repeat(65)}), "tools[0].name", "not a tool name")]
    #[case::operation(json!([]), json!({"operation": "issue.*"}), "tools[0].operation", "not an operation")]
    #[case::parameters(json!([]), json!({"parameters": {"type": "array"}}), "tools[0].parameters.type", "type object")]
    #[case::remote(
        json!([]),
        json!({"parameters": {"type": "object", "properties": {"a": {"$ref": "http://x/y"}}}}),
        "tools[0].parameters.properties.a.$ref",
        "outside"
    )]
    #[case::unknown_dimension(json!([]), json!({"scope": [feed("d", "/a")]}), "tools[0].scope[0]", "no dimension d")]
    #[case::undeclared_parameter(
        json!([{"name": "d", "match": {"exact": {}}}]),
        json!({"scope": [feed("d", "/c")]}),
        "tools[0].scope[0].from",
        "leads to no parameter"
    )]
    #[case::bad_template(
        json!([{"name": "d", "match": {"exact": {}}}]),
        json!({"scope": [{"dimension": "d", "from": {"template": "{/a}{/b}"}}]}),
        "tools[0].scope[0]",
        "nothing between"
    )]
    #[case::fed_rule(
        json!([{"name": "d", "match": {"cel": {}}}]),
        json!({"scope": [feed("d", "/a")]}),
        "tools[0].scope[0]",
        "fed nothing"
    )]
    #[case::two_forms(
        json!([{"name": "d", "match": {"path": {}}}, {"name": "e", "match": {"url": {}}}]),
        json!({"scope": [feed("d", "/a"), feed("e", "/a")]}),
        "tools[0].scope[1].from",
        "another canonical form"
    )]
    #[case::twice(
        json!([{"name": "d", "match": {"exact": {}}}, {"name": "d", "match": {"path": {}}}]),
        json!({}),
        "dimensions[1].name",
        "twice"
    )]
    #[case::no_values(json!([{"name": "d", "match": {"enum": {"values": []}}}]), json!({}), "dimensions[0].match.enum.values", "no value")]
    #[case::object_value(
        json!([{"name": "d", "match": {"enum": {"values": [{}]}}}]),
        json!({}),
        "dimensions[0].match.enum.values[0]",
        "not a string"
    )]
    #[case::separator(
        json!([{"name": "d", "match": {"glob": {"separator": "*"}}}]),
        json!({}),
        "dimensions[0].match.glob.separator",
        "cannot separate"
    )]
    fn finds(#[case] dimensions: Value, #[case] tool: Value, #[case] field: &str, #[case] reason: &str) {
        let faults = validate_resource_type(&resource_type(dimensions, tool));
        assert!(
            faults
                .iter()
                .any(|fault| fault.field == field && fault.message.contains(reason)),
            "{faults:?}"
        );
    }

    #[test]
    fn a_good_type_has_no_faults() {
        let good = resource_type(
            json!([{"name": "d", "match": {"glob": {"separator": "/"}}}, {"name": "r", "match": {"cel": {}}, "whenUnset": "Allow"}]),
            json!({"scope": [{"dimension": "d", "from": {"template": "{/a}/{/b}"}}]}),
        );
        assert_eq!(validate_resource_type(&good), []);
    }

    #[test]
    fn finds_a_tool_twice() {
        let mut twice = resource_type(json!([]), json!({}));
        twice.tools.push(twice.tools[0].clone());
        assert_eq!(validate_resource_type(&twice)[0].field, "tools[1].name");
    }
}
