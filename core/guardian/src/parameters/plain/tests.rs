use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::super::closed;
use super::*;
use crate::expression::Allowance;
use crate::schema::build;

fn plain(schema: &Value) -> Option<PlainObject> {
    PlainObject::of(&closed(schema))
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "description": "d", "properties": properties, "required": required})
}

#[rstest]
#[case::bound(json!({"type": "integer", "minimum": 1}))]
#[case::length(json!({"type": "string", "maxLength": 3}))]
#[case::format(json!({"type": "string", "format": "date"}))]
#[case::pattern(json!({"type": "string", "pattern": "a"}))]
#[case::several_types(json!({"type": ["string", "null"]}))]
#[case::no_type(json!({}))]
#[case::null(json!({"type": "null"}))]
#[case::object(json!({"type": "object", "properties": {"a": {"type": "string"}}}))]
#[case::reference(json!({"$ref": "#"}))]
#[case::alternatives(json!({"type": "string", "anyOf": [{"const": "a"}]}))]
#[case::numbers(json!({"type": "integer", "enum": [1]}))]
#[case::mixed(json!({"type": "string", "enum": ["a", 1]}))]
#[case::any_list(json!({"type": "array"}))]
#[case::distinct(json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}))]
#[case::list_of_more(json!({"type": "array", "items": {"type": "string", "minLength": 1}}))]
#[case::always(json!(true))]
fn leaves_what_says_more_to_the_validator(#[case] property: Value) {
    assert_eq!(plain(&object(json!({"a": property}), &[])), None);
}

#[rstest]
#[case::requires_undeclared(object(json!({"a": {"type": "string"}}), &["b"]))]
#[case::composed(json!({"type": "object", "properties": {}, "allOf": [{"required": ["a"]}]}))]
#[case::names(json!({"type": "object", "properties": {}, "propertyNames": {"maxLength": 1}}))]
#[case::counted(json!({"type": "object", "properties": {}, "minProperties": 1}))]
#[case::patterns(json!({"type": "object", "properties": {}, "patternProperties": {"a": {}}}))]
#[case::no_properties(json!({"type": "object"}))]
#[case::list(json!({"type": "array", "properties": {}}))]
fn leaves_other_objects_to_the_validator(#[case] schema: Value) {
    assert_eq!(plain(&schema), None);
}

#[test]
fn an_open_object_is_not_plain() {
    assert_eq!(PlainObject::of(&object(json!({}), &[])), None);
}

fn property() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string", "description": "d"})),
        Just(json!({"type": "string", "enum": ["a", "b"]})),
        Just(json!({"type": "integer", "default": 1})),
        Just(json!({"type": "number"})),
        Just(json!({"type": "boolean"})),
    ];
    leaf.prop_recursive(2, 4, 1, |inner| {
        inner.prop_map(|items| json!({"type": "array", "items": items}))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "[abc]{0,1}".prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        Just(json!(1.5)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|value| json!({"a": value})),
        ]
    })
}

proptest! {
    /// The comparison and the validator agree.
    #[test]
    fn agrees_with_the_validator(
        declared in prop::collection::btree_map("[abc]", property(), 0..3),
        requires in prop::collection::vec(any::<bool>(), 3),
        given in prop::collection::btree_map("[abc]", value(), 0..3),
    ) {
        let names: Vec<&str> = declared.keys().map(String::as_str).collect();
        let required: Vec<&str> = names.iter().zip(requires).filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        let schema = closed(&object(json!(declared), &required));
        let plain = PlainObject::of(&schema).expect("every property is plain");
        let arguments = json!(given);
        prop_assert_eq!(plain.admits(&arguments), build(&schema, &mut Allowance::default()).unwrap().is_valid(&arguments));
    }

    /// A value of the declared form is admitted, whatever the form is.
    #[test]
    fn admits_what_is_declared(number in any::<i32>(), text in ".{0,8}", texts in prop::collection::vec(".{0,4}", 0..4)) {
        let schema = object(json!({
            "n": {"type": "integer"}, "t": {"type": "string"}, "l": {"type": "array", "items": {"type": "string"}}
        }), &["t"]);
        let plain = plain(&schema).expect("every property is plain");
        let verdict = |arguments: Value| plain.admits(&arguments);
        prop_assert!(verdict(json!({"l": texts, "n": number, "t": text})), "everything");
        prop_assert!(verdict(json!({"t": text})), "what is required");
        prop_assert!(!verdict(json!({"n": number})), "without what is required");
    }
}
