//! What the program says of itself.

use crate::run::{monstrum, monstrum_as};

const COMMANDS: [&[&str]; 15] = [
    &[],
    &["chat"],
    &["tools"],
    &["explain"],
    &["status"],
    &["audit"],
    &["audit", "list"],
    &["audit", "tail"],
    &["audit", "export"],
    &["audit", "verify"],
    &["validate"],
    &["policy", "test"],
    &["policy", "diff"],
    &["policy", "lint"],
    &["completions"],
];

#[test]
fn help_of_every_command() {
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let ran = monstrum(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let name = if command.is_empty() {
            "help".to_owned()
        } else {
            format!("help_{}", command.join("_"))
        };
        insta::assert_snapshot!(name, ran.out);
    }
}

#[test]
fn as_a_kubectl_plugin_it_is_called_like_one() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-monstrum");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_monstrum"), &plugin).unwrap();
    let ran = monstrum_as(plugin.to_str().unwrap(), &["explain", "--help"]);
    assert!(ran.out.contains("Usage: kubectl monstrum explain"), "{}", ran.out);
    assert!(
        ran.out.contains("\n  kubectl monstrum explain triage"),
        "{}",
        ran.out
    );
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    assert_eq!(monstrum(&["explain"]).code, 64);
    assert_eq!(monstrum(&["audit", "verify"]).code, 64);
    assert_eq!(monstrum(&["status", "a,component=other"]).code, 64);
    assert_eq!(monstrum(&["--version"]).code, 0);
}

#[test]
fn without_a_cluster_it_says_so_and_what_to_do() {
    let ran = monstrum(&["status"]);
    assert_eq!(ran.code, 69);
    assert!(
        ran.err.contains("neither a kubeconfig nor a service account"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("help: set KUBECONFIG"), "{}", ran.err);
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = monstrum(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("explain"), "{shell}");
    }
}
