//! What a command can't reach: files, processes, resources.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use monstrum_runner::call::FailureKind;
use monstrum_runner::executor::shell::Shell;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::shell::workspace;
use crate::support::{Ended, eventually, perform, runner, runs, shell, shell_call, shell_protecting};

async fn bash(config: Value, script: &str) -> Ended {
    shell(shell_call(config, &["bash", "-c", script])).await
}

fn denied(ended: &Ended) -> bool {
    // Landlock answers a link or a move across its borders with the last one.
    let answers = [
        "Permission denied",
        "Operation not permitted",
        "Invalid cross-device link",
    ];
    answers.iter().any(|answer| ended.text.contains(answer))
}

#[tokio::test]
async fn files_outside_of_the_granted_paths_are_unreachable() {
    let (folder, config) = workspace();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "TOPSECRET").unwrap();
    symlink(&secret, folder.path().join("link")).unwrap();
    let relative = format!("../{}/secret", outside.path().file_name().unwrap().display());
    let attempts = [
        format!("cat {}", secret.display()),
        "cat link".to_owned(),
        format!("cat {relative}"),
        format!("ls {}", outside.path().display()),
        format!("ln {} hard", secret.display()),
        format!("echo x > {}", secret.display()),
        format!("truncate -s 0 {}", secret.display()),
        format!("rm {}", secret.display()),
        format!("mv {} moved", secret.display()),
        format!("touch {}/new", outside.path().display()),
    ];
    for attempt in attempts {
        let ended = bash(config.clone(), &attempt).await;
        assert!(denied(&ended), "{attempt}: {ended:?}");
        assert!(!ended.text.contains("TOPSECRET"), "{attempt}");
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "TOPSECRET");
    assert!(!outside.path().join("new").exists());
}

#[tokio::test]
async fn what_is_granted_works() {
    let (folder, config) = workspace();
    let script = "echo a > f && mkdir d && mv f d/g && cat d/g && rm -r d && echo x > /dev/null && head -c1 /dev/zero | wc -c";
    assert_eq!(bash(config.clone(), script).await.success(), "a\n1\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    for attempt in ["echo x > /usr/x", "touch /etc/x", "cp /bin/true t && ./t"] {
        let ended = bash(config.clone(), attempt).await;
        assert!(denied(&ended), "{attempt}: {ended:?}");
    }
}

#[tokio::test]
async fn the_runners_certificate_is_unreachable_beneath_a_granted_folder() {
    let (folder, mut config) = workspace();
    let root = tempfile::tempdir().unwrap();
    let etc = root.path().canonicalize().unwrap().join("etc");
    let tls = etc.join("monstrum/tls");
    fs::create_dir_all(&tls).unwrap();
    fs::write(tls.join("tls.key"), "TOPSECRET").unwrap();
    fs::write(etc.join("passwd"), "harmless\n").unwrap();
    // More than a command may open at once.
    for number in 0..300 {
        fs::write(etc.join(format!("file-{number}")), "").unwrap();
    }
    symlink(&tls, etc.join("alias")).unwrap();
    symlink(&tls, folder.path().join("alias")).unwrap();
    for granted in [
        &etc,
        &etc.join("monstrum"),
        &tls,
        &tls.join("tls.key"),
        &PathBuf::from("/"),
    ] {
        config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", "/proc", granted]);
        for path in [
            tls.join("tls.key"),
            etc.join("alias/tls.key"),
            folder.path().join("alias/tls.key"),
        ] {
            let attempts = [
                format!("cat {}", path.display()),
                format!("cat /proc/self/root{}", path.display()),
                format!("cp {} copy", path.display()),
                format!("ls {}/", path.parent().unwrap().display()),
            ];
            for attempt in attempts {
                let call = shell_call(config.clone(), &["bash", "-c", &attempt]);
                let ended = shell_protecting(std::slice::from_ref(&tls), call).await;
                assert!(denied(&ended), "{attempt}: {ended:?}");
                assert!(!ended.text.contains("TOPSECRET"), "{attempt}");
            }
        }
    }
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", etc]);
    let call = shell_call(config, &["cat", &etc.join("passwd").display().to_string()]);
    assert_eq!(shell_protecting(&[tls], call).await.success(), "harmless\n");
}

#[tokio::test]
async fn a_link_left_by_an_earlier_command_grants_nothing() {
    let (folder, mut config) = workspace();
    let out = folder.path().canonicalize().unwrap().join("out");
    config["readWritePaths"] = json!([folder.path().canonicalize().unwrap(), out]);
    bash(config.clone(), "ln -s / out").await.success();
    let ended = bash(config, "cat /root/.bashrc").await;
    assert_eq!(ended.failure().kind, FailureKind::Invalid);
    assert!(ended.failure().message.contains("symbolic link"), "{ended:?}");
}

/// The runner of these tests is the test's own process.
#[rstest]
#[case("environ")]
#[case("mem")]
#[case("maps")]
#[case("fd/0")]
#[case("root/etc/passwd")]
#[case("cwd/Cargo.toml")]
#[case("exe")]
#[tokio::test]
async fn the_runners_process_shows_nothing(#[case] entry: &str) {
    let (_folder, mut config) = workspace();
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", "/proc"]);
    let own = std::process::id();
    assert_eq!(
        bash(config.clone(), "cat /proc/self/comm").await.success(),
        "cat\n"
    );
    let ended = shell(shell_call(config, &["cat", &format!("/proc/{own}/{entry}")])).await;
    assert!(denied(&ended), "{entry}: {ended:?}");
}

#[tokio::test]
async fn a_command_has_no_capability_even_as_root() {
    let (_folder, mut config) = workspace();
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", "/proc"]);
    let ended = shell(shell_call(
        config,
        &[
            "grep",
            "-E",
            "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):",
            "/proc/self/status",
        ],
    ))
    .await;
    let values: Vec<&str> = ended
        .success()
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let none = "0000000000000000";
    assert_eq!(values, [none, none, none, none, "1", "2"]);
}

/// Harmless signals: where one got through, these tests would go on.
#[tokio::test]
async fn no_signal_reaches_the_runner() {
    let (_folder, config) = workspace();
    let own = std::process::id();
    for signal in ["CONT", "WINCH", "0"] {
        let ended = bash(config.clone(), &format!("kill -{signal} {own}")).await;
        assert!(denied(&ended), "{signal}: {ended:?}");
    }
    assert_eq!(
        bash(config, "sleep 9 & kill $! && wait $!; echo $?")
            .await
            .success(),
        "143\n"
    );
}

#[tokio::test]
async fn no_file_is_inherited() {
    let (_folder, mut config) = workspace();
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", "/proc"]);
    // 3 is the listed folder itself.
    assert_eq!(
        shell(shell_call(config, &["ls", "/proc/self/fd"]))
            .await
            .success(),
        "0\n1\n2\n3\n"
    );
}

#[tokio::test]
async fn new_files_are_the_runners_own() {
    let (_folder, config) = workspace();
    assert_eq!(
        bash(config, "umask; ulimit -c; touch f; stat -c %a f")
            .await
            .success(),
        "0077\n0\n600\n"
    );
}

#[tokio::test]
async fn resources_are_bounded() {
    let (_folder, mut config) = workspace();
    config["limits"] =
        json!({ "cpuSeconds": 1, "memoryBytes": 300_000_000, "fileBytes": 1000, "openFiles": 20 });
    let busy = bash(config.clone(), "while :; do :; done").await;
    assert!(busy.success().contains("ended by signal"), "{busy:?}");
    let large = bash(
        config.clone(),
        "head -c 400000000 /dev/zero | tail -c 399999999 | wc -c",
    )
    .await;
    assert!(large.text.contains("memory exhausted"), "{large:?}");
    let file = bash(config.clone(), "head -c 100000 /dev/zero > f; stat -c %s f").await;
    assert!(file.text.contains("1000\n"), "{file:?}");
    let opened = bash(
        config,
        "for i in {10..40}; do eval \"exec $i</dev/null\" || exit 7; done",
    )
    .await;
    assert!(
        opened.text.contains("Too many open files") || opened.text.contains("Bad file descriptor"),
        "{opened:?}"
    );
}

#[tokio::test]
async fn a_fork_bomb_is_stopped() {
    let (_folder, mut config) = workspace();
    config["limits"] = json!({ "processes": 30 });
    let ended = bash(config, "while :; do sleep 422.6 & done").await;
    assert_eq!(ended.failure().kind, FailureKind::Refused);
    assert!(ended.failure().message.contains("30 processes"), "{ended:?}");
    assert!(!runs("422.6"));
}

/// A runner in front of the real one that makes the kernel refuse one system call.
async fn without(call_number: u32) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let wrapper = folder.path().join("wrapper");
    let program = format!(
        r#"#!/usr/bin/python3
import ctypes, os, struct, sys
code = b"".join(struct.pack("HBBI", *i) for i in [
    (0x20, 0, 0, 0), (0x15, 0, 1, {call_number}), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)])
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0
os.execv("{}", ["monstrum-runner"] + sys.argv[1:])
"#,
        runner().display()
    );
    fs::write(&wrapper, program).unwrap();
    fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (_folder, config) = workspace();
    let executor = Shell::with_runner(wrapper, &[]).unwrap();
    perform(
        executor,
        shell_call(config, &["echo", "ran"]),
        CancellationToken::new(),
    )
    .await
}

#[rstest]
#[case::landlock(444)]
#[case::landlock_rule(445)]
#[case::landlock_restrict(446)]
#[case::seccomp(317)]
#[case::close_range(436)]
#[tokio::test]
#[cfg(target_arch = "x86_64")]
async fn without_the_whole_sandbox_nothing_runs(#[case] call_number: u32) {
    let ended = without(call_number).await;
    assert_eq!(ended.failure().kind, FailureKind::Refused, "{ended:?}");
    assert!(!ended.text.contains("ran"));
    // The wrapper itself does no harm.
    assert_eq!(without(9999).await.success(), "ran\n");
}

#[test]
fn confine_is_of_no_use_by_hand() {
    let output = std::process::Command::new(runner())
        .arg("confine")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[tokio::test]
async fn commands_that_run_at_the_same_time_do_not_see_into_each_other() {
    let (_folder, mut config) = workspace();
    config["readOnlyPaths"] = json!(["/usr", "/bin", "/lib", "/lib64", "/proc"]);
    let mut other = config.clone();
    other["environment"] = json!({ "TOKEN": "of-the-other" });
    let token = CancellationToken::new();
    let until = token.clone();
    let sleeping = tokio::spawn(async move {
        crate::support::shell_until(&[], shell_call(other, &["sleep", "423.8"]), until).await
    });
    eventually("the other runs", || runs("423.8")).await;
    let script = "for p in /proc/[0-9]*; do grep -qz '^423.8$' $p/cmdline && cat $p/environ; done";
    let ended = bash(config, script).await;
    assert!(ended.text.contains("environ: Permission denied"), "{ended:?}");
    assert!(!ended.text.contains("of-the-other"), "{ended:?}");
    token.cancel();
    assert_eq!(sleeping.await.unwrap().failure().kind, FailureKind::Cancelled);
}
