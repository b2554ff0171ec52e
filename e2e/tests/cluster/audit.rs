//! What people see of a bot from outside: its chain of records, exported and verified, and the tools that its gateway enforces.

use std::path::Path;
use std::process::Output;

use anyhow::Result;
use monstrum_e2e::harness::{BotSetup, Workspace};
use serde_json::Value;

async fn verify(workspace: &Workspace, file: &Path, more: &[&str]) -> Result<Output> {
    let file = file.to_string_lossy();
    let mut args = vec!["audit", "verify", &file, "-n", workspace.name()];
    args.extend(more);
    workspace.cluster().monstrum(&args).await
}

/// The export's lines, changed by `change`, and whether that is found.
async fn found(workspace: &Workspace, lines: &[&str], change: impl FnOnce(&mut Vec<String>)) -> Result<bool> {
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    change(&mut changed);
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), changed.join("\n") + "\n")?;
    let verified = verify(workspace, file.path(), &[]).await?;
    Ok(verified.status.code() == Some(1))
}

#[tokio::test]
async fn an_edit_a_deletion_and_a_reorder_of_an_export_are_found_offline() -> Result<()> {
    let workspace = Workspace::create("chain").await?;
    BotSetup::triage().install(&workspace).await?;
    let message = workspace.script_a_look().await?;
    assert_eq!(workspace.chat("triage", &message).await?.answer(), "Done.");

    let export = tempfile::NamedTempFile::new()?;
    let path = export.path().to_string_lossy();
    let args = [
        "audit",
        "export",
        "triage",
        "--file",
        &path,
        "-n",
        workspace.name(),
    ];
    let exported = workspace.cluster().monstrum(&args).await?;
    assert!(exported.status.success(), "{exported:?}");
    let text = std::fs::read_to_string(export.path())?;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 5, "{text}");

    let live = verify(&workspace, export.path(), &["--live", "triage"]).await?;
    assert!(live.status.success(), "{live:?}");
    assert!(!found(&workspace, &lines, |_| {}).await?);
    let edit = |all: &mut Vec<String>| all[2] = all[2].replace(workspace.name(), "elsewhere");
    assert!(lines[2].contains(workspace.name()), "{}", lines[2]);
    assert!(found(&workspace, &lines, edit).await?);
    assert!(found(&workspace, &lines, |all| drop(all.remove(2))).await?);
    assert!(found(&workspace, &lines, |all| all.swap(2, 3)).await?);
    let end = lines.len() - 2;
    assert!(found(&workspace, &lines, |all| drop(all.remove(end))).await?);
    workspace.remove().await
}

#[tokio::test]
async fn the_gateway_enforces_the_tools_that_the_objects_say() -> Result<()> {
    let workspace = Workspace::create("enforced").await?;
    BotSetup::triage().install(&workspace).await?;
    let names = async |more: &[&str]| {
        let mut args = vec!["tools", "triage", "-n", workspace.name(), "-o", "json"];
        args.extend(more);
        let output = workspace.cluster().monstrum(&args).await?;
        let listing: Value = serde_json::from_slice(&output.stdout)?;
        let tools = listing["tools"].as_array().cloned().unwrap_or_default();
        let names = tools
            .iter()
            .filter_map(|tool| tool["name"].as_str().map(str::to_owned));
        anyhow::Ok(names.collect::<Vec<_>>())
    };
    let enforced = names(&["--enforced"]).await?;
    assert!(
        enforced.contains(&"github_list_issues".to_owned()),
        "{enforced:?}"
    );
    assert!(
        !enforced.contains(&"github_create_issue".to_owned()),
        "{enforced:?}"
    );
    assert_eq!(enforced, names(&[]).await?);
    workspace.remove().await
}
