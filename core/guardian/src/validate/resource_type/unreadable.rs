//! Feeds of which no call can be read.

use serde_json::Value;

use crate::feed::CompiledFeed;
use crate::matching::Canonical;
use crate::parameters::{self, Place, Types};
use crate::source::{Match, Tool, Unit};

/// How many values of a list are told.
const TOLD: usize = 3;

/// Why the feed can never be read, and what to do.
pub(super) fn fault(tool: &Tool, feed: &CompiledFeed) -> Option<String> {
    let whole = feed.pointer().is_some();
    feed.pointers().find_map(|pointer| {
        let shape = match parameters::place(&tool.parameters, pointer) {
            Place::Value(shape) => shape,
            Place::WithinList(list) => return Some(within_list(pointer, &list)),
            Place::Undeclared => {
                return Some(format!(
                    "{pointer} leads to no parameter of {}; declare it or correct the pointer",
                    tool.name
                ));
            }
        };
        if !whole {
            return (!shape.types.meets(Types::STRING)).then(|| {
                let found = shape.types.words();
                format!("{pointer} is {found}, and a template puts strings together; declare it as a string, or feed a dimension by a pointer")
            });
        }
        let readable = readable(feed.matching());
        let is_read = shape.types.meets(readable)
            || (shape.types.meets(Types::ARRAY) && shape.items.meets(readable));
        if is_read {
            let literals = shape.literals.as_deref().unwrap_or_default();
            return unreadable_literals(pointer, feed.matching(), literals);
        }
        let found = if shape.types.meets(Types::ARRAY) {
            format!("a list, each item {}", shape.items.words())
        } else {
            shape.types.words()
        };
        Some(format!(
            "{pointer} is {found}, and {} compares {}, so no call can be judged; {}",
            kind(feed.matching()),
            readable.words(),
            remedy(pointer, shape.items, feed.matching())
        ))
    })
}

/// A feed reads a whole value, or every item of a list of plain values.
fn within_list(pointer: &str, list: &str) -> String {
    let name = list.trim_start_matches('/').replace('/', ".");
    let field = pointer.rsplit('/').next().unwrap_or_default();
    format!(
        "{pointer} leads into the list {list}, and a feed reads a value, or a list of plain values, as a whole; judge the list in a Cel dimension, for example call.arguments.{name}.all(item, item.{field} in ['a', 'b'])"
    )
}

/// The types that a kind of match can read.
fn readable(matching: &Match) -> Types {
    match matching {
        Match::Exact {} => Types::STRING.or(Types::NUMBER).or(Types::BOOLEAN),
        Match::Enum { values } => values.iter().map(Types::of).fold(Types::NONE, Types::or),
        Match::Range { unit: Unit::Number } => Types::NUMBER,
        Match::Range {
            unit: Unit::Duration | Unit::Bytes,
        } => Types::NUMBER.or(Types::STRING),
        Match::Glob { .. }
        | Match::Path {}
        | Match::Host {}
        | Match::Url {}
        | Match::Command {}
        | Match::Regex {} => Types::STRING,
        Match::Cel {} => Types::NONE,
    }
}

fn kind(matching: &Match) -> &'static str {
    match matching {
        Match::Exact {} => "Exact",
        Match::Enum { .. } => "Enum",
        Match::Glob { .. } => "Glob",
        Match::Path {} => "Path",
        Match::Host {} => "Host",
        Match::Url {} => "Url",
        Match::Command {} => "Command",
        Match::Range { .. } => "Range",
        Match::Regex {} => "Regex",
        Match::Cel {} => "Cel",
    }
}

fn remedy(pointer: &str, items: Types, matching: &Match) -> String {
    let plain = Types::STRING.or(Types::NUMBER).or(Types::BOOLEAN);
    match matching {
        Match::Range { unit: Unit::Number } => {
            "declare the parameter as a number, or give the dimension the unit duration or bytes".to_owned()
        }
        _ if !items.meets(plain) => {
            let name = pointer.trim_start_matches('/').replace('/', ".");
            format!(
                "judge it in a Cel dimension, for example call.arguments.{name}.all(item, item.name in ['a', 'b'])"
            )
        }
        _ => "declare the parameter so, or use another kind of match".to_owned(),
    }
}

/// A listed value that can't be judged, or that would become one that is not listed, is denied whatever a grant says.
fn unreadable_literals(pointer: &str, matching: &Match, literals: &[Value]) -> Option<String> {
    let told = |literals: Vec<&Value>| {
        let told: Vec<String> = literals.iter().take(TOLD).map(ToString::to_string).collect();
        told.join(", ")
    };
    let unreadable: Vec<&Value> = literals
        .iter()
        .filter(|value| !value.is_null() && Canonical::read(matching, value).is_err())
        .collect();
    if !unreadable.is_empty() {
        let told = told(unreadable);
        return Some(format!(
            "{pointer} may be {told}, which {} can't read, so it is always denied; correct the listed value",
            kind(matching)
        ));
    }
    literals.iter().find_map(|value| {
        let canonical = Canonical::read(matching, value).ok()?;
        let text = canonical.replacement()?;
        let is_listed = literals.iter().any(|other| other.as_str() == Some(text));
        (!is_listed).then(|| format!("{pointer} may be {value}, which is passed on as {text:?}; list it so"))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use crate::source::ResourceType;
    use crate::validate_resource_type;

    /// What is wrong with a tool whose parameter `a` is of this schema and feeds a dimension of this kind.
    fn fed(
        matching: serde_json::Value,
        parameter: serde_json::Value,
        from: serde_json::Value,
    ) -> Vec<(String, String)> {
        let resource_type: ResourceType = serde_json::from_value(json!({
            "name": "r", "executor": "http", "dimensions": [{"name": "d", "match": matching}],
            "tools": [{
                "name": "t", "description": "", "operation": "a.b", "scope": [{"dimension": "d", "from": from}],
                "parameters": {"type": "object", "properties": {"a": parameter, "b": {"type": "string"}}}
            }]
        }))
        .unwrap();
        validate_resource_type(&resource_type)
            .into_iter()
            .map(|fault| (fault.field, fault.message))
            .collect()
    }

    #[rstest]
    #[case::string_into_range(json!({"range": {}}), json!({"type": "string"}), "/a is a string, and Range compares a number")]
    #[case::number_into_glob(json!({"glob": {}}), json!({"type": "integer"}), "/a is a number, and Glob compares a string")]
    #[case::boolean_into_host(json!({"host": {}}), json!({"type": "boolean"}), "/a is a boolean")]
    #[case::object_into_exact(json!({"exact": {}}), json!({"type": "object"}), "/a is an object")]
    #[case::list_of_objects(
        json!({"exact": {}}),
        json!({"type": "array", "items": {"type": "object"}}),
        "/a is a list, each item an object"
    )]
    #[case::list_of_lists(json!({"path": {}}), json!({"type": "array", "items": {"type": "array"}}), "/a is a list")]
    #[case::text_into_numbers(json!({"enum": {"values": [1, 2]}}), json!({"type": "string"}), "Enum compares a number")]
    #[case::reference(json!({"url": {}}), json!({"anyOf": [{"type": "number"}, {"type": "null"}]}), "/a is a number")]
    #[case::listed_value(json!({"host": {}}), json!({"enum": ["https://example.com"]}), "Host can't read")]
    #[case::listed_form(json!({"host": {}}), json!({"enum": ["Example.COM"]}), "passed on as \"example.com\"")]
    fn a_feed_that_can_never_be_read_is_refused(
        #[case] matching: serde_json::Value,
        #[case] parameter: serde_json::Value,
        #[case] message: &str,
    ) {
        let faults = fed(matching, parameter, json!({"pointer": "/a"}));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, "tools[0].scope[0].from");
        assert!(faults[0].1.contains(message), "{faults:?}");
    }

    #[rstest]
    #[case(json!({"range": {"unit": "bytes"}}), json!({"type": "string"}))]
    #[case(json!({"exact": {}}), json!({"type": "array", "items": {"type": "integer"}}))]
    #[case(json!({"glob": {}}), json!({"type": ["string", "null"]}))]
    #[case(json!({"glob": {}}), json!({}))]
    #[case(json!({"host": {}}), json!({"enum": ["example.com", "10.0.0.1"]}))]
    #[case(json!({"exact": {}}), json!({"enum": ["a", 1, true, null]}))]
    #[case(json!({"path": {}}), json!({"type": "array"}))]
    fn a_feed_that_can_be_read_is_taken(
        #[case] matching: serde_json::Value,
        #[case] parameter: serde_json::Value,
    ) {
        assert_eq!(fed(matching, parameter, json!({"pointer": "/a"})), []);
    }

    #[test]
    fn a_template_takes_strings() {
        let glob = json!({"glob": {"separator": "/"}});
        let template = json!({"template": "{/a}/{/b}"});
        let faults = fed(glob.clone(), json!({"type": "integer"}), template.clone());
        assert!(
            faults[0].1.contains("a template puts strings together"),
            "{faults:?}"
        );
        assert_eq!(fed(glob, json!({"type": "string"}), template), []);
    }

    #[test]
    fn what_lies_within_a_list_is_said_to_be_out_of_reach() {
        let list = json!({"type": "array", "items": {"type": "object", "properties": {"file_id": {"type": "string"}}}});
        for pointer in ["/a/*/file_id", "/a/0/file_id", "/a/file_id"] {
            let faults = fed(json!({"exact": {}}), list.clone(), json!({"pointer": pointer}));
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].1.contains("leads into the list /a"), "{faults:?}");
            assert!(
                faults[0].1.contains("call.arguments.a.all(item, item.file_id in"),
                "{faults:?}"
            );
            assert!(!faults[0].1.contains("declare it"), "{faults:?}");
        }
    }
}
