//! Laws of advice: applied, it permits the call, and of other calls only those that say the same.

use monstrum_crds::kinds::{Ceiling, Workspace, WorkspaceSpec};
use monstrum_crds::world::World;
use monstrum_guardian::decision::Permit;
use monstrum_guardian::source::{BotName, BotSource, ResourceType, RunnerRef};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn shop(when_unset: &str) -> Arc<ResourceType> {
    let dimensions = json!([
        {"name": "place", "match": {"glob": {"separator": "/"}}},
        {"name": "path", "match": {"path": {}}, "whenUnset": when_unset},
        {"name": "name", "match": {"regex": {}}, "whenUnset": "Allow"},
        {"name": "line", "match": {"command": {}}, "whenUnset": "Allow"},
        {"name": "host", "match": {"host": {}}, "whenUnset": "Allow"},
        {"name": "count", "match": {"range": {}}, "whenUnset": "Allow"},
        {"name": "rule", "match": {"cel": {}}, "whenUnset": "Allow"}
    ]);
    let text = json!({"type": "string"});
    let tool = |name: &str, operation: &str| {
        json!({
            "name": name, "description": "", "operation": operation,
            "parameters": {
                "type": "object", "required": ["place"],
                "properties": {
                    "place": text, "path": text, "name": text, "line": text, "host": text, "count": {"type": "integer"},
                    "names": {"type": "array", "items": text}, "note": text
                }
            },
            "scope": [
                {"dimension": "place", "from": {"pointer": "/place"}}, {"dimension": "path", "from": {"pointer": "/path"}},
                {"dimension": "name", "from": {"pointer": "/name"}}, {"dimension": "line", "from": {"pointer": "/line"}},
                {"dimension": "host", "from": {"pointer": "/host"}}, {"dimension": "count", "from": {"pointer": "/count"}},
                {"dimension": "name", "from": {"pointer": "/names"}}
            ]
        })
    };
    Arc::new(ResourceType {
        name: "shop".to_owned(),
        executor: "http".to_owned(),
        dimensions: serde_json::from_value(dimensions).unwrap(),
        tools: serde_json::from_value(json!([tool("buy", "order.create"), tool("look", "order.read")]))
            .unwrap(),
    })
}

fn policy(resource_type: Arc<ResourceType>, grants: Vec<Grant>, world: World) -> BotPolicy {
    let binding = BindingSource {
        name: "desk".to_owned(),
        alias: None,
        resource: "desk".to_owned(),
        description: None,
        resource_type,
        config: json!({}),
        credential: None,
        runner: RunnerRef::Bot,
        grants,
    };
    let source = BotSource {
        bot: BotName {
            namespace: "team".to_owned(),
            name: "helper".to_owned(),
        },
        bindings: vec![binding],
        budgets: Vec::new(),
        delegations: Vec::new(),
    };
    let policy = BotPolicy::compile(source, Arc::new(world)).unwrap();
    assert_eq!(policy.faults, []);
    policy
}

fn bounded(scope: Value) -> World {
    let mut world = World::new("team");
    let spec = WorkspaceSpec {
        boundary: Some(vec![Ceiling {
            resource_types: vec!["shop".to_owned()],
            operations: vec!["*".to_owned()],
            tools: Vec::new(),
            scope: serde_json::from_value(scope).unwrap(),
        }]),
        ..WorkspaceSpec::default()
    };
    world.workspace = Some(Arc::new(Workspace::new("workspace", spec)));
    world
}

fn grant(number: usize, mut fields: Value) -> Grant {
    fields["origin"] = json!(format!("binding/desk#{number}"));
    serde_json::from_value(fields).unwrap()
}

fn decided(policy: &BotPolicy, tool: &str, arguments: &Value) -> Decision {
    let arguments = arguments.to_string();
    let facts = policy.fresh_facts(jiff::Timestamp::UNIX_EPOCH);
    let call = Call {
        tool,
        arguments: &arguments,
    };
    policy.engine.explain(&call, &facts)
}

fn advised(policy: &BotPolicy, tool: &str, arguments: &Value) -> Vec<Requirement> {
    let decision = decided(policy, tool, arguments);
    let arguments = arguments.to_string();
    let call = Call {
        tool,
        arguments: &arguments,
    };
    requirements(policy, &call, &decision)
}

fn applied(policy: &BotPolicy, advice: &Requirement) -> BotPolicy {
    let mut source = policy.source.clone();
    let grant = json!({
        "origin": "binding/desk#9", "operations": [advice.operation], "tools": [advice.tool], "scope": advice.scope,
        "approval": advice.approval
    });
    source.bindings[0]
        .grants
        .push(serde_json::from_value(grant).unwrap());
    let policy = BotPolicy::compile(source, Arc::clone(&policy.world)).unwrap();
    assert_eq!(policy.faults, []);
    policy
}

fn permit(decision: &Decision) -> Option<&Permit> {
    match &decision.verdict {
        Verdict::Allow(permit) | Verdict::NeedsApproval(permit) => Some(permit),
        Verdict::Deny(_) => None,
    }
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let scope =
        |patterns: &[&'static str]| proptest::option::weighted(0.4, subsequence(patterns.to_vec(), 1..3));
    let rules = vec![
        "call.arguments.place == 'acme/web'",
        "size(call.arguments.place) < 9",
    ];
    let one = (
        select(vec!["order.*", "order.read", "order.create"]),
        subsequence(vec!["acme/*", "acme/web", "**"], 1..3),
        scope(&["docs/**", "docs/*", "a"]),
        scope(&["[a-z]+", "a.b"]),
        scope(&["ls **", "cat a"]),
        proptest::option::weighted(0.15, subsequence(rules, 1..3)),
        any::<bool>(),
    );
    let one = one.prop_map(|(operation, place, path, name, line, rule, asks)| {
        let mut scope = json!({"place": place});
        for (key, patterns) in [("path", path), ("name", name), ("line", line), ("rule", rule)] {
            if let Some(patterns) = patterns {
                scope[key] = json!(patterns);
            }
        }
        let approval = if asks { json!([{}]) } else { json!([]) };
        json!({"operations": [operation], "scope": scope, "approval": approval})
    });
    proptest::collection::vec(one, 0..4).prop_map(|grants| {
        grants
            .into_iter()
            .enumerate()
            .map(|(number, fields)| grant(number, fields))
            .collect()
    })
}

/// Calls whose values look like patterns.
fn call() -> impl Strategy<Value = (&'static str, Value)> {
    let maybe = |values: &[&'static str]| proptest::option::weighted(0.5, select(values.to_vec()));
    (
        select(vec!["buy", "look"]),
        select(vec!["acme/web", "acme/*", "**", "*", "evil/a\\b", "a[b]{c}?"]),
        maybe(&["docs/a", "docs/*", "**", "./docs//a", "a"]),
        maybe(&[".*", "a.b", "axb", "(a|b)", "a\nb"]),
        maybe(&[
            "ls a",
            "ls '*'",
            "cat '**'",
            "cat a",
            "ls --all",
            "echo 'it'\\''s'",
        ]),
        maybe(&["example.com", "kubernetes.default", "10.1.2.3", "0x0a010203"]),
        proptest::option::weighted(0.3, 0_i64..3),
        proptest::option::weighted(0.3, subsequence(vec!["x", ".*", "y"], 0..3)),
    )
        .prop_map(|(tool, place, path, name, line, host, count, names)| {
            let mut call = json!({"place": place});
            for (key, value) in [("path", path), ("name", name), ("line", line), ("host", host)] {
                if let Some(value) = value {
                    call[key] = json!(value);
                }
            }
            if let Some(count) = count {
                call["count"] = json!(count);
            }
            if let Some(names) = names {
                call["names"] = json!(names);
            }
            (tool, call)
        })
}

/// Every value of a dimension that the call which was meant speaks of is one that it gave.
fn says_the_same(advice: &Requirement, meant: &Permit, permit: &Permit) -> Result<(), TestCaseError> {
    prop_assert_eq!(&permit.tool, &meant.tool);
    let (said, values) = (json!(permit.canonical), json!(meant.canonical));
    for (dimension, given) in said.as_object().unwrap() {
        let mut open = advice.open.iter();
        let is_open = open.any(|open| open.contains(&format!("any {dimension},")));
        let known = values[dimension].as_array().cloned().unwrap_or_default();
        let within = given
            .as_array()
            .unwrap()
            .iter()
            .all(|value| known.contains(value));
        prop_assert!(is_open || within, "{dimension} {given} {values} {advice:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn advice_permits_the_call_and_no_other(
        grants in grants(), (tool, arguments) in call(), others in proptest::collection::vec(call(), 1..8),
        when_unset in select(vec!["Allow", "Deny"])
    ) {
        let before = policy(shop(when_unset), grants, World::new("team"));
        let required = advised(&before, tool, &arguments);
        for advice in &required {
            let after = applied(&before, advice);
            let then = decided(&after, tool, &arguments);
            prop_assert_eq!(permit(&then).is_some(), advice.hindrance.is_none(), "{:?} {:?}", advice, then);
            let Some(meant) = permit(&then).filter(|_| advice.hindrance.is_none()) else { continue };
            for (tool, arguments) in &others {
                let is = decided(&after, tool, arguments);
                let Some(permit) = permit(&is).filter(|permit| permit.grant == "binding/desk#9") else { continue };
                says_the_same(advice, meant, permit)?;
            }
        }
        let decision = decided(&before, tool, &arguments);
        if decision.trace.fault.is_none() && permit(&decision).is_none() {
            prop_assert!(!required.is_empty());
        }
    }

    #[test]
    fn advice_is_within_the_boundary_or_says_what_stands_in_the_way(grants in grants(), (tool, arguments) in call()) {
        let world = bounded(json!({"place": ["acme/*"], "path": ["docs/**"]}));
        let before = policy(shop("Allow"), grants, world);
        for advice in advised(&before, tool, &arguments) {
            let grant: Grant = serde_json::from_value(json!({
                "origin": "x", "operations": [advice.operation], "tools": [advice.tool], "scope": advice.scope
            })).unwrap();
            let beyond = beyond_boundary(&before.source.bindings[0].resource_type, &[grant], &before.world);
            let told = advice.hindrance.as_ref().is_some_and(|why| why.contains("boundary stands in the way"));
            prop_assert_eq!(told, !beyond.is_empty(), "{:?}", advice);
        }
    }
}

#[test]
fn a_value_that_looks_like_a_pattern_is_written_as_what_it_is() {
    let before = policy(shop("Allow"), Vec::new(), World::new("team"));
    let call = json!({"place": "acme/*", "path": "**", "name": "a.b", "line": "ls '*'"});
    let advice = advised(&before, "buy", &call).remove(0);
    assert_eq!(advice.hindrance, None);
    assert_eq!(
        json!(advice.scope),
        json!({"place": ["acme/\\*"], "path": ["\\*\\*"], "name": ["a\\.b"], "line": ["ls '*'"]})
    );
    assert_eq!(
        advice.open,
        [
            "any count, of which the call says nothing",
            "any host, of which the call says nothing"
        ]
    );
}

#[test]
fn where_nothing_is_said_of_what_must_be_named_no_grant_helps() {
    let before = policy(shop("Deny"), Vec::new(), World::new("team"));
    let advice = advised(&before, "buy", &json!({"place": "acme/web"})).remove(0);
    assert_eq!(
        advice.hindrance.as_deref(),
        Some("no grant permits a call that says nothing of path; give it a value")
    );
}

#[test]
fn advice_is_no_way_around_a_rule_or_an_approval() {
    let bound = json!({
        "operations": ["order.create"], "scope": {"place": ["acme/*"], "rule": ["call.arguments.count < 2"]}, "approval": [{}]
    });
    let before = policy(shop("Allow"), vec![grant(0, bound)], World::new("team"));
    let advice = advised(&before, "buy", &json!({"place": "acme/web", "count": 2})).remove(0);
    assert_eq!(advice.hindrance, None, "{advice:?}");
    assert_eq!(json!(advice.approval), json!([{}]));
    assert_eq!(
        json!(advice.scope["rule"]),
        json!([r#"call.arguments == {"count": 2, "place": "acme/web"}"#])
    );
    let after = applied(&before, &advice);
    let dearer = json!({"place": "acme/web", "count": 2, "note": "x"});
    assert!(permit(&decided(&after, "buy", &dearer)).is_none());
}
