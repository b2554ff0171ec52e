//! What a model must never get to see, searched byte by byte in everything that was sent to it.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use monstrum_e2e::harness::bot::{MODEL_KEY, TOKEN};
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rstest::rstest;
use serde_json::json;

/// The usual spellings of a secret.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![
        secret.to_owned(),
        hex::encode(secret),
        hex::encode_upper(secret),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        json!(secret).to_string().trim_matches('"').to_owned(),
    ];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        all.push(engine.encode(secret));
    }
    // The middle of an encoding that began one or two bytes earlier.
    for shift in ["x", "xx"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{shift}{secret}"));
        all.push(encoded.get(4..encoded.len() - 2).unwrap_or_default().to_owned());
    }
    all
}

#[rstest]
#[case::openai("OpenAI")]
#[case::anthropic("Anthropic")]
#[tokio::test]
async fn no_request_to_the_model_holds_a_secret_or_an_ungranted_tool(
    #[case] dialect: &'static str,
) -> Result<()> {
    let workspace = Workspace::create("secrecy").await?;
    BotSetup::triage().dialect(dialect).install(&workspace).await?;
    // Another bot in the same namespace, whose name must not leak.
    let other = "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: other-bot-q7x}
spec: {model: {provider: scripted, name: scripted-1}}";
    workspace.apply(other).await?;
    let message = format!("What does echo say? ({})", workspace.name());
    let script = Scripted::default()
        .calls(&[(
            "github_get_issue",
            json!({"owner": "acme", "repo": "echo", "number": 1}),
        )])
        .says("It says: {results}")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let turn = workspace.chat("triage", &message).await?;

    assert!(
        turn.answer().contains("Authorization"),
        "the echoing server was not reached: {turn:#?}"
    );
    let requests = workspace.model().recorded(workspace.name()).await?;
    assert_eq!(requests.len(), 2, "{requests:#?}");
    for request in &requests {
        for spelling in spellings(TOKEN) {
            assert!(
                !request.text().contains(&spelling),
                "the token as {spelling} in {request:#?}"
            );
        }
        // Its own key is in the header that authenticates, and nowhere else.
        assert!(!request.body.contains(MODEL_KEY));
        for ungranted in [
            "github_update_issue",
            "github_create_issue",
            "github_list_pulls",
            "shell_execute",
            "other-bot-q7x",
        ] {
            assert!(!request.text().contains(ungranted), "{ungranted} in {request:#?}");
        }
    }
    for spelling in spellings(TOKEN) {
        assert!(
            !turn.answer().contains(&spelling),
            "the token as {spelling} in the answer"
        );
        let records = serde_json::to_string(&workspace.audit("triage").await?)?;
        assert!(
            !records.contains(&spelling),
            "the token as {spelling} in the audit"
        );
    }
    workspace.remove().await
}

#[tokio::test]
async fn a_forbidden_tool_and_an_unknown_one_are_refused_alike() -> Result<()> {
    let workspace = Workspace::create("alike").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = format!("Try both ({})", workspace.name());
    let script = Scripted::default()
        .calls(&[
            (
                "github_update_issue",
                json!({"owner": "acme", "repo": "web", "number": 1, "state": "closed"}),
            ),
            (
                "github_launch_rockets",
                json!({"owner": "acme", "repo": "web", "number": 1, "state": "closed"}),
            ),
        ])
        .says("Done.")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let turn = workspace.chat("triage", &message).await?;

    let results = turn.results();
    assert_eq!(results.len(), 2, "{turn:#?}");
    let neutral = |text: &str| {
        text.replace("github_update_issue", "TOOL")
            .replace("github_launch_rockets", "TOOL")
    };
    assert_eq!(neutral(&results[0]), neutral(&results[1]));
    assert!(
        turn.decisions()
            .iter()
            .all(|decision| !decision.allowed && decision.reason == "UnknownTool"),
        "{turn:#?}"
    );
    workspace.remove().await
}

/// Somebody who may write our objects, and no Secrets, names one that is not his and an address that is.
#[tokio::test]
async fn a_secret_goes_nowhere_that_its_owner_did_not_name() -> Result<()> {
    let workspace = Workspace::create("destinations").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;
    let turn = workspace.chat("triage", &message).await?;
    assert!(turn.decisions()[0].allowed, "{turn:#?}");

    // Another's Secret in a credential of one's own.
    let theirs = "
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: correct-horse-battery}
---
apiVersion: monstrum.dev/v1alpha1
kind: Credential
metadata: {name: mine}
spec:
  method: {static: {fields: [{name: token, secretKeyRef: {name: db, key: password}}]}}
  hosts: ['http://inbox.monstrum-fixtures.svc:8080']
---
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {name: mine}
spec:
  type: github
  config: {baseUrl: 'http://inbox.monstrum-fixtures.svc:8080', allowedAddresses: [198.19.0.0/16, 10.0.0.0/8]}
  credential: {name: mine, method: token}";
    workspace.apply(theirs).await?;
    let refused = workspace
        .condition("credential", "mine", "ResolvedRefs", "False")
        .await?;
    assert_eq!(refused["reason"], "RefNotPermitted");
    workspace.condition("resource", "mine", "Ready", "False").await?;

    // A shared address that is changed.
    workspace
        .apply(&moved("http://inbox.monstrum-fixtures.svc:8080"))
        .await?;
    let refused = workspace
        .condition("resource", "work", "ResolvedRefs", "False")
        .await?;
    assert_eq!(refused["reason"], "RefNotPermitted");
    let turn = workspace.chat("triage", &message).await?;
    assert!(!turn.decisions()[0].allowed, "{turn:#?}");
    for request in workspace.inbox().recorded(workspace.name()).await? {
        assert!(!request.text().contains(TOKEN), "{request:#?}");
    }

    // Back where it was, and the agreement taken back: it ends without any change of ours.
    workspace
        .apply(&moved("http://github.monstrum-fixtures.svc:8080"))
        .await?;
    workspace.condition("resource", "work", "Ready", "True").await?;
    let namespace = workspace.name().to_owned();
    let withdrawn = [
        "annotate",
        "secret",
        "keys",
        "-n",
        &namespace,
        "monstrum.dev/used-by-",
    ];
    workspace.cluster().kubectl(&withdrawn).await?;
    workspace
        .condition("credential", "github", "ResolvedRefs", "False")
        .await?;
    workspace
        .condition("modelprovider", "scripted", "ResolvedRefs", "False")
        .await?;
    workspace.remove().await
}

fn moved(url: &str) -> String {
    format!(
        "
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {{name: work}}
spec:
  type: github
  config: {{baseUrl: '{url}', allowedAddresses: [198.19.0.0/16, 10.0.0.0/8]}}
  credential: {{name: github, method: token}}"
    )
}
