//! The webhook channel: who gets in, and what is answered.

use std::time::Duration;

use anyhow::Result;
use monstrum_e2e::harness::webhook::{Delivery, channel, signature};
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace, wait};

async fn install(area: &str, mode: &str) -> Result<Workspace> {
    let workspace = Workspace::create(area).await?;
    BotSetup::triage().install(&workspace).await?;
    workspace.apply(&channel(mode)).await?;
    workspace.condition("channel", "inbox", "Ready", "True").await?;
    Ok(workspace)
}

#[tokio::test]
async fn a_signed_message_is_answered_and_everything_else_is_refused() -> Result<()> {
    let workspace = install("hook", "mode: Synchronous, maxBodyBytes: 4096").await?;
    let message = format!("Hello ({})", workspace.name());
    workspace
        .model()
        .script(
            workspace.name(),
            &Scripted::default().says("Good day.").when(&message),
        )
        .await?;

    let good = Delivery::new("u-1", &message)?;
    let answer = good.send(&workspace).await?;
    assert_eq!(answer.status(), 200, "{}", answer.body());
    assert!(answer.body().contains("Good day."), "{}", answer.body());

    let asked = workspace.model().recorded(&message).await?.len();
    let replayed = good.send(&workspace).await?;
    assert!(
        !replayed.body().contains("Good day."),
        "a replay was answered: {}",
        replayed.body()
    );

    let forged = Delivery {
        secret: b"another secret of the same size!".to_vec(),
        ..Delivery::new("u-1", &message)?
    };
    assert_eq!(forged.send(&workspace).await?.status(), 401);
    let now = Delivery::new("u-1", &message)?;
    let old = Delivery {
        timestamp: now.timestamp - 3600,
        ..Delivery::new("u-1", &message)?
    };
    assert_eq!(old.send(&workspace).await?.status(), 401);
    let early = Delivery {
        timestamp: now.timestamp + 3600,
        ..Delivery::new("u-1", &message)?
    };
    assert_eq!(early.send(&workspace).await?.status(), 401);
    let large = Delivery {
        body: format!("{{\"user\":\"u-1\",\"text\":\"{}\"}}", "x".repeat(8192)),
        ..Delivery::new("u-1", "")?
    };
    assert_eq!(large.send(&workspace).await?.status(), 413);
    let form = Delivery {
        content_type: "text/plain",
        ..Delivery::new("u-1", &message)?
    };
    assert_eq!(form.send(&workspace).await?.status(), 415);
    let stranger = Delivery::new("u-2", &message)?;
    assert_eq!(stranger.send(&workspace).await?.status(), 403);

    assert_eq!(
        workspace.model().recorded(&message).await?.len(),
        asked,
        "a refused message reached the model"
    );
    workspace.remove().await
}

#[tokio::test]
async fn an_answer_is_posted_back() -> Result<()> {
    let callback = "mode: Callback, callbackUrl: 'http://inbox.monstrum-fixtures.svc:8080/answers'";
    let workspace = install("callback", callback).await?;
    let message = format!("Hello ({})", workspace.name());
    let answer = format!("Good day, {}.", workspace.name());
    workspace
        .model()
        .script(
            workspace.name(),
            &Scripted::default().says(&answer).when(&message),
        )
        .await?;

    let accepted = Delivery::new("u-1", &message)?.send(&workspace).await?;

    assert_eq!(accepted.status(), 202, "{}", accepted.body());
    let arrived = wait::until(
        "the answer in the inbox",
        Duration::from_secs(30),
        || async { workspace.inbox().recorded(&answer).await },
        |requests| !requests.is_empty(),
    )
    .await?;
    let callback = &arrived[0];
    let (id, timestamp) = (
        callback.header("webhook-id").unwrap_or_default(),
        callback.header("webhook-timestamp").unwrap_or_default(),
    );
    let signature = signature(id, timestamp, &callback.body)?;
    assert_eq!(callback.header("webhook-signature"), Some(signature.as_str()));
    workspace.remove().await
}
