//! What is wrong with grants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::containment::{Effort, MAX_EFFORT, dead};
use crate::expression::{self, Allowance};
use crate::fault::FieldFault;
use crate::matching::{Pattern, Rule};
use crate::source::{Dimension, Grant, Match, Quota, ResourceType};
use crate::{parameters, selector};

/// What is wrong with grants under their resource type, ordered by field. Fields begin with `grants[i]`.
pub fn validate_grants(resource_type: &ResourceType, grants: &[Grant]) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut counters: BTreeMap<(&str, &str), &Quota> = BTreeMap::new();
    let mut patterns = Patterns {
        resource_type,
        allowance: Allowance::default(),
        effort: Effort::of(MAX_EFFORT),
    };
    for (place, grant) in grants.iter().enumerate() {
        let field = format!("grants[{place}]");
        check_selection(grant, resource_type, &field, &mut faults);
        check_scope(grant, &field, &mut patterns, &mut faults);
        check_quotas(grant, &field, &mut faults);
        check_approval(grant, resource_type, &field, &mut faults);
        check_validity(grant, &field, &mut faults);
        for (number, quota) in grant.quotas.iter().enumerate() {
            let known = counters.insert((&grant.origin, &quota.name), quota);
            if known.is_some_and(|known| known != quota) {
                let message = format!(
                    "quota {} of {} is also another quota; rename one",
                    quota.name, grant.origin
                );
                faults.push(FieldFault::new(format!("{field}.quotas[{number}].name"), message));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn check_selection(grant: &Grant, resource_type: &ResourceType, field: &str, faults: &mut Vec<FieldFault>) {
    if grant.operations.is_empty() && grant.tools.is_empty() {
        faults.push(FieldFault::new(
            field,
            "the grant names neither operations nor tools and permits nothing; name some",
        ));
        return;
    }
    let tools = &resource_type.tools;
    let before = faults.len();
    for (place, pattern) in grant.operations.iter().enumerate() {
        let unknown = || {
            let used = tools
                .iter()
                .any(|tool| selector::names_operation(pattern, &tool.operation));
            (!used).then(|| {
                format!(
                    "{pattern} is no operation of {}; it has {}",
                    resource_type.name,
                    operations(resource_type)
                )
            })
        };
        if let Some(message) = selector::operation_pattern_fault(pattern).or_else(unknown) {
            faults.push(FieldFault::new(format!("{field}.operations[{place}]"), message));
        }
    }
    for (place, pattern) in grant.tools.iter().enumerate() {
        let unknown = || {
            let used = tools.iter().any(|tool| selector::names_tool(pattern, &tool.name));
            (!used).then(|| format!("{pattern} is no tool of {}; correct the name", resource_type.name))
        };
        if let Some(message) = selector::tool_pattern_fault(pattern).or_else(unknown) {
            faults.push(FieldFault::new(format!("{field}.tools[{place}]"), message));
        }
    }
    if faults.len() == before && !tools.iter().any(|tool| selector::covers(grant, tool)) {
        faults.push(FieldFault::new(
            field,
            "no tool is covered by both operations and tools; name one that is",
        ));
    }
}

fn operations(resource_type: &ResourceType) -> String {
    let known: BTreeSet<_> = resource_type
        .tools
        .iter()
        .map(|tool| tool.operation.as_str())
        .collect();
    let mut text = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
    if known.len() > 20 {
        text.push_str(", …");
    }
    text
}

fn check_scope(grant: &Grant, field: &str, checked: &mut Patterns<'_>, faults: &mut Vec<FieldFault>) {
    let dimensions = &checked.resource_type.dimensions;
    for (name, patterns) in &grant.scope {
        let field = format!("{field}.scope.{name}");
        let Some(dimension) = dimensions.iter().find(|dimension| dimension.name == *name) else {
            let known: Vec<_> = dimensions
                .iter()
                .map(|dimension| dimension.name.as_str())
                .collect();
            let message = format!(
                "there is no dimension {name}; the resource type has {}",
                listed(&known)
            );
            faults.push(FieldFault::new(field, message));
            continue;
        };
        if patterns.is_empty() {
            faults.push(FieldFault::new(
                field.clone(),
                "there is no pattern, which permits nothing; add one or remove the dimension",
            ));
        }
        for (place, pattern) in patterns.iter().enumerate() {
            if let Err(message) = checked.check(dimension, pattern) {
                faults.push(FieldFault::new(format!("{field}[{place}]"), message));
            }
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// The patterns of one object, which share what they may cost.
struct Patterns<'a> {
    resource_type: &'a ResourceType,
    allowance: Allowance,
    effort: Effort,
}

impl Patterns<'_> {
    /// A pattern must be usable, and there must be something that it matches.
    fn check(&mut self, dimension: &Dimension, pattern: &Value) -> Result<(), String> {
        let matching = &dimension.matching;
        if matches!(matching, Match::Cel {}) {
            return self.check_rule(&Rule::compile(pattern)?);
        }
        Pattern::compile(matching, pattern)?;
        if let (Match::Regex {}, Value::String(text)) = (matching, pattern) {
            self.allowance.expression(&expression::translated(text)?)?;
        }
        dead(matching, pattern, &mut self.effort).map_or(Ok(()), Err)
    }

    /// A rule that reads what no call has never holds, or, worse, always: `!has(call.arguments.typo)`.
    fn check_rule(&self, rule: &Rule) -> Result<(), String> {
        if let Some(unknown) = rule.unknown() {
            return Err(unknown);
        }
        let tools = &self.resource_type.tools;
        let declared = |pointer: &String| {
            tools
                .iter()
                .any(|tool| parameters::admits(&tool.parameters, pointer))
        };
        match rule.arguments().iter().find(|pointer| !declared(pointer)) {
            Some(pointer) => Err(format!(
                "no tool of {} declares the parameter {}, which the rule reads; correct the name",
                self.resource_type.name,
                pointer.trim_start_matches('/')
            )),
            None => Ok(()),
        }
    }
}

fn check_quotas(grant: &Grant, field: &str, faults: &mut Vec<FieldFault>) {
    let mut names = BTreeSet::new();
    for (place, quota) in grant.quotas.iter().enumerate() {
        let field = format!("{field}.quotas[{place}]");
        if quota.name.is_empty() {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                "the quota has no name; give it one",
            ));
        }
        if !names.insert(&quota.name) {
            faults.push(FieldFault::new(
                format!("{field}.name"),
                format!("{} is declared twice; rename one", quota.name),
            ));
        }
        if quota.limit == 0 {
            faults.push(FieldFault::new(
                format!("{field}.limit"),
                "a limit of 0 permits nothing; remove the grant instead",
            ));
        }
        if quota.window_seconds == Some(0) {
            faults.push(FieldFault::new(
                format!("{field}.windowSeconds"),
                "a window of 0 seconds holds nothing; make it longer or remove it",
            ));
        }
    }
}

/// A rule that can never ask would be a guard that is not there.
fn check_approval(grant: &Grant, resource_type: &ResourceType, field: &str, faults: &mut Vec<FieldFault>) {
    for (place, rule) in grant.approval.iter().enumerate() {
        for (number, pattern) in rule.operations.iter().enumerate() {
            let used = resource_type
                .tools
                .iter()
                .any(|tool| selector::names_operation(pattern, &tool.operation));
            let unknown = || {
                (!used).then(|| format!("{pattern} is no operation of {}; correct it", resource_type.name))
            };
            if let Some(message) = selector::operation_pattern_fault(pattern).or_else(unknown) {
                faults.push(FieldFault::new(
                    format!("{field}.approval[{place}].operations[{number}]"),
                    message,
                ));
            }
        }
    }
}

fn check_validity(grant: &Grant, field: &str, faults: &mut Vec<FieldFault>) {
    let Some(validity) = &grant.validity else { return };
    if let (Some(start), Some(end)) = (validity.not_before, validity.not_after)
        && start >= end
    {
        faults.push(FieldFault::new(
            format!("{field}.validity"),
            "notAfter is not later than notBefore; the grant would never hold",
        ));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn resource_type() -> ResourceType {
        serde_json::from_value(json!({
            "name": "github", "executor": "http",
            "dimensions": [
                {"name": "repository", "match": {"glob": {"separator": "/"}}},
                {"name": "state", "match": {"enum": {"values": ["open", "closed"]}}},
                {"name": "rule", "match": {"cel": {}}, "whenUnset": "Allow"}
            ],
            "tools": [
                {"name": "list", "description": "", "operation": "issue.read", "parameters": {
                    "type": "object",
                    "properties": {
                        "limit": {"type": "integer"}, "filter": {"type": "object", "properties": {"by": {"type": "string"}}},
                        "items": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                        "free": {"type": "object", "additionalProperties": {"type": "string"}}
                    }
                }},
                {"name": "make", "description": "", "operation": "issue.create", "parameters": {"type": "object"}}
            ]
        }))
        .unwrap()
    }

    #[rstest]
    #[case::nothing_named(json!({}), "grants[0]", "neither operations nor tools")]
    #[case::unknown_operation(json!({"operations": ["issue.delete"]}), "grants[0].operations[0]", "issue.create, issue.read")]
    #[case::unknown_prefix(json!({"operations": ["issue.read", "pull.*"]}), "grants[0].operations[1]", "no operation")]
    #[case::operation_form(json!({"operations": ["issue*"]}), "grants[0].operations[0]", "nor a prefix")]
    #[case::unknown_tool(json!({"tools": ["lisst"]}), "grants[0].tools[0]", "no tool")]
    #[case::tool_form(json!({"tools": ["a b"]}), "grants[0].tools[0]", "neither a tool name")]
    #[case::nothing_covered(json!({"operations": ["issue.read"], "tools": ["make"]}), "grants[0]", "both")]
    #[case::unknown_dimension(
        json!({"tools": ["*"], "scope": {"repo": ["a/b"]}}),
        "grants[0].scope.repo",
        "repository, state, rule"
    )]
    #[case::no_pattern(json!({"tools": ["*"], "scope": {"repository": []}}), "grants[0].scope.repository", "permits nothing")]
    #[case::bad_pattern(
        json!({"tools": ["*"], "scope": {"repository": ["a/b", "a/{b,c}"]}}),
        "grants[0].scope.repository[1]",
        "not a wildcard"
    )]
    #[case::typed_pattern(json!({"tools": ["*"], "scope": {"repository": [1]}}), "grants[0].scope.repository[0]", "not a string")]
    #[case::foreign_value(json!({"tools": ["*"], "scope": {"state": ["opened"]}}), "grants[0].scope.state[0]", "none of")]
    #[case::rule_about_no_parameter(
        json!({"tools": ["*"], "scope": {"rule": ["call.arguments.limit < 9", "call.arguments.typo < 9"]}}),
        "grants[0].scope.rule[1]",
        "declares the parameter typo"
    )]
    #[case::rule_that_would_always_hold(
        json!({"tools": ["*"], "scope": {"rule": ["!has(call.arguments.lim1t) || call.arguments.limit < 9"]}}),
        "grants[0].scope.rule[0]",
        "declares the parameter lim1t"
    )]
    #[case::rule_about_no_parameter_by_index(
        json!({"tools": ["*"], "scope": {"rule": ["call.arguments['typo'] == 1"]}}),
        "grants[0].scope.rule[0]",
        "declares the parameter typo"
    )]
    #[case::rule_about_no_parameter_by_in(
        json!({"tools": ["*"], "scope": {"rule": ["!('typo' in call.arguments)"]}}),
        "grants[0].scope.rule[0]",
        "declares the parameter typo"
    )]
    #[case::rule_about_nothing_inside(
        json!({"tools": ["*"], "scope": {"rule": ["call.arguments.filter.bye == 'x'"]}}),
        "grants[0].scope.rule[0]",
        "declares the parameter filter/bye"
    )]
    #[case::rule_about_no_loop(
        json!({"tools": ["*"], "scope": {"rule": ["call.arguments.itemz.all(i, i.n < 3)"]}}),
        "grants[0].scope.rule[0]",
        "declares the parameter itemz"
    )]
    #[case::rule_about_no_part_of_a_call(json!({"tools": ["*"], "scope": {"rule": ["call.args.limit < 9"]}}), "grants[0].scope.rule[0]", "there is no call.args")]
    #[case::rule_about_no_part_of_a_bot(json!({"tools": ["*"], "scope": {"rule": ["bot.nme == 'x'"]}}), "grants[0].scope.rule[0]", "there is no bot.nme")]
    #[case::bad_rule(json!({"tools": ["*"], "scope": {"rule": ["call.x =="]}}), "grants[0].scope.rule[0]", "")]
    #[case::quota_twice(
        json!({"tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": 1}, {"name": "q", "counts": "Calls", "limit": 1}]}),
        "grants[0].quotas[1].name",
        "twice"
    )]
    #[case::quota_zero(json!({"tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": 0}]}), "grants[0].quotas[0].limit", "0")]
    #[case::approval(json!({"tools": ["*"], "approval": [{"operations": ["issue.dlete"]}]}), "grants[0].approval[0].operations[0]", "no operation")]
    #[case::validity(
        json!({"tools": ["*"], "validity": {"notBefore": "2026-01-02T00:00:00Z", "notAfter": "2026-01-01T00:00:00Z"}}),
        "grants[0].validity",
        "never hold"
    )]
    fn finds(#[case] grant: Value, #[case] field: &str, #[case] reason: &str) {
        let mut grant = grant;
        grant["origin"] = json!("binding/b#0");
        let grants = [serde_json::from_value(grant).unwrap()];
        let faults = validate_grants(&resource_type(), &grants);
        assert!(
            faults
                .iter()
                .any(|fault| fault.field == field && fault.message.contains(reason)),
            "{faults:?}"
        );
    }

    /// A dead pattern of each sort, made from living ones.
    #[rstest]
    #[case::glob(json!({"glob": {"separator": "/"}}), "acme/*", &["acme//*", "acme/../*", "acme/./*", "/acme", "acme/", "*/", "**/../x", "..", "acme/．/x"])]
    #[case::dotted_glob(json!({"glob": {"separator": "."}}), "a.*", &["a..*", ".a", "*."])]
    #[case::path(json!({"path": {}}), "docs/*", &["docs/a.", "docs/%2e", "docs/%2E%2e/x", "docs/...", "docs/a ", "docs/a\\\\b", "docs/．．", "**/a./b"])]
    #[case::absolute_path(json!({"path": {}}), "/docs/**", &["/docs/a.", "/%2e/**"])]
    #[case::network(json!({"host": {}}), "10.0.0.0/8", &["224.0.0.0/3"])]
    #[case::host(json!({"host": {}}), "*.example.com", &["*", "a*", "*-db", "*.1", "*.0x1f", "a.**.256"])]
    #[case::machines(json!({"host": {}}), "dev-*", &["de*", "*dev*"])]
    #[case::url(json!({"url": {}}), "https://*.example.com/**", &["https://*/**", "https://dev-*/", "https://[224.0.0.0/3]/**", "https://*.7/x"])]
    #[case::command(json!({"command": {}}), "ls *", &["if *", "! ls", "while **", ". x", "a=b *"])]
    #[case::regex(json!({"regex": {}}), "a|b", &["a^b", "a$b", "(?:a|b)^c", "[^\\s\\S]", "a{4097}", "$a", "x\\zx"])]
    fn a_pattern_that_matches_nothing_is_told(
        #[case] matching: Value,
        #[case] living: &str,
        #[case] dead: &[&str],
    ) {
        let resource_type: ResourceType = serde_json::from_value(json!({
            "name": "t", "executor": "http", "dimensions": [{"name": "d", "match": matching}],
            "tools": [{"name": "act", "description": "", "operation": "x.act", "parameters": {"type": "object"}}]
        }))
        .unwrap();
        let faults = |patterns: Vec<&str>| {
            let grant = json!({"origin": "binding/b#0", "tools": ["act"], "scope": {"d": patterns}});
            validate_grants(&resource_type, &[serde_json::from_value(grant).unwrap()])
        };
        assert_eq!(faults(vec![living]), []);
        for pattern in dead {
            let found = faults(vec![living, pattern]);
            let place = found.iter().find(|fault| fault.field == "grants[0].scope.d[1]");
            assert!(place.is_some() && found.len() == 1, "{pattern}: {found:?}");
        }
    }

    /// Patterns that look odd and match something.
    #[rstest]
    #[case(json!({"glob": {"separator": "/"}}), &["*", "**", "a*", "**/x", "*/.../*", "a\\*b", "%2e"])]
    #[case(json!({"glob": {}}), &["*", "..", "a//b", "*/"])]
    #[case(json!({"path": {}}), &[".", "/", "*", "/**", "%", "a%2", "100%*"])]
    #[case(json!({"host": {}}), &["**", "*.*", "dev-*", "localhost", "0.0.0.0/0", "::/0", "240.0.0.0/4", "127.0.0.1", "**.a*", "*.svc"])]
    #[case(json!({"url": {}}), &["https://**/**", "http://dev-1/", "https://[::1]:*/*", "https://[0.0.0.0/0]/", "ws://*.a*/*"])]
    #[case(json!({"command": {}}), &["ls", "ls -- *", "x --* **", "'if x' *"])]
    #[case(json!({"regex": {}}), &["^a$", "(^|x)a", "a\\b.", "(?m)a$\\nb", "(a|b)*a(a|b){24}"])]
    #[case(json!({"range": {}}), &["..0", "1", "-3.."])]
    #[case(json!({"range": {"unit": "duration"}}), &["..1m", "0", "5s"])]
    fn a_pattern_that_matches_something_is_left_alone(#[case] matching: Value, #[case] patterns: &[&str]) {
        let matching = serde_json::from_value(matching).unwrap();
        for pattern in patterns {
            let found = dead(&matching, &json!(pattern), &mut Effort::of(MAX_EFFORT));
            assert!(Pattern::compile(&matching, &json!(pattern)).is_ok(), "{pattern}");
            assert_eq!(found, None, "{pattern}");
        }
    }

    /// The engine says what else to write.
    #[rstest]
    #[case(json!({"host": {}}), "*", "dev-*")]
    #[case(json!({"host": {}}), "224.0.0.0/3", "224.0.0.0/4, 240.0.0.0/4")]
    #[case(json!({"url": {}}), "https://dev-*/**", "dev-*.example.com")]
    #[case(json!({"command": {}}), "if *", "name of a program")]
    #[case(json!({"regex": {}}), "a^b", "contradicts")]
    fn a_dead_pattern_is_told_with_advice(
        #[case] matching: Value,
        #[case] pattern: &str,
        #[case] part: &str,
    ) {
        let matching = serde_json::from_value(matching).unwrap();
        let told = dead(&matching, &json!(pattern), &mut Effort::of(MAX_EFFORT)).unwrap();
        assert!(told.contains(part), "{told}");
    }

    #[test]
    fn a_good_grant_has_no_faults() {
        let grant = serde_json::from_value(json!({
            "origin": "binding/b#0", "operations": ["issue.*"], "tools": ["l*"],
            "scope": {"repository": ["acme/*"], "state": ["open"], "rule": [
                "call.tool == 'list'", "call.arguments.limit < 9 && call.risk == 'Low' && bot.name == 'x'",
                "has(call.arguments.filter.by)", "call.arguments.items.all(i, i.n < 3)", "call.arguments.items[0].n == 1",
                "call.arguments.free.any == 'x'", "call.arguments.size() < 3", "call.arguments[call.tool] == 1"
            ]},
            "quotas": [{"name": "daily", "counts": "Calls", "limit": 10, "windowSeconds": 86400}],
            "approval": [{"risk": "High"}, {"operations": ["issue.create"]}]
        }))
        .unwrap();
        assert_eq!(validate_grants(&resource_type(), &[grant]), []);
    }

    #[test]
    fn two_grants_do_not_share_a_counter() {
        let grant = |limit: u64| -> Grant {
            serde_json::from_value(json!({
                "origin": "binding/b#0", "tools": ["*"], "quotas": [{"name": "q", "counts": "Calls", "limit": limit}]
            }))
            .unwrap()
        };
        assert_eq!(validate_grants(&resource_type(), &[grant(1), grant(1)]), []);
        assert_eq!(
            validate_grants(&resource_type(), &[grant(1), grant(2)])[0].field,
            "grants[1].quotas[0].name"
        );
    }
}
