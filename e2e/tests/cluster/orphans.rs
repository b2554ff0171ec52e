//! A bot that was deleted without what was made for it, and comes back.

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Workspace};
use serde_json::Value;

const MADE: [(&str, &str); 5] = [
    ("deployment", "triage-gateway"),
    ("service", "triage-gateway"),
    ("serviceaccount", "triage-gateway"),
    ("networkpolicy", "triage-runner"),
    ("secret", "triage-gateway-tls"),
];

async fn owners(workspace: &Workspace, kind: &str, name: &str) -> Result<Vec<String>> {
    let object = workspace.get(kind, name).await?;
    let owners = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let uids = owners.into_iter().flatten();
    Ok(uids
        .filter_map(|owner| owner.get("uid")?.as_str().map(ToOwned::to_owned))
        .collect())
}

async fn serial(workspace: &Workspace) -> Result<Value> {
    let secret = workspace.get("secret", "triage-gateway-tls").await?;
    let serial = secret.pointer("/metadata/annotations/monstrum.dev~1serial");
    Ok(serial.cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_bot_that_was_deleted_without_its_objects_takes_them_over_when_it_comes_back() -> Result<()> {
    let workspace = Workspace::create("orphans").await?;
    BotSetup::triage().install(&workspace).await?;
    let before = serial(&workspace).await?;
    let delete = [
        "-n",
        workspace.name(),
        "delete",
        "bot",
        "triage",
        "--cascade=orphan",
        "--wait",
    ];
    workspace.cluster().kubectl(&delete).await?;
    for (kind, name) in MADE {
        assert_eq!(
            owners(&workspace, kind, name).await?,
            Vec::<String>::new(),
            "{kind} {name}"
        );
    }

    BotSetup::triage().install(&workspace).await?;
    workspace.bot_ready("triage").await?;
    let bot = workspace.get("bot", "triage").await?;
    let uid = bot
        .pointer("/metadata/uid")
        .and_then(Value::as_str)
        .unwrap_or_default();
    for (kind, name) in MADE {
        assert_eq!(owners(&workspace, kind, name).await?, [uid], "{kind} {name}");
    }
    assert_ne!(serial(&workspace).await?, before);
    let message = workspace.script_a_look().await?;
    assert_eq!(workspace.chat("triage", &message).await?.answer(), "Done.");
    workspace.remove().await
}
