//! Each wrong object says on itself which field is wrong and what to do.

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Workspace};

/// A wrong object: its kind, its name, YAML, and what its condition must mention.
const WRONG: &[(&str, &str, &str, &[&str])] = &[
    (
        "botbinding",
        "nowhere",
        "{apiVersion: monstrum.dev/v1alpha1, kind: BotBinding, metadata: {name: nowhere}, spec: {bot: triage, resource: missing, grants: [{operations: [issue.read]}]}}",
        &["resource", "missing"],
    ),
    (
        "resource",
        "untyped",
        "{apiVersion: monstrum.dev/v1alpha1, kind: Resource, metadata: {name: untyped}, spec: {type: no-such-type}}",
        &["type", "no-such-type"],
    ),
    (
        "credential",
        "empty",
        "{apiVersion: monstrum.dev/v1alpha1, kind: Credential, metadata: {name: empty}, spec: {method: {static: {fields: [{name: token, secretKeyRef: {name: no-secret, key: token}}]}}}}",
        &["no-secret"],
    ),
    (
        "bot",
        "mindless",
        "{apiVersion: monstrum.dev/v1alpha1, kind: Bot, metadata: {name: mindless}, spec: {model: {provider: nobody, name: x}}}",
        &["provider", "nobody"],
    ),
    (
        "botrole",
        "orphan",
        "{apiVersion: monstrum.dev/v1alpha1, kind: BotRole, metadata: {name: orphan}, spec: {parent: no-parent, grants: [{resourceType: github, operations: [issue.read], scope: {repository: ['acme/*']}}]}}",
        &["parent", "no-parent"],
    ),
    (
        "modelprovider",
        "keyless",
        "{apiVersion: monstrum.dev/v1alpha1, kind: ModelProvider, metadata: {name: keyless}, spec: {dialect: OpenAI, baseUrl: 'https://api.example.com/v1', credential: no-credential, models: [{name: m}]}}",
        &["credential", "no-credential"],
    ),
];

#[tokio::test]
async fn a_wrong_object_names_the_field_and_the_remedy() -> Result<()> {
    let workspace = Workspace::create("wrong").await?;
    BotSetup::triage().install(&workspace).await?;
    for (kind, name, yaml, mentions) in WRONG {
        workspace.apply(yaml).await?;
        let condition = workspace.condition(kind, name, "Ready", "False").await?;
        let message = condition["message"].as_str().unwrap_or_default();
        for mention in *mentions {
            assert!(
                message.contains(mention),
                "{kind}/{name}: {mention:?} is not in {message:?}"
            );
        }
        assert!(
            message.len() > 20,
            "{kind}/{name}: {message:?} does not say what to do"
        );
    }
    // None of this touched the bot that was right.
    workspace.bot_ready("triage").await?;
    workspace.remove().await
}
