//! Compilation: one form for one meaning, faults that stay where they are, names that cannot be confused.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, check, desk, forge, parse, reason, shell, source};
use monstrum_guardian::decision::Reason;
use monstrum_guardian::document::{DecodeError, Document};
use monstrum_guardian::source::{BindingSource, ResourceType};
use monstrum_guardian::{Compilation, Engine, Fault, LoadError, compile};
use rstest::rstest;
use serde_json::{Value, json};

fn reader(name: &str) -> BindingSource {
    binding(
        name,
        &forge(),
        &[json!({"operations": ["issue.read"], "scope": {"repository": ["acme/*"]}})],
    )
}

fn names(compilation: &Compilation) -> Vec<String> {
    Engine::load(&compilation.document)
        .unwrap()
        .tools()
        .into_iter()
        .map(|tool| tool.name)
        .collect()
}

fn fields(faults: &[Fault]) -> Vec<(&str, &str)> {
    faults
        .iter()
        .map(|fault| (fault.binding.as_str(), fault.field.as_str()))
        .collect()
}

#[test]
fn a_fault_removes_its_binding_and_nothing_else() {
    let broken = binding(
        "broken",
        &shell(),
        &[
            json!({"tools": ["run"], "scope": {"command": ["ls"]}}),
            json!({"tools": ["run"], "scope": {"command": ["cat /srv/*"]}}),
        ],
    );
    let both = compile(&source(vec![broken, reader("good")]));
    assert_eq!(fields(&both.faults), [("broken", "grants[1].scope.command[0]")]);
    let alone = compile(&source(vec![reader("good")]));
    assert_eq!(both.document, alone.document);
    assert_eq!(both.document.digest(), alone.document.digest());
}

#[test]
fn a_broken_resource_type_is_a_fault_of_its_bindings() {
    let mut broken = (*forge()).clone();
    broken.tools[0].parameters =
        json!({"type": "object", "properties": {"owner": {"$ref": "https://example.com/"}}});
    let mut bindings = vec![
        reader("a"),
        binding(
            "box",
            &shell(),
            &[json!({"tools": ["run"], "scope": {"command": ["ls"]}})],
        ),
    ];
    bindings[0].resource_type = std::sync::Arc::new(broken);
    let compilation = compile(&source(bindings));
    assert!(
        fields(&compilation.faults)
            .contains(&("a", "resourceType.tools[0].parameters.properties.owner.$ref"))
    );
    assert_eq!(names(&compilation), ["run"]);
}

#[test]
fn tools_that_no_grant_covers_are_not_in_the_policy() {
    let compilation = compile(&source(vec![reader("code"), binding("idle", &shell(), &[])]));
    assert_eq!(compilation.faults, []);
    let text = String::from_utf8(compilation.document.to_bytes()).unwrap();
    assert!(!text.contains("delete_file") && !text.contains("idle"));
    assert_eq!(names(&compilation), ["list_issues"]);
}

#[test]
fn one_binding_of_a_type_needs_no_prefix() {
    assert_eq!(
        compile(&source(vec![reader("code")])).document.bindings[0].prefix,
        None
    );
}

#[test]
fn two_bindings_of_a_type_are_told_apart() {
    let mut bindings = vec![reader("my.code"), reader("other"), reader("third")];
    bindings[1].alias = Some("Work".to_owned());
    bindings[2].description = Some("everything else".to_owned());
    let compilation = compile(&source(bindings));
    assert_eq!(compilation.faults, []);
    assert_eq!(
        names(&compilation),
        ["Work__list_issues", "my_code__list_issues", "third__list_issues"]
    );
    let engine = Engine::load(&compilation.document).unwrap();
    insta::assert_snapshot!(engine.summary().unwrap());
    let permitted = check(&engine, "Work__list_issues", r#"{"owner":"acme","repo":"web"}"#);
    assert_eq!(bot::permit(&permitted).binding, "other");
    assert_eq!(
        reason(&check(&engine, "list_issues", "{}")),
        Some(Reason::UnknownTool)
    );
    assert_eq!(
        reason(&check(&engine, "Work__whoami", "{}")),
        Some(Reason::UnknownTool)
    );
}

#[test]
fn a_prefix_is_kept_when_the_other_binding_has_a_fault() {
    let mut broken = reader("broken");
    broken.grants[0].operations.clear();
    let compilation = compile(&source(vec![reader("code"), broken]));
    assert_eq!(names(&compilation), ["code__list_issues"]);
}

#[rstest]
#[case::same_alias(Some("Work"), Some("Work"))]
#[case::same_after_sanitising(Some("my.work"), Some("my/work"))]
#[case::alias_is_the_other_resource(Some("second"), None)]
fn prefixes_that_clash_are_faults(#[case] first: Option<&str>, #[case] second: Option<&str>) {
    let mut bindings = vec![reader("first"), reader("second"), reader("third")];
    bindings[0].alias = first.map(str::to_owned);
    bindings[1].alias = second.map(str::to_owned);
    let compilation = compile(&source(bindings));
    assert_eq!(
        fields(&compilation.faults),
        [("first", "alias"), ("second", "alias")]
    );
    assert_eq!(names(&compilation), ["third__list_issues"]);
}

fn one_tool(type_name: &str, tool: &str) -> std::sync::Arc<ResourceType> {
    parse(json!({
        "name": type_name, "executor": "http", "dimensions": [],
        "tools": [{"name": tool, "description": "", "operation": "x.y", "parameters": {"type": "object"}}]
    }))
}

#[test]
fn final_names_that_clash_are_faults() {
    let grant = [json!({"tools": ["*"]})];
    let bindings = vec![
        binding("a", &one_tool("t1", "go"), &grant),
        binding("b", &one_tool("t2", "go"), &grant),
        binding("c", &one_tool("t3", "stay"), &grant),
    ];
    let compilation = compile(&source(bindings));
    assert_eq!(fields(&compilation.faults), [("a", "alias"), ("b", "alias")]);
    assert_eq!(names(&compilation), ["stay"]);
}

#[test]
fn a_prefix_cannot_imitate_another_tool() {
    let grant = [json!({"tools": ["*"]})];
    let mut aliased = binding("a", &one_tool("t1", "go"), &grant);
    aliased.alias = Some("x".to_owned());
    let compilation = compile(&source(vec![
        aliased,
        binding("b", &one_tool("t2", "x__go"), &grant),
    ]));
    assert_eq!(fields(&compilation.faults), [("a", "alias"), ("b", "alias")]);
}

#[test]
fn names_too_long_for_providers_are_faults() {
    let mut long = binding("a", &one_tool("t1", "go"), &[json!({"tools": ["*"]})]);
    long.alias = Some("x".repeat(61));
    assert_eq!(
        fields(&compile(&source(vec![long.clone()])).faults),
        [("a", "alias")]
    );
    long.alias = Some("x".repeat(60));
    assert_eq!(compile(&source(vec![long.clone()])).faults, []);
    long.alias = Some(" ".to_owned());
    assert_eq!(fields(&compile(&source(vec![long])).faults), [("a", "alias")]);
}

#[test]
fn two_bindings_of_one_name_are_faults() {
    let compilation = compile(&source(vec![reader("code"), binding("code", &shell(), &[])]));
    assert_eq!(fields(&compilation.faults), [("code", "name")]);
    assert!(compilation.document.bindings.is_empty());
}

fn document() -> Document {
    let desk_grant = json!({"tools": ["*"], "scope": {"host": ["**.example.com"], "rule": ["true"]},
        "quotas": [{"name": "q", "counts": "MicroUsd", "limit": u64::MAX}]});
    compile(&source(vec![
        reader("code"),
        binding("ops", &desk(), &[desk_grant]),
    ]))
    .document
}

#[test]
fn a_document_survives_its_encoding() {
    let document = document();
    let bytes = document.to_bytes();
    let decoded = Document::from_bytes(&bytes).unwrap();
    assert_eq!(decoded, document);
    assert_eq!(decoded.to_bytes(), bytes);
    assert_eq!(decoded.digest(), document.digest());
    assert!(document.digest().starts_with("sha256:"));
    assert_eq!(document.digest().len(), 71);
    assert!(!bytes.contains(&b'\n') && bytes.starts_with(br#"{"bindings":["#));
}

#[rstest]
#[case::unknown_field("\"format\":1", "\"format\":1,\"extra\":true")]
#[case::unknown_field_inside("\"origin\":", "\"extra\":1,\"origin\":")]
#[case::duplicate_key("\"format\":1", "\"format\":1,\"format\":1")]
#[case::other_format("\"format\":1", "\"format\":2")]
#[case::no_format("\"format\":1", "\"formt\":1")]
#[case::wrong_type("\"format\":1", "\"format\":\"1\"")]
#[case::unknown_match("{\"cel\":{}}", "{\"any\":{}}")]
fn other_documents_are_refused(#[case] from: &str, #[case] to: &str) {
    let text = String::from_utf8(document().to_bytes()).unwrap();
    assert!(text.contains(from), "{text}");
    let changed = text.replacen(from, to, 1);
    assert!(Document::from_bytes(changed.as_bytes()).is_err());
    assert!(Document::from_bytes(format!("{text} x").as_bytes()).is_err());
    assert!(Document::from_bytes(&text.as_bytes()[..text.len() - 1]).is_err());
}

#[test]
fn a_huge_document_is_refused() {
    assert!(matches!(
        Document::from_bytes(&vec![b' '; (16 << 20) + 1]),
        Err(DecodeError::TooLarge(_))
    ));
}

/// A document from elsewhere is judged again: what does not compile does not load.
#[rstest]
#[case::format(|d: &mut Document| d.format = 2)]
#[case::pattern(|d: &mut Document| { d.bindings[0].grants[0].scope.insert("repository".to_owned(), vec![json!("a?")]); })]
#[case::pattern_type(|d: &mut Document| { d.bindings[0].grants[0].scope.insert("repository".to_owned(), vec![json!(1)]); })]
#[case::dimension(|d: &mut Document| { d.bindings[0].grants[0].scope.insert("other".to_owned(), vec![json!("a")]); })]
#[case::feed(|d: &mut Document| d.bindings[0].dimensions.clear())]
#[case::schema(|d: &mut Document| d.bindings[0].tools[0].parameters = json!({"type": "object", "$ref": "http://x/"}))]
#[case::tool_name(|d: &mut Document| d.bindings[0].tools[0].name = "a b".to_owned())]
#[case::tool_twice(|d: &mut Document| { let tool = d.bindings[0].tools[0].clone(); d.bindings[0].tools.push(tool); })]
fn a_broken_document_does_not_load(#[case] spoil: fn(&mut Document)) {
    let mut document = document();
    spoil(&mut document);
    assert!(matches!(
        Engine::load(&document),
        Err(LoadError::Format { .. } | LoadError::Bot { .. } | LoadError::Fault { .. })
    ));
}

/// What an engine is told to be open is closed again.
#[test]
fn a_document_cannot_open_a_schema() {
    let mut document = document();
    let parameters: &mut Value = &mut document.bindings[0].tools[0].parameters;
    parameters["additionalProperties"] = json!(true);
    let engine = Engine::load(&document).unwrap();
    let decision = check(
        &engine,
        "list_issues",
        r#"{"owner":"acme","repo":"web","admin":1}"#,
    );
    assert_eq!(reason(&decision), Some(Reason::InvalidArguments));
}
