//! Without the ledger no call is made: a decision that can't be recorded is a denial.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::cluster::SYSTEM;
use monstrum_e2e::harness::{BotSetup, Workspace, wait};

use crate::alone;

#[tokio::test]
async fn nothing_happens_without_a_record() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("unrecorded").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;

    let scale = async |replicas: &str| {
        workspace
            .cluster()
            .kubectl(&["-n", SYSTEM, "scale", "statefulset/monstrum-ledger", replicas])
            .await
    };
    scale("--replicas=0").await?;
    let gone = [
        "-n",
        SYSTEM,
        "wait",
        "pod/monstrum-ledger-0",
        "--for=delete",
        "--timeout=60s",
    ];
    let during = async {
        workspace.cluster().kubectl(&gone).await?;
        workspace.chat("triage", &message).await
    }
    .await;
    scale("--replicas=1").await?;
    let during = during?;

    assert!(
        during.decisions().iter().all(|decision| !decision.allowed),
        "{during:#?}"
    );
    assert!(
        during.failure().is_some() || !during.answer().is_empty(),
        "no clear answer: {during:#?}"
    );
    assert!(workspace.github().recorded(workspace.name()).await?.is_empty());

    let recovered = wait::until(
        "recovery",
        Duration::from_secs(60),
        || workspace.chat("triage", &message),
        |turn| turn.answer() == "Done." && turn.decisions().iter().any(|decision| decision.allowed),
    )
    .await?;
    assert_eq!(recovered.answer(), "Done.");
    workspace.remove().await
}
