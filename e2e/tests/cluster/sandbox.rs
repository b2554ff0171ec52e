//! From inside a sandbox: nothing that is not the command's own can be reached.

use anyhow::Result;
use monstrum_e2e::harness::bot::shell;
use monstrum_e2e::harness::{BotSetup, Scripted, Workspace};
use serde_json::json;

/// A command, and what it must not bring back.
const PROBES: &[(&str, &str)] = &[
    (
        "bash -c 'echo > /dev/tcp/198.19.0.1/443 && echo REACHED'",
        "REACHED",
    ),
    (
        "bash -c 'echo > /dev/tcp/169.254.169.254/80 && echo REACHED'",
        "REACHED",
    ),
    (
        "bash -c 'echo > /dev/tcp/127.0.0.1/9090 && echo REACHED'",
        "REACHED",
    ),
    (
        "bash -c 'echo > /dev/udp/198.19.0.10/53 && echo REACHED'",
        "REACHED",
    ),
    ("bash -c 'echo > /dev/tcp/1.1.1.1/80 && echo REACHED'", "REACHED"),
    ("cat /etc/monstrum/tls/tls.key", "PRIVATE KEY"),
    ("cat /var/run/secrets/kubernetes.io/serviceaccount/token", "eyJ"),
    (
        "bash -c 'cat /proc/[0-9]*/environ | tr \"\\0\" \"\\n\"'",
        "MONSTRUM_",
    ),
    ("bash -c 'cat /proc/1/environ'", "MONSTRUM_"),
    ("env", "MONSTRUM_"),
    ("bash -c 'echo x > /usr/bin/x && echo WRITTEN'", "WRITTEN"),
    ("bash -c 'unshare -U id && echo UNSHARED'", "UNSHARED"),
];

#[tokio::test]
async fn nothing_outside_can_be_reached() -> Result<()> {
    let workspace = Workspace::create("sandbox").await?;
    BotSetup::triage()
        .bot("  limits: {maxSteps: 60}")
        .install(&workspace)
        .await?;
    // The widest grant that there is: the sandbox must hold by itself.
    workspace
        .apply(&shell("['bash -c *', 'cat *', 'env', 'id -u']"))
        .await?;
    workspace
        .condition("botbinding", "triage-toolbox", "Ready", "True")
        .await?;
    workspace.bot_ready("triage").await?;
    let message = format!("Break out ({})", workspace.name());
    let mut script = Scripted::default();
    for (command, _) in PROBES {
        script = script.calls(&[("shell_execute", json!({"command": command}))]);
    }
    script = script.calls(&[("shell_execute", json!({"command": "id -u"}))]);
    workspace
        .model()
        .script(workspace.name(), &script.says("Done.").when(&message))
        .await?;

    let turn = workspace.chat("triage", &message).await?;

    assert_eq!(turn.answer(), "Done.", "{turn:#?}");
    let results = turn.results();
    assert_eq!(results.len(), PROBES.len() + 1, "{turn:#?}");
    assert!(
        turn.decisions().iter().all(|decision| decision.allowed),
        "a probe did not run: {turn:#?}"
    );
    for ((command, forbidden), result) in PROBES.iter().zip(&results) {
        assert!(!result.contains(forbidden), "{command} brought back {result}");
    }
    assert!(results[PROBES.len()].contains("65532"), "{:?}", results.last());
    workspace.remove().await
}
