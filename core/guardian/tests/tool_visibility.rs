//! What the model sees: names and narrowed schemas, never more than it may say.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, desk, engine, forge, shell};
use rstest::rstest;
use serde_json::{Value, json};

fn parameter(grants: &[Value], tool: &str, parameter: &str) -> Value {
    let engine = engine(vec![binding("code", &forge(), grants)]);
    let tools = engine.tools();
    let tool = tools.iter().find(|visible| visible.name == tool).unwrap();
    tool.parameters["properties"][parameter].clone()
}

fn reads(scope: Value) -> Value {
    json!({"tools": ["list_issues", "read_file"], "scope": scope})
}

#[test]
fn a_visible_tool_is_complete() {
    let engine = engine(vec![
        binding(
            "code",
            &forge(),
            &[json!({
                "operations": ["issue.*"], "scope": {"repository": ["acme/web"], "state": ["open"], "label": ["bug", "docs"]}
            })],
        ),
        binding(
            "box",
            &shell(),
            &[json!({"tools": ["run"], "scope": {"command": ["ls **"]}})],
        ),
        binding(
            "ops",
            &desk(),
            &[json!({"tools": ["ping"], "scope": {"host": ["db.example.com"]}})],
        ),
    ]);
    insta::assert_json_snapshot!(engine.tools());
    assert_eq!(engine.summary(), None);
}

#[rstest]
#[case::one(&[json!({"state": ["open"]})], json!({"type": "string", "const": "open"}))]
#[case::all_alternatives(&[json!({"state": ["open", "closed"]})], json!({"type": "string", "enum": ["closed", "open"]}))]
#[case::of_two_grants(&[json!({"state": ["open"]}), json!({"state": ["closed"]})], json!({"type": "string", "enum": ["closed", "open"]}))]
#[case::a_grant_without_it(&[json!({"state": ["open"]}), json!({"label": ["x"]})], json!({"type": "string"}))]
fn states(#[case] scopes: &[Value], #[case] expected: Value) {
    let grants: Vec<_> = scopes
        .iter()
        .map(|scope| {
            let mut scope = scope.clone();
            scope["repository"] = json!(["acme/*"]);
            reads(scope)
        })
        .collect();
    assert_eq!(parameter(&grants, "list_issues", "state"), expected);
}

#[test]
fn elements_of_a_list_are_narrowed() {
    let schema = parameter(
        &[reads(json!({"repository": ["a/b"], "label": ["bug", "docs"]}))],
        "list_issues",
        "labels",
    );
    assert_eq!(
        schema,
        json!({"type": "array", "items": {"type": "string", "enum": ["bug", "docs"]}})
    );
}

#[test]
fn parts_of_a_template_are_not_narrowed() {
    assert_eq!(
        parameter(
            &[reads(json!({"repository": ["acme/web"]}))],
            "list_issues",
            "owner"
        ),
        json!({"type": "string"})
    );
}

#[test]
fn only_exact_patterns_become_schema_patterns() {
    let scope = |path: &str| reads(json!({"repository": ["acme/web"], "path": [path]}));
    // A path has many spellings, which a regular expression over the text would refuse.
    assert_eq!(
        parameter(&[scope("docs/**")], "read_file", "path"),
        json!({"type": "string"})
    );
    assert_eq!(
        parameter(&[scope("docs/a.md")], "read_file", "path"),
        json!({"type": "string", "const": "docs/a.md"})
    );
}

/// A grant that can permit no call of the tool does not widen its schema, and does not hide it.
#[test]
fn a_grant_that_permits_nothing_does_not_count() {
    let grants = [
        reads(json!({"repository": ["acme/web"], "state": ["open"]})),
        json!({"tools": ["list_issues"]}),
    ];
    assert_eq!(
        parameter(&grants, "list_issues", "state"),
        json!({"type": "string", "const": "open"})
    );
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[json!({"tools": ["list_issues"]})],
    )]);
    assert_eq!(engine.tools().len(), 1);
}
