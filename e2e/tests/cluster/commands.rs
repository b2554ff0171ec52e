//! Command lines: what is more than one simple command of granted words is denied, and what is permitted runs as those words.

use anyhow::Result;
use monstrum_e2e::harness::bot::shell;
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use serde_json::json;

const ATTACKS: &[&str] = &[
    "printf %s web; rm -rf /",
    "printf %s $(id)",
    "printf %s `id`",
    "printf %s web\nid",
    "printf %s web > /workspace/x",
    "printf %s web >> /workspace/x",
    "printf %s < /etc/passwd",
    "printf %s web && id",
    "printf %s web || id",
    "printf %s web | sh",
    "printf %s web & id",
    "printf %s \"$(id)\"",
    "printf %s ${IFS}x",
    "printf %s <(id)",
    "X=1 printf %s web",
    "printf -v %s web",
    "printf %s --help",
    "printf -- %s web",
    "time printf %s web",
    "! printf %s web",
    "env printf %s web",
    "sh -c 'printf %s web'",
    "printf %s *",
    "printf %s {a,b}",
    "printf %s ~",
    "printf %s $'\\x41'",
    "printf %s web # and more\nid",
    "/bin/printf %s web",
    "printf  %s",
    "",
];

#[tokio::test]
async fn only_one_simple_command_of_granted_words_runs() -> Result<()> {
    let workspace = Workspace::create("cmd").await?;
    BotSetup::triage()
        .bot("  limits: {maxSteps: 60}")
        .install(&workspace)
        .await?;
    workspace.apply(&shell("['printf %s *']")).await?;
    workspace
        .condition("botbinding", "triage-toolbox", "Ready", "True")
        .await?;
    workspace.bot_ready("triage").await?;
    let message = format!("Attack ({})", workspace.name());
    let mut script = Scripted::default();
    for command in ATTACKS {
        script = script.calls(&[("shell_execute", json!({"command": command}))]);
    }
    // Quoted operators are words like any other, and must arrive as they are.
    script = script.calls(&[(
        "shell_execute",
        json!({"command": "printf %s 'a; rm -rf / && $(id) `id` > x'"}),
    )]);
    workspace
        .model()
        .script(workspace.name(), &script.says("Done.").when(&message))
        .await?;

    let turn = workspace.chat("triage", &message).await?;

    assert_eq!(turn.answer(), "Done.", "{turn:#?}");
    let decisions = turn.decisions();
    assert_eq!(decisions.len(), ATTACKS.len() + 1, "{turn:#?}");
    for (command, decision) in ATTACKS.iter().zip(&decisions) {
        assert!(!decision.allowed, "{command:?} was permitted");
    }
    assert!(decisions[ATTACKS.len()].allowed, "{turn:#?}");
    let last = turn.results().pop().unwrap_or_default();
    assert!(last.contains("a; rm -rf / && $(id) `id` > x"), "{last}");
    workspace.remove().await
}
