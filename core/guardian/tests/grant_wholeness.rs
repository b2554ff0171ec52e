//! One grant that alone permits the call: no mixing, no gaps. THREATS rows 9, 12, 13, 30.

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, check, desk, engine, forge, permit, reason, shell};
use monstrum_guardian::Engine;
use monstrum_guardian::decision::Reason;
use rstest::rstest;
use serde_json::{Value, json};

fn reader() -> Engine {
    engine(vec![binding(
        "code",
        &forge(),
        &[json!({
            "operations": ["issue.read"],
            "scope": {"repository": ["acme/*"], "state": ["open"], "limit": ["1..50"]}
        })],
    )])
}

#[test]
fn a_covered_call_is_permitted_with_its_canonical_form() {
    let decision = check(
        &reader(),
        "list_issues",
        r#"{"state":"open","repo":"web","owner":"acme","limit":5.0}"#,
    );
    let permit = permit(&decision);
    assert_eq!(permit.grant, "binding/code#0");
    assert_eq!(
        (
            permit.binding.as_str(),
            permit.tool.as_str(),
            permit.operation.as_str()
        ),
        ("code", "list_issues", "issue.read")
    );
    assert_eq!(
        permit.arguments.to_string(),
        r#"{"limit":5,"owner":"acme","repo":"web","state":"open"}"#
    );
    assert_eq!(
        json!(permit.canonical),
        json!({"repository": ["acme/web"], "state": ["open"], "limit": [5]})
    );
}

/// The attacks of THREATS rows 12 and 13 on one call that is otherwise permitted.
#[rstest]
#[case::other_owner(
    r#"{"owner":"evil","repo":"web","state":"open","limit":5}"#,
    Reason::OutOfScope
)]
#[case::owner_absent(r#"{"repo":"web","state":"open","limit":5}"#, Reason::InvalidArguments)]
#[case::owner_null(
    r#"{"owner":null,"repo":"web","state":"open","limit":5}"#,
    Reason::InvalidArguments
)]
#[case::owner_array(
    r#"{"owner":["acme"],"repo":"web","state":"open","limit":5}"#,
    Reason::InvalidArguments
)]
#[case::owner_object(
    r#"{"owner":{"x":1},"repo":"web","state":"open","limit":5}"#,
    Reason::InvalidArguments
)]
#[case::separator_in_owner(
    r#"{"owner":"acme/web/..","repo":"x","state":"open","limit":5}"#,
    Reason::NotCanonical
)]
#[case::climbing_repo(
    r#"{"owner":"acme","repo":"..","state":"open","limit":5}"#,
    Reason::NotCanonical
)]
#[case::empty_repo(
    r#"{"owner":"acme","repo":"","state":"open","limit":5}"#,
    Reason::NotCanonical
)]
#[case::optional_absent(r#"{"owner":"acme","repo":"web","limit":5}"#, Reason::OutOfScope)]
#[case::other_state(
    r#"{"owner":"acme","repo":"web","state":"closed","limit":5}"#,
    Reason::OutOfScope
)]
#[case::unknown_state(
    r#"{"owner":"acme","repo":"web","state":"all","limit":5}"#,
    Reason::NotCanonical
)]
#[case::limit_absent(r#"{"owner":"acme","repo":"web","state":"open"}"#, Reason::OutOfScope)]
#[case::limit_large(
    r#"{"owner":"acme","repo":"web","state":"open","limit":51}"#,
    Reason::OutOfScope
)]
#[case::limit_as_text(
    r#"{"owner":"acme","repo":"web","state":"open","limit":"5"}"#,
    Reason::InvalidArguments
)]
#[case::limit_huge(
    r#"{"owner":"acme","repo":"web","state":"open","limit":1e30}"#,
    Reason::MalformedArguments
)]
#[case::undeclared(
    r#"{"owner":"acme","repo":"web","state":"open","limit":5,"admin":true}"#,
    Reason::InvalidArguments
)]
#[case::case_variant(
    r#"{"owner":"acme","repo":"web","state":"open","limit":5,"Owner":"evil"}"#,
    Reason::InvalidArguments
)]
#[case::duplicate(
    r#"{"owner":"acme","repo":"web","state":"open","limit":5,"owner":"evil"}"#,
    Reason::MalformedArguments
)]
#[case::duplicate_escaped(
    r#"{"owner":"evil","repo":"web","state":"open","limit":5,"\u006fwner":"acme"}"#,
    Reason::MalformedArguments
)]
#[case::trailing(
    r#"{"owner":"acme","repo":"web","state":"open","limit":5}{}"#,
    Reason::MalformedArguments
)]
#[case::array("[]", Reason::MalformedArguments)]
#[case::nothing("", Reason::MalformedArguments)]
#[case::zero_width(
    "{\"owner\":\"acme\",\"repo\":\"we\u{200b}b\",\"state\":\"open\",\"limit\":5}",
    Reason::NotCanonical
)]
#[case::fullwidth_slash(
    "{\"owner\":\"acme\",\"repo\":\"a\u{ff0f}b\",\"state\":\"open\",\"limit\":5}",
    Reason::NotCanonical
)]
fn attacks_on_parameters_are_denied(#[case] arguments: &str, #[case] expected: Reason) {
    let decision = check(&reader(), "list_issues", arguments);
    assert_eq!(reason(&decision), Some(expected), "{decision:?}");
}

/// Operations of one grant and scopes of another are never mixed.
#[test]
fn grants_are_not_mixed() {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[
            json!({"operations": ["file.read"], "scope": {"repository": ["acme/*"], "path": ["**"]}}),
            json!({"operations": ["file.delete"], "scope": {"repository": ["acme/scratch"], "path": ["tmp/**"]}}),
        ],
    )]);
    let on = |tool: &str, repo: &str, path: &str| {
        reason(&check(
            &engine,
            tool,
            &json!({"owner": "acme", "repo": repo, "path": path}).to_string(),
        ))
    };
    assert_eq!(on("read_file", "web", "src/x"), None);
    assert_eq!(on("delete_file", "scratch", "tmp/x"), None);
    assert_eq!(
        on("delete_file", "web", "tmp/x"),
        Some(Reason::OutOfScope),
        "repository of the first, path of the second"
    );
    assert_eq!(
        on("delete_file", "scratch", "src/x"),
        Some(Reason::OutOfScope),
        "path of the first"
    );
}

/// Alternatives hold within one dimension of one grant, not across dimensions of several.
#[test]
fn dimensions_of_two_grants_are_not_mixed() {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[
            json!({"tools": ["read_file"], "scope": {"repository": ["acme/web"], "path": ["docs/**"]}}),
            json!({"tools": ["read_file"], "scope": {"repository": ["acme/api"], "path": ["src/**"]}}),
        ],
    )]);
    let on = |repo: &str, path: &str| {
        reason(&check(
            &engine,
            "read_file",
            &json!({"owner": "acme", "repo": repo, "path": path}).to_string(),
        ))
    };
    assert_eq!(on("web", "docs/a"), None);
    assert_eq!(on("api", "src/a"), None);
    assert_eq!(on("web", "src/a"), Some(Reason::OutOfScope));
    assert_eq!(on("api", "docs/a"), Some(Reason::OutOfScope));
}

#[rstest]
#[case::all_match(json!(["bug", "docs"]), None)]
#[case::one_does_not(json!(["bug", "security"]), Some(Reason::OutOfScope))]
#[case::none(json!([]), Some(Reason::OutOfScope))]
fn every_value_must_match(#[case] labels: Value, #[case] expected: Option<Reason>) {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[json!({
            "operations": ["issue.read"], "scope": {"repository": ["acme/*"], "label": ["bug", "docs"]}
        })],
    )]);
    let arguments = json!({"owner": "acme", "repo": "web", "labels": labels}).to_string();
    assert_eq!(reason(&check(&engine, "list_issues", &arguments)), expected);
}

/// A grant that restricts what the tool does not say permits no call of it, though the tool stays visible.
#[test]
fn a_restriction_that_a_tool_cannot_meet_denies() {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[json!({"tools": ["*"], "scope": {"repository": ["acme/*"]}})],
    )]);
    assert!(engine.tools().iter().any(|tool| tool.name == "whoami"));
    assert_eq!(reason(&check(&engine, "whoami", "{}")), Some(Reason::OutOfScope));
    // `path` must be mentioned where it applies.
    let arguments = r#"{"owner":"acme","repo":"web","path":"a"}"#;
    assert_eq!(
        reason(&check(&engine, "read_file", arguments)),
        Some(Reason::OutOfScope)
    );
}

#[test]
fn a_grant_without_scope_permits_only_where_nothing_must_be_restricted() {
    let engine = engine(vec![binding("code", &forge(), &[json!({"tools": ["*"]})])]);
    assert_eq!(reason(&check(&engine, "whoami", "{}")), None);
    assert_eq!(
        reason(&check(&engine, "list_issues", r#"{"owner":"a","repo":"b"}"#)),
        Some(Reason::OutOfScope)
    );
}

/// A forbidden tool and one that does not exist are the same.
#[test]
fn forbidden_and_unknown_tools_are_indistinguishable() {
    let engine = reader();
    let forbidden = check(&engine, "delete_file", "{}");
    let unknown = check(&engine, "no_such_tool", "{}");
    assert_eq!(forbidden, unknown);
    assert_eq!(reason(&unknown), Some(Reason::UnknownTool));
    let names: Vec<_> = engine.tools().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["list_issues"]);
}

#[test]
fn a_bot_without_policy_may_nothing() {
    let engine = Engine::empty(bot::bot_name());
    assert_eq!(
        reason(&check(&engine, "list_issues", "{}")),
        Some(Reason::NoPolicy)
    );
    assert!(engine.tools().is_empty());
    assert_eq!(engine.digest(), "");
}

#[test]
fn a_path_is_executed_in_its_canonical_form() {
    let engine = engine(vec![binding(
        "code",
        &forge(),
        &[json!({
            "tools": ["read_file"], "scope": {"repository": ["acme/*"], "path": ["docs/**"]}
        })],
    )]);
    let decision = check(
        &engine,
        "read_file",
        r#"{"owner":"acme","repo":"web","path":"./docs//a.md"}"#,
    );
    assert_eq!(permit(&decision).arguments["path"], "docs/a.md");
    for path in [
        "docs/../secret",
        "docs/%2e%2e/secret",
        "/docs/a",
        "docs\\..\\x",
        "docs2/a",
        "docs",
        "docs/a\u{0}",
    ] {
        let arguments = json!({"owner": "acme", "repo": "web", "path": path}).to_string();
        assert!(
            reason(&check(&engine, "read_file", &arguments)).is_some(),
            "{path}"
        );
    }
}

#[rstest]
#[case::permitted("docker logs web", None)]
#[case::quoted("docker logs 'web'", None)]
#[case::list("docker logs web; rm -rf /", Some(Reason::NotCanonical))]
#[case::and("docker logs web && id", Some(Reason::NotCanonical))]
#[case::substitution("docker logs $(id)", Some(Reason::NotCanonical))]
#[case::backticks("docker logs `id`", Some(Reason::NotCanonical))]
#[case::newline("docker logs web\nid", Some(Reason::NotCanonical))]
#[case::redirection("docker logs web > /etc/passwd", Some(Reason::NotCanonical))]
#[case::quoted_operator("docker logs 'web;' rm", Some(Reason::OutOfScope))]
#[case::option("docker logs --follow", Some(Reason::OutOfScope))]
#[case::wrapper("env docker logs web", Some(Reason::OutOfScope))]
fn commands(#[case] command: &str, #[case] expected: Option<Reason>) {
    let engine = engine(vec![binding(
        "box",
        &shell(),
        &[json!({
            "operations": ["*"], "scope": {"command": ["docker logs *"]}
        })],
    )]);
    let decision = check(&engine, "run", &json!({"command": command}).to_string());
    assert_eq!(reason(&decision), expected, "{decision:?}");
    if expected.is_none() {
        assert_eq!(
            json!(permit(&decision).canonical.get("command").unwrap()),
            json!([["docker", "logs", "web"]])
        );
    }
}

#[test]
fn hosts_urls_and_expressions() {
    let engine = engine(vec![binding(
        "ops",
        &desk(),
        &[
            json!({"tools": ["ping"], "scope": {"host": ["*.example.com", "10.0.0.0/8"]}}),
            json!({"tools": ["fetch"], "scope": {"url": ["https://*.example.com/v1/**"], "rule": ["call.arguments.times < 4"]}}),
            json!({"tools": ["close"], "scope": {"ticket": ["OPS-[0-9]{1,6}"]}}),
        ],
    )]);
    let asks = |tool: &str, arguments: Value| check(&engine, tool, &arguments.to_string());
    let ping = asks("ping", json!({"host": "API.example.com."}));
    assert_eq!(permit(&ping).arguments, json!({"host": "api.example.com"}));
    assert_eq!(reason(&asks("ping", json!({"host": "0xa000001"}))), None);
    assert_eq!(
        reason(&asks("ping", json!({"host": "127.0.0.1"}))),
        Some(Reason::OutOfScope)
    );
    let fetch = asks(
        "fetch",
        json!({"url": "HTTPS://a.example.com:443/v1/./x#y", "times": 3}),
    );
    assert_eq!(permit(&fetch).arguments["url"], "https://a.example.com/v1/x");
    assert_eq!(
        reason(&asks(
            "fetch",
            json!({"url": "https://a.example.com/v1/x", "times": 4})
        )),
        Some(Reason::OutOfScope)
    );
    assert_eq!(
        reason(&asks("fetch", json!({"url": "https://a.example.com/v1/x"}))),
        Some(Reason::OutOfScope),
        "the rule fails"
    );
    assert_eq!(
        reason(&asks(
            "fetch",
            json!({"url": "http://169.254.169.254/v1/x", "times": 1})
        )),
        Some(Reason::OutOfScope)
    );
    assert_eq!(reason(&asks("close", json!({"ticket": "OPS-12"}))), None);
    assert_eq!(
        reason(&asks("close", json!({"ticket": "OPS-12\n"}))),
        Some(Reason::OutOfScope)
    );
}
