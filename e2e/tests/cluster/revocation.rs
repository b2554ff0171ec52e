//! What is taken away is gone within a second, also in the middle of a turn.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::fixture::{Call, Step};
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use rstest::rstest;
use serde_json::json;

/// What is taken away, and how.
#[derive(Debug, Clone, Copy)]
enum Taken {
    Binding,
    Scope,
    Credential,
}

impl Taken {
    async fn away(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Binding => workspace.delete("botbinding", "triage-work").await,
            Self::Scope => {
                let narrower = "[{operations: [issue.read], scope: {repository: ['acme/elsewhere']}}]";
                workspace
                    .apply(&BotSetup::triage().binding("work", narrower))
                    .await
            }
            Self::Credential => workspace.delete("credential", "github").await,
        }
    }
}

#[rstest]
#[case::binding(Taken::Binding)]
#[case::scope(Taken::Scope)]
#[case::credential(Taken::Credential)]
#[tokio::test]
async fn a_revocation_holds_in_the_middle_of_a_turn(#[case] taken: Taken) -> Result<()> {
    let workspace = Workspace::create("revoke").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = format!("Look twice ({})", workspace.name());
    let look = |delay_ms| Step {
        calls: vec![Call {
            name: "github_list_issues".to_owned(),
            arguments: json!({"owner": "acme", "repo": workspace.name()}),
        }],
        delay_ms,
        ..Step::default()
    };
    // The model thinks for five seconds before it looks again; that is when the grant goes.
    let script = Scripted::default()
        .step(look(0))
        .step(look(5000))
        .says("Done.")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;

    let revoke = async {
        monstrum_e2e::harness::wait::until(
            "the first look",
            Duration::from_secs(30),
            || async { Ok(workspace.github().recorded(workspace.name()).await?.len()) },
            |seen| *seen == 1,
        )
        .await?;
        taken.away(&workspace).await
    };
    let (turn, revoked) = tokio::join!(workspace.chat("triage", &message), revoke);
    revoked?;
    let turn = turn?;

    let allowed: Vec<bool> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(allowed, [true, false], "{turn:#?}");
    assert_eq!(workspace.github().recorded(workspace.name()).await?.len(), 1);
    if !matches!(taken, Taken::Scope) {
        let requests = workspace.model().recorded(workspace.name()).await?;
        let last = requests
            .last()
            .map(|request| request.body.clone())
            .unwrap_or_default();
        let tools: serde_json::Value = serde_json::from_str(&last)?;
        assert!(
            !tools["tools"].to_string().contains("github_"),
            "the tools are still there: {last}"
        );
    }
    workspace.remove().await
}
