//! What `docs/permissions.md` claims of match kinds, rules and boundaries, by the engine: every value of its tables is asked about.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, check, engine, parse, reason};
use monstrum_guardian::Engine;
use monstrum_guardian::containment::{Containment, contains};
use monstrum_guardian::decision::{Call, Facts, Reason};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/permissions.md");
const MATCHES: &str = "patternpermitsdenies";
const BOUNDARIES: &str = "entrygrantbeyond it";
const RULES: &str = "holdsdoes not hold";
/// Every kind that has a row.
const KINDS: [&str; 10] = [
    "cel", "command", "enum", "exact", "glob", "host", "path", "range", "regex", "url",
];

/// One row: the code spans of its four cells.
#[derive(Debug, Default, Clone, PartialEq)]
struct Row(Vec<Vec<String>>);

/// The rows of the table whose headings are `match` or `rule` and then these.
fn rows(page: &str, headings: &str) -> Vec<Row> {
    let mut tables = vec![Vec::new()];
    let (mut row, mut words) = (Row::default(), String::new());
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Table(_)) => tables.push(Vec::new()),
            Event::Start(Tag::TableCell) => row.0.push(Vec::new()),
            Event::Code(code) => row
                .0
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|cell| cell.push(code.to_string())),
            Event::Text(text) if !row.0.is_empty() => words.push_str(text.trim().trim_matches(',')),
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                let table = tables.iter_mut().last().unwrap();
                table.push((std::mem::take(&mut row), std::mem::take(&mut words)));
            }
            _ => {}
        }
    }
    let heading = |table: &Vec<(Row, String)>| {
        let first = table.first();
        first.is_some_and(|(row, words)| is_heading(row) && words == headings)
    };
    let table = tables.into_iter().find(heading).unwrap();
    let rows = table.into_iter().skip(1).map(|(row, words)| {
        assert_eq!(
            words, "",
            "the table says this outside of code, where nothing can check it"
        );
        row
    });
    rows.collect()
}

fn is_heading(row: &Row) -> bool {
    row.0
        .first()
        .and_then(|cell| cell.first())
        .is_some_and(|code| matches!(code.as_str(), "match" | "rule"))
}

/// As a reader takes it: JSON where it is JSON, else text.
fn value(code: &str) -> Value {
    serde_json::from_str(code).unwrap_or_else(|_| json!(code))
}

fn yaml(code: &str) -> Value {
    serde_saphyr::from_str(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

/// An interval may be an object; every other pattern is what it looks like.
fn pattern(code: &str) -> Value {
    if code.starts_with('{') {
        yaml(code)
    } else {
        value(code)
    }
}

/// A tool whose only parameter is fed to a dimension of the row's kind.
fn policy(matching: &Value, patterns: &[Value]) -> Engine {
    let feeds = if matching.get("cel").is_some() {
        json!([])
    } else {
        json!([{"dimension": "value", "from": {"pointer": "/value"}}])
    };
    let resource_type = parse(json!({
        "name": "example", "executor": "http",
        "dimensions": [{"name": "value", "match": matching}],
        "tools": [{
            "name": "act", "description": "", "operation": "x.act", "scope": feeds,
            "parameters": {"type": "object", "required": ["value"], "properties": {"value": {}}}
        }]
    }));
    let grants = [json!({"tools": ["act"], "scope": {"value": patterns}})];
    engine(vec![binding("example", &resource_type, &grants)])
}

/// What the row claims and the engine does not do.
fn wrong(row: &Row) -> Vec<String> {
    let [matching, patterns, permits, denies] = row.0.as_slice() else {
        panic!("a row has four cells: {row:?}");
    };
    let [matching] = matching.as_slice() else {
        panic!("a row has one match: {row:?}");
    };
    assert!(
        !permits.is_empty() && !denies.is_empty(),
        "{row:?} does not say both"
    );
    let patterns: Vec<_> = patterns.iter().map(|code| pattern(code)).collect();
    let engine = policy(&yaml(matching), &patterns);
    let ask = |code: &str| reason(&check(&engine, "act", &json!({"value": value(code)}).to_string()));
    let wrongly_denied = permits
        .iter()
        .filter_map(|code| Some(format!("{row:?} denies {code}: {:?}", ask(code)?)));
    let wrongly_permitted = denies
        .iter()
        .filter(|code| !matches!(ask(code), Some(Reason::NotCanonical | Reason::OutOfScope)))
        .map(|code| format!("{row:?} does not deny {code}"));
    wrongly_denied.chain(wrongly_permitted).collect()
}

#[test]
fn every_example_of_the_permissions_page_is_true() {
    let rows = rows(PAGE, MATCHES);
    let wrong: Vec<_> = rows.iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut kinds: Vec<_> = rows
        .iter()
        .filter_map(|row| row.0.first()?.first())
        .map(|code| yaml(code))
        .collect();
    kinds.sort_by_key(ToString::to_string);
    let mut kinds: Vec<_> = kinds
        .iter()
        .filter_map(|kind| kind.as_object()?.keys().next().cloned())
        .collect();
    kinds.dedup();
    assert_eq!(kinds, KINDS);
}

#[test]
fn every_example_of_a_boundary_is_true() {
    let rows = rows(PAGE, BOUNDARIES);
    assert!(rows.len() > 12, "{rows:?}");
    for row in rows {
        let [matching, ceiling, granted, beyond] = row.0.as_slice() else {
            panic!("a row has four cells: {row:?}");
        };
        let patterns = |codes: &[String]| codes.iter().map(|code| pattern(code)).collect::<Vec<_>>();
        let matching = serde_json::from_value(yaml(&matching[0])).unwrap();
        let answer = contains(&matching, &patterns(ceiling), &patterns(granted));
        match (beyond.as_slice(), answer) {
            ([], Containment::Contained) => {}
            ([code], Containment::Undecided { .. }) if code == "undecided" => {}
            ([code], Containment::Exceeds { example }) if value(code) == example => {}
            (_, answer) => panic!("{row:?}: {answer:?}"),
        }
    }
}

/// What a rule answers to a call with these arguments; none where the rule or the arguments can't be used.
fn answer(rule: &str, examples: &[&str], arguments: &str) -> Option<bool> {
    let names = examples.iter().flat_map(|example| {
        let object: serde_json::Map<String, Value> = serde_json::from_str(example).unwrap();
        object.into_iter().map(|(name, _)| (name, json!({})))
    });
    let properties: serde_json::Map<String, Value> = names.collect();
    let resource_type = parse(json!({
        "name": "example", "executor": "http",
        "dimensions": [{"name": "rule", "match": {"cel": {}}}],
        "tools": [{
            "name": "act", "description": "", "operation": "x.act",
            "parameters": {"type": "object", "properties": properties}
        }]
    }));
    let grants = [json!({"tools": ["act"], "scope": {"rule": [rule]}})];
    let engine = engine(vec![binding("example", &resource_type, &grants)]);
    let facts = Facts {
        now: "2026-03-02T10:30:00Z".parse().unwrap(),
        ..Facts::default()
    };
    let call = Call {
        tool: "act",
        arguments,
    };
    match reason(&engine.check(&call, &facts)) {
        None => Some(true),
        Some(Reason::OutOfScope) => Some(false),
        Some(_) => None,
    }
}

#[test]
fn every_example_of_a_rule_is_true() {
    let rows = rows(PAGE, RULES);
    assert!(rows.len() > 15, "{rows:?}");
    for row in rows {
        let [rule, holds, fails] = row.0.as_slice() else {
            panic!("a row has three cells: {row:?}");
        };
        let examples: Vec<&str> = holds.iter().chain(fails).map(String::as_str).collect();
        assert!(!examples.is_empty(), "{row:?} says nothing");
        for arguments in holds {
            assert_eq!(
                answer(&rule[0], &examples, arguments),
                Some(true),
                "{rule:?} {arguments}"
            );
        }
        for arguments in fails {
            assert_eq!(
                answer(&rule[0], &examples, arguments),
                Some(false),
                "{rule:?} {arguments}"
            );
        }
    }
}

/// The tests above can fail: a wrong claim in either column is found.
#[test]
fn a_wrong_claim_is_found() {
    let table = |permits: &str, denies: &str| {
        let head = "| `match` | pattern | permits | denies |\n| --- | --- | --- | --- |\n";
        let page = format!("{head}| `{{exact: {{}}}}` | `open` | {permits} | {denies} |\n");
        rows(&page, MATCHES).iter().flat_map(wrong).count()
    };
    assert_eq!(table("`open`", "`closed`"), 0);
    assert_eq!(table("`open`, `closed`", "`other`"), 1);
    assert_eq!(table("`open`", "`closed`, `open`"), 1);
}
