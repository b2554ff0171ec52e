//! A channel's pod that dies after it accepted a message: the answer arrives all the same.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::fixture::Step;
use monstrum_e2e::harness::webhook::{Delivery, PODS, channel};
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace, wait};

use crate::alone;

const CALLBACK: &str = "mode: Callback, callbackUrl: 'http://inbox.monstrum-fixtures.svc:8080/answers'";

/// Has a message accepted, and kills the channel's pods without a word while the model thinks about it.
async fn accepted_and_killed(workspace: &Workspace, answer: &str) -> Result<Delivery> {
    let message = format!("Hello ({})", workspace.name());
    let slow = Step {
        text: answer.to_owned(),
        delay_ms: 8000,
        ..Step::default()
    };
    let script = Scripted::default().step(slow).when(&message);
    workspace.model().script(workspace.name(), &script).await?;
    let delivery = Delivery::new("u-1", &message)?;
    let accepted = delivery.send(workspace).await?;
    assert_eq!(accepted.status(), 202, "{}", accepted.body());
    wait::until(
        "the message at the model",
        Duration::from_secs(20),
        || async { workspace.model().recorded(&message).await },
        |requests| !requests.is_empty(),
    )
    .await?;
    let delete = [
        "-n",
        workspace.name(),
        "delete",
        "pod",
        "-l",
        PODS,
        "--grace-period=0",
        "--force",
    ];
    workspace.cluster().kubectl(&delete).await?;
    Ok(delivery)
}

#[tokio::test]
async fn an_accepted_message_is_answered_by_the_next_pod() -> Result<()> {
    let _alone = alone().await;
    let workspace = Workspace::create("accepted").await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.apply(&channel(CALLBACK)).await?;
    workspace.condition("channel", "inbox", "Ready", "True").await?;
    let answer = format!("Good day, {}.", workspace.name());

    let delivery = accepted_and_killed(&workspace, &answer).await?;

    let arrived = wait::until(
        "the answer in the inbox",
        Duration::from_secs(150),
        || async { workspace.inbox().recorded(&answer).await },
        |requests| !requests.is_empty(),
    )
    .await?;
    let ids: BTreeSet<_> = arrived
        .iter()
        .filter_map(|request| request.header("webhook-id"))
        .collect();
    assert_eq!(ids, BTreeSet::from([format!("answer_{}", delivery.id).as_str()]));
    // The first may have been cut off with its sender.
    let records = workspace.audit("triage").await?;
    let answered = records
        .iter()
        .filter(|record| record["kind"] == "turn.finished" && record["reason"] != "Cancelled")
        .count();
    assert_eq!(answered, 1, "{records:#?}");
    let replayed = delivery.send(&workspace).await?;
    assert!(replayed.body().contains("duplicate"), "{}", replayed.body());
    workspace.remove().await
}
