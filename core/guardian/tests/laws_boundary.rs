//! The boundary of a workspace: what is found within it permits nothing that it does not permit.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/world.rs"]
mod world;

use monstrum_guardian::Engine;
use monstrum_guardian::compile;
use monstrum_guardian::containment::{Ceiling, exceeding, validate_boundary};
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::source::Grant;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

fn entry(fields: &Value) -> Ceiling {
    let grant = bot::grant("boundary", fields.clone());
    Ceiling {
        resource_types: vec!["forge".to_owned(), "desk".to_owned(), "shell".to_owned()],
        operations: grant.operations,
        tools: grant.tools,
        scope: grant.scope,
    }
}

fn entries(fields: &Value) -> Vec<Ceiling> {
    fields.as_array().unwrap().iter().map(entry).collect()
}

/// Field and message of what exceeds.
fn beyond(boundary: &Value, grant: &Value) -> Vec<(String, String)> {
    let grant = bot::grant("binding/code#0", grant.clone());
    exceeding(&bot::forge(), &entries(boundary), &[grant])
        .into_iter()
        .map(|fault| (fault.field, fault.message))
        .collect()
}

fn reading() -> Value {
    json!([{"operations": ["issue.read", "file.*"], "scope": {"repository": ["acme/*"]}}, {
        "operations": ["file.read"], "scope": {"repository": ["acme/*", "docs/*"], "path": ["docs/**"]}
    }])
}

#[rstest]
#[case::narrower(json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web"]}}))]
#[case::further_restriction(json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web"], "label": ["bug"]}}))]
#[case::second_entry(json!({"tools": ["read_file"], "scope": {"repository": ["docs/x", "acme/web"], "path": ["docs/a/*"]}}))]
#[case::permits_nothing(json!({"operations": ["file.delete"], "scope": {"repository": ["acme/web"], "label": ["x"]}}))]
#[case::permits_nothing_unset(json!({"operations": ["file.delete"], "scope": {"repository": ["evil/web"]}}))]
#[case::quota_is_no_part(json!({
    "operations": ["issue.read"], "scope": {"repository": ["acme/web"]}, "quotas": [{"name": "q", "counts": "Calls", "limit": 1}]
}))]
fn is_within(#[case] grant: Value) {
    assert_eq!(beyond(&reading(), &grant), []);
}

#[rstest]
#[case::another_value(
    json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web", "evil/*"]}}),
    "grants[0].scope.repository[1]",
    "repository evil/a"
)]
#[case::another_operation(
    json!({"operations": ["issue.*"], "scope": {"repository": ["acme/web"]}}),
    "grants[0]",
    "create_issue (operation issue.create)"
)]
#[case::tool_by_name(json!({"tools": ["whoami"]}), "grants[0]", "no entry names it")]
#[case::visible_though_it_permits_nothing(json!({"tools": ["create_issue"]}), "grants[0]", "create_issue")]
#[case::entry_leaves_out_what_must_be_said(
    json!({"tools": ["delete_file"], "scope": {"repository": ["acme/web"], "path": ["a"]}}),
    "grants[0].scope",
    "says nothing of path"
)]
#[case::dimensions_of_two_entries(
    json!({"tools": ["read_file"], "scope": {"repository": ["docs/x"], "path": ["src/**"]}}),
    "grants[0].scope.path[0]",
    "entry 1 that names tool read_file: path src/a"
)]
fn is_beyond(#[case] grant: Value, #[case] field: &str, #[case] part: &str) {
    let found = beyond(&reading(), &grant);
    assert!(
        found
            .iter()
            .any(|(at, message)| at == field && message.contains(part)),
        "{found:?}"
    );
}

/// A dimension that is left open, where calls need not say anything of it.
#[test]
fn an_open_dimension_exceeds_a_restriction() {
    let boundary = json!([{"operations": ["issue.read"], "scope": {"repository": ["**"], "label": ["bug"]}}]);
    let found = beyond(
        &boundary,
        &json!({"operations": ["issue.read"], "scope": {"repository": ["a/b"]}}),
    );
    assert_eq!(found[0].0, "grants[0].scope");
    assert!(found[0].1.contains("label is left open"), "{found:?}");
    let closed = json!({"operations": ["issue.read"], "scope": {"repository": ["a/b"], "label": ["bug"]}});
    assert_eq!(beyond(&boundary, &closed), []);
}

/// One call can feed a list of labels, of which each entry alone must admit all.
#[test]
fn values_of_one_grant_are_not_spread_over_entries() {
    let half = |label: &str| json!({"operations": ["issue.read"], "scope": {"repository": ["**"], "label": [label]}});
    let grant =
        json!({"operations": ["issue.read"], "scope": {"repository": ["a/b"], "label": ["bug", "docs"]}});
    let found = beyond(&json!([half("bug"), half("docs")]), &grant);
    assert_eq!(found[0].0, "grants[0].scope.label[1]");
    assert!(found[0].1.contains("label docs"), "{found:?}");
}

#[test]
fn the_example_is_beyond_every_entry() {
    let of = |repository: &str| json!({"operations": ["issue.read"], "scope": {"repository": [repository]}});
    let found = beyond(&json!([of("a/*"), of("b/*")]), &of("*/*"));
    assert!(
        found[0].1.contains("every entry") && found[0].1.contains("repository c/a"),
        "{found:?}"
    );
}

#[test]
fn an_entry_that_restricts_what_a_tool_does_not_say_covers_none_of_its_calls() {
    let boundary = json!([{"tools": ["*"], "scope": {"repository": ["**"], "path": ["**"]}}]);
    let found = beyond(
        &boundary,
        &json!({"operations": ["issue.read"], "scope": {"repository": ["a/b"]}}),
    );
    assert!(
        found[0]
            .1
            .contains("restricts path, of which calls of the tool say nothing"),
        "{found:?}"
    );
}

#[test]
fn an_empty_boundary_permits_nothing() {
    assert_eq!(beyond(&json!([]), &json!({"tools": ["whoami"]})).len(), 1);
}

#[test]
fn entries_are_about_the_types_that_they_name() {
    let mut other = entry(&json!({"tools": ["*"]}));
    other.resource_types = vec!["shell".to_owned()];
    let grant = bot::grant("binding/code#0", json!({"tools": ["whoami"]}));
    assert_eq!(exceeding(&bot::forge(), &[other], &[grant]).len(), 1);
}

/// A broken pattern permits nothing, and takes nothing away from other entries.
#[test]
fn a_faulty_entry_contains_nothing() {
    let broken = json!({"operations": ["issue.read"], "scope": {"repository": ["acme/{a,b}", "acme/*"]}});
    let grant = json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web"]}});
    let found = beyond(&json!([broken]), &grant);
    assert!(found[0].1.contains("cannot be used"), "{found:?}");
    let good = json!({"operations": ["issue.read"], "scope": {"repository": ["acme/*"]}});
    assert_eq!(beyond(&json!([broken, good]), &grant), []);
    let faults = validate_boundary(&bot::forge(), &entry(&broken));
    assert_eq!(faults[0].field, "scope.repository[0]");
}

#[test]
fn rules_are_compared_as_they_are_written() {
    let of = |rule: &str| json!({"tools": ["ping"], "scope": {"host": ["*.a.com"], "rule": [rule]}});
    let judged = |granted: &str| {
        let grant = bot::grant("binding/ops#0", of(granted));
        exceeding(&bot::desk(), &[entry(&of("call.tool == 'ping'"))], &[grant])
    };
    assert_eq!(judged("call.tool == 'ping'"), []);
    let faults = judged("call.tool == 'ping' && true");
    assert_eq!(faults[0].field, "grants[0].scope.rule");
    assert!(faults[0].message.contains("equal one"), "{faults:?}");
}

/// Hundreds of grants that are hard to compare end soon, and as refusals.
#[test]
fn many_hard_comparisons_end() {
    let hard = |tail: &str| format!("(a|b)*a(a|b){{24}}{tail}");
    let of = |ticket: &str| json!({"tools": ["close"], "scope": {"ticket": [ticket]}});
    let grants: Vec<Grant> = (0..200)
        .map(|place| bot::grant("binding/ops#0", of(&hard(&format!("x{{{place}}}")))))
        .collect();
    let start = std::time::Instant::now();
    let faults = exceeding(&bot::desk(), &[entry(&of("(a|b)*b(a|b){23}x*"))], &grants);
    assert_eq!(faults.len(), 200);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// The engine of a bot with these grants and no others, without what is no part of a boundary.
fn engine(grants: &[Value]) -> Engine {
    let grants: Vec<Value> = grants
        .iter()
        .map(|fields| json!({"operations": fields["operations"], "tools": fields["tools"], "scope": fields["scope"]}))
        .collect();
    Engine::load(&compile(&bot::source(vec![bot::binding("code", &bot::forge(), &grants)])).document).unwrap()
}

fn permits(engine: &Engine, (tool, arguments): &(&str, Value)) -> bool {
    let arguments = arguments.to_string();
    let decision = engine.check(
        &Call {
            tool,
            arguments: &arguments,
        },
        &Facts::default(),
    );
    matches!(decision.verdict, Verdict::Allow(_))
}

/// The grant, made wider.
fn wider(fields: &Value, more: &Value) -> Value {
    let mut wider = fields.clone();
    for key in ["operations", "tools"] {
        let both = [&fields[key], &more[key]].map(|list| list.as_array().cloned().unwrap_or_default());
        wider[key] = if both[0].is_empty() {
            json!([])
        } else {
            json!(both.concat())
        };
    }
    for (dimension, patterns) in wider["scope"].as_object_mut().unwrap() {
        let more = more["scope"][dimension].as_array().cloned().unwrap_or_default();
        patterns.as_array_mut().unwrap().extend(more);
    }
    wider
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn what_is_within_permits_nothing_beyond(
        grant in world::grant_fields(), more in world::grant_fields(), other in world::grant_fields(), related in any::<bool>(),
        calls in proptest::collection::vec(world::call(), 24)
    ) {
        let first = if related { wider(&grant, &more) } else { more };
        let boundary = [first, other];
        let granted = bot::grant("binding/code#0", grant.clone());
        let faults = exceeding(&bot::forge(), &boundary.each_ref().map(entry), &[granted]);
        if faults.is_empty() {
            let (inner, outer) = (engine(&[grant]), engine(&boundary));
            for call in &calls {
                prop_assert!(!permits(&inner, call) || permits(&outer, call), "{:?} {:?}", boundary, call);
            }
            for tool in inner.tools() {
                prop_assert!(outer.tools().iter().any(|other| other.name == tool.name), "{}", tool.name);
            }
        }
    }

    /// A grant is within itself, where anything is permitted at all.
    #[test]
    fn a_grant_is_within_itself(grant in world::grant_fields()) {
        let granted = bot::grant("binding/code#0", grant.clone());
        prop_assert_eq!(exceeding(&bot::forge(), &[entry(&grant)], &[granted]), []);
    }
}
