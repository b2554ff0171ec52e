//! Commands as they are executed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use monstrum_runner::call::FailureKind;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::support::{eventually, runs, shell, shell_call, shell_until};

/// A writable folder for commands, and the settings that name it.
pub(crate) fn workspace() -> (TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (
        folder,
        json!({ "workingDirectory": path, "readWritePaths": [path] }),
    )
}

#[tokio::test]
async fn every_word_stays_a_word() {
    let (_folder, config) = workspace();
    let words = [
        ";", "rm", "-rf", "/", "$(id)", "`id`", "&&", "||", "|", ">", "/tmp/x", "*", "~", "a b", "a\nb",
        "\"", "'", "", "$HOME", "${IFS}", "\\", "#", "!", "{a,b}", "é",
    ];
    let argv: Vec<&str> = ["printf", "<%s>"].into_iter().chain(words).collect();
    let ended = shell(shell_call(config, &argv)).await;
    assert_eq!(ended.success(), format!("<{}>", words.join("><")));
    assert_eq!(ended.fact("exitCode"), 0);
}

#[tokio::test]
async fn docker_logs_semicolon_rm_is_one_argument_vector() {
    let (folder, mut config) = workspace();
    let tools = tempfile::tempdir().unwrap();
    let docker = tools.path().join("docker");
    fs::write(&docker, "#!/bin/bash\nprintf '%s|' \"$0\" \"$@\"\n").unwrap();
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("precious"), "here").unwrap();
    config["environment"] = json!({ "PATH": tools.path() });
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", tools.path()]);
    let ended = shell(shell_call(config, &["docker", "logs", "web;", "rm", "-rf", "/"])).await;
    assert_eq!(
        ended.success(),
        format!("{}|logs|web;|rm|-rf|/|", docker.display())
    );
    assert!(folder.path().join("precious").exists());
}

#[tokio::test]
async fn the_environment_is_what_is_configured() {
    let (folder, mut config) = workspace();
    config["environment"] = json!({ "ANSWER": "42" });
    let ended = shell(shell_call(config, &["env"])).await;
    let mut lines: Vec<&str> = ended.success().lines().collect();
    lines.sort_unstable();
    let home = format!("HOME={}", folder.path().canonicalize().unwrap().display());
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(
        lines,
        ["ANSWER=42", home.as_str(), "LANG=C.UTF-8", path, "TERM=dumb"]
    );
}

#[tokio::test]
async fn a_failing_command_is_a_result_with_its_code() {
    let (_folder, config) = workspace();
    let ended = shell(shell_call(
        config,
        &["bash", "-c", "echo out; echo err >&2; echo again; exit 3"],
    ))
    .await;
    assert_eq!(ended.success(), "out\nerr\nagain\n\n(exit code 3)");
    assert_eq!(ended.fact("exitCode"), 3);
}

#[rstest]
#[case::unknown(&["no-such-program"], "no-such-program: command not found")]
#[case::empty(&[""], "the command is empty")]
#[case::nothing(&[], "the command is empty")]
#[case::relative_search(&["./no-such"], "./no-such: No such file or directory (os error 2)")]
#[case::nul(&["echo", "a\0b"], "a word of the command holds a NUL character")]
#[case::folder(&["/usr"], "/usr: Permission denied (os error 13)")]
#[tokio::test]
async fn what_can_not_be_executed_is_told(#[case] argv: &[&str], #[case] message: &str) {
    let (_folder, config) = workspace();
    let ended = shell(shell_call(config, argv)).await;
    assert_eq!(ended.failure().kind, FailureKind::Invalid);
    assert_eq!(ended.failure().message, message);
}

#[rstest]
#[case::none(json!({}))]
#[case::two(json!({ "command": [["true"], ["true"]] }))]
#[case::text(json!({ "command": ["true"] }))]
#[case::number(json!({ "command": [["true", 1]] }))]
#[case::other_dimension(json!({ "cmd": [["true"]] }))]
#[tokio::test]
async fn exactly_one_judged_command_is_executed(#[case] canonical: Value) {
    let (_folder, config) = workspace();
    let mut call = shell_call(config, &["true"]);
    call.canonical_json = canonical.to_string();
    assert_eq!(shell(call).await.failure().kind, FailureKind::Invalid);
}

#[tokio::test]
async fn a_file_without_a_header_is_not_handed_to_a_shell() {
    let (folder, mut config) = workspace();
    let script = folder.path().join("script");
    fs::write(&script, "echo from a shell\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", folder.path()]);
    let ended = shell(shell_call(config, &["./script"])).await;
    assert!(ended.failure().message.contains("Exec format error"), "{ended:?}");
}

#[tokio::test]
async fn standard_input_is_empty() {
    let (_folder, config) = workspace();
    assert_eq!(shell(shell_call(config, &["cat"])).await.success(), "");
}

#[tokio::test]
async fn output_is_bounded_and_the_command_goes_on() {
    let (folder, config) = workspace();
    let script =
        "for i in {1..3000}; do echo 0123456789012345678901234567890123456789; done; echo done > file";
    let mut call = shell_call(config, &["bash", "-c", script]);
    call.max_result_bytes = 1000;
    let ended = shell(call).await;
    assert_eq!(ended.success().len(), 1000);
    assert!(ended.truncated());
    assert_eq!(ended.fact("bytes"), 1000);
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "done\n");
}

#[tokio::test]
async fn at_the_deadline_everything_is_killed() {
    let (_folder, config) = workspace();
    // Some try to leave: a new session, a detached grandchild, one that ignores what can be ignored.
    let script = "trap '' TERM HUP INT; (setsid sleep 417.1 & ) ; (nohup sleep 417.2 &) ; \
                  (set -m; sleep 417.3 & disown) ; echo up; sleep 417.4";
    let mut call = shell_call(config, &["bash", "-c", script]);
    call.timeout_ms = 700;
    let began = Instant::now();
    let ended = shell(call).await;
    assert_eq!(ended.failure().kind, FailureKind::Timeout);
    assert!(ended.text.contains("up\n"), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
    for marker in ["417.1", "417.2", "417.3", "417.4"] {
        assert!(!runs(marker), "{marker} still runs");
    }
}

#[tokio::test]
async fn what_runs_on_in_the_background_ends_with_the_command() {
    let (_folder, config) = workspace();
    let began = Instant::now();
    let ended = shell(shell_call(config, &["bash", "-c", "sleep 418.5 & echo started"])).await;
    assert_eq!(ended.success(), "started\n");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(!runs("418.5"));
}

#[tokio::test]
async fn no_zombie_stays() {
    let (_folder, config) = workspace();
    let script = "for i in {1..20}; do (tail -f /dev/null &) ; done; sleep 0.2; exit 0";
    shell(shell_call(config, &["bash", "-c", script])).await.success();
    eventually("no zombie is left", || zombies() == 0).await;
}

fn zombies() -> usize {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| stat.contains("(tail) Z ") && stat.split(' ').nth(3) == Some(own.as_str()))
        .count()
}

#[tokio::test]
async fn a_cancelled_command_is_killed() {
    let (_folder, config) = workspace();
    let token = CancellationToken::new();
    let running = tokio::spawn(shell_until_owned(
        shell_call(config, &["sleep", "420.9"]),
        token.clone(),
    ));
    eventually("the command runs", || runs("420.9")).await;
    token.cancel();
    let ended = running.await.unwrap();
    assert_eq!(ended.failure().kind, FailureKind::Cancelled);
    assert!(!runs("420.9"));
}

async fn shell_until_owned(
    call: monstrum_wire::runner::Execute,
    token: CancellationToken,
) -> crate::support::Ended {
    shell_until(&[], call, token).await
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_running() {
    let (_folder, config) = workspace();
    let call = shell_call(config, &["bash", "-c", "sleep 421.3 & sleep 421.3"]);
    let running = tokio::spawn(shell_until_owned(call, CancellationToken::new()));
    eventually("the command runs", || runs("421.3")).await;
    running.abort();
    eventually("the command is gone", || !runs("421.3")).await;
}

#[tokio::test]
async fn a_missing_working_directory_is_told() {
    let config = json!({ "workingDirectory": "/workspace/none", "readWritePaths": ["/workspace"] });
    let ended = shell(shell_call(config, &["true"])).await;
    assert_eq!(ended.failure().kind, FailureKind::Invalid);
    assert!(
        ended
            .failure()
            .message
            .contains("workingDirectory /workspace/none"),
        "{ended:?}"
    );
}
