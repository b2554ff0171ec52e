//! Pods that die in the middle of a turn: no effect twice, no record lost, and a clear answer.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Scripted, Turn, Workspace, wait};
use rstest::rstest;
use serde_json::json;

use crate::alone;

/// Has a turn under way whose call takes five seconds, kills the pods of `component` meanwhile, and gives the turn.
async fn killed_in_mid_call(workspace: &Workspace, component: &str) -> Result<Turn> {
    BotSetup::triage().install(workspace).await?;
    let message = format!("Comment ({})", workspace.name());
    let script = Scripted::default()
        .calls(&[(
            "github_create_comment",
            json!({"owner": "acme", "repo": "slow", "number": 1, "body": workspace.name()}),
        )])
        .says("Done.")
        .when(&message);
    workspace.model().script(workspace.name(), &script).await?;
    let kill = async {
        wait::until(
            "the call at the server",
            Duration::from_secs(30),
            || async { Ok(workspace.github().recorded(workspace.name()).await?.len()) },
            |seen| *seen == 1,
        )
        .await?;
        let labels = format!("monstrum.dev/bot=triage,app.kubernetes.io/component={component}");
        let args = [
            "-n",
            workspace.name(),
            "delete",
            "pod",
            "-l",
            &labels,
            "--grace-period=0",
            "--force",
        ];
        workspace.cluster().kubectl(&args).await
    };
    let (turn, killed) = tokio::join!(workspace.chat("triage", &message), kill);
    killed?;
    turn
}

#[rstest]
#[case::runner("runner")]
#[case::gateway("gateway")]
#[tokio::test]
async fn a_call_in_flight_is_never_made_twice(#[case] component: &str) -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("killed").await?;

    let turn = killed_in_mid_call(&workspace, component).await?;

    let clear = !turn.answer().is_empty() || turn.failure().is_some() || !turn.errors.is_empty();
    assert!(clear, "no clear answer: {turn:#?}");
    workspace.bot_ready("triage").await?;
    let message = format!("And now? ({})", workspace.name());
    let name = format!("{}-after", workspace.name());
    workspace
        .model()
        .script(&name, &Scripted::default().says("All right.").when(&message))
        .await?;
    let session = turn.session();
    let again = wait::until(
        "the session goes on",
        Duration::from_secs(90),
        || workspace.chat_in(&session, "triage", &message),
        |turn| turn.answer() == "All right.",
    )
    .await?;
    assert_eq!(again.answer(), "All right.");

    let posted = workspace.github().recorded(workspace.name()).await?;
    assert_eq!(
        posted.iter().filter(|request| request.method == "POST").count(),
        1,
        "{posted:#?}"
    );
    let records = workspace.audit("triage").await?;
    let started = records
        .iter()
        .filter(|record| record["kind"] == "call.started")
        .count();
    assert_eq!(started, 1, "{records:#?}");
    let finished = records
        .iter()
        .filter(|record| record["kind"] == "call.finished")
        .count();
    assert_eq!(finished, 1, "the call's end is not on record: {records:#?}");
    workspace.remove().await
}
