//! Parameters outside of a grant, and parameters that are not what they should be.

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};

/// Each with the repository's marker in place of `{repo}`.
const ATTACKS: &[(&str, &str)] = &[
    ("another owner", r#"{"owner":"initech","repo":"{repo}"}"#),
    (
        "a prefix of the owner",
        r#"{"owner":"acme-evil","repo":"{repo}"}"#,
    ),
    ("another case", r#"{"owner":"Acme","repo":"{repo}"}"#),
    (
        "a separator in the owner",
        r#"{"owner":"acme/x","repo":"{repo}"}"#,
    ),
    (
        "a separator in the repository",
        r#"{"owner":"acme","repo":"{repo}/../../initech/x"}"#,
    ),
    (
        "dots for a repository",
        r#"{"owner":"acme","repo":"..","x{repo}":1}"#,
    ),
    ("a missing parameter", r#"{"owner":"acme","x{repo}":1}"#),
    ("null", r#"{"owner":null,"repo":"{repo}"}"#),
    ("an array", r#"{"owner":["acme"],"repo":"{repo}"}"#),
    ("an object", r#"{"owner":{"x":"acme"},"repo":"{repo}"}"#),
    ("a number", r#"{"owner":7,"repo":"{repo}"}"#),
    (
        "an extra parameter",
        r#"{"owner":"acme","repo":"{repo}","admin":true}"#,
    ),
    (
        "a numeric string",
        r#"{"owner":"acme","repo":"{repo}","number":"1"}"#,
    ),
    (
        "a duplicate key",
        r#"{"owner":"initech","owner":"acme","repo":"{repo}"}"#,
    ),
    (
        "an escaped duplicate key",
        r#"{"owner":"initech","own\u0065r":"acme","repo":"{repo}"}"#,
    ),
    (
        "trailing data",
        r#"{"owner":"acme","repo":"{repo}"} {"owner":"initech"}"#,
    ),
    ("no object", r#"["acme","{repo}"]"#),
    ("not JSON", r#"{"owner":"acme","repo":"{repo}""#),
    ("a newline", r#"{"owner":"acme\n","repo":"{repo}"}"#),
    ("a NUL", r#"{"owner":"acme\u0000","repo":"{repo}"}"#),
    ("a zero-width space", r#"{"owner":"ac\u200bme","repo":"{repo}"}"#),
    ("a question mark", r#"{"owner":"acme","repo":"{repo}?x=\u202e"}"#),
];

#[tokio::test]
async fn what_no_grant_covers_is_denied_recorded_and_never_sent() -> Result<()> {
    let workspace = Workspace::create("args").await?;
    BotSetup::triage()
        .bot("  limits: {maxSteps: 60}")
        .install(&workspace)
        .await?;
    let message = format!("Attack ({})", workspace.name());
    let mut script = Scripted::default();
    for (_, arguments) in ATTACKS {
        script = script.raw_call(
            "github_list_issues",
            &arguments.replace("{repo}", workspace.name()),
        );
    }
    workspace
        .model()
        .script(workspace.name(), &script.says("Done.").when(&message))
        .await?;

    let turn = workspace.chat("triage", &message).await?;

    assert_eq!(turn.answer(), "Done.", "{turn:#?}");
    let decisions = turn.decisions();
    assert_eq!(decisions.len(), ATTACKS.len(), "{turn:#?}");
    for ((attack, _), decision) in ATTACKS.iter().zip(&decisions) {
        assert!(!decision.allowed, "{attack} was permitted");
    }
    let reached = workspace.github().recorded(workspace.name()).await?;
    assert!(reached.is_empty(), "{reached:#?}");
    let denials = workspace.audit("triage").await?;
    assert_eq!(
        denials
            .iter()
            .filter(|record| record["verdict"] == "deny")
            .count(),
        ATTACKS.len(),
        "{denials:#?}"
    );
    workspace.remove().await
}
