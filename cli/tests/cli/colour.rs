//! Escape sequences are for terminals alone.

use crate::run::monstrum;

/// Commands that need no cluster, with findings, so that everything that has a colour is shown.
const COMMANDS: [&[&str]; 6] = [
    &["validate", "-f", "wrong.yaml", "-f", "types.yaml"],
    &["validate", "-f", "team.yaml", "-f", "types.yaml"],
    &["policy", "test", "failing-tests.yaml", "--verbose"],
    &["policy", "lint", "-f", "lint.yaml", "-f", "types.yaml"],
    &[
        "policy",
        "diff",
        "-f",
        "wider.yaml",
        "-f",
        "types.yaml",
        "--against",
        "reader.yaml",
        "--against",
        "types.yaml",
    ],
    &[
        "explain",
        "triage",
        "list_issues",
        "--args",
        "{}",
        "-f",
        "team.yaml",
        "-f",
        "types.yaml",
    ],
];

fn escapes(text: &str) -> bool {
    ["\u{1b}", "\\u001b", "\\x1b", "\\e["]
        .iter()
        .any(|escape| text.contains(escape))
}

#[test]
fn data_holds_no_escape_sequences() {
    for command in COMMANDS {
        for format in ["json", "yaml"] {
            for colour in ["auto", "always", "never"] {
                let ran = monstrum(&[command, &["-o", format, "--color", colour]].concat());
                assert!(!ran.out.is_empty(), "{command:?}: {}", ran.err);
                assert!(
                    !escapes(&ran.out),
                    "{command:?} -o {format} --color {colour}: {}",
                    ran.out
                );
            }
        }
    }
}

#[test]
fn text_holds_none_where_there_is_no_terminal_or_none_are_wanted() {
    for command in COMMANDS {
        for colour in ["auto", "never"] {
            let ran = monstrum(&[command, &["--color", colour]].concat());
            assert!(
                !escapes(&ran.out) && !escapes(&ran.err),
                "{command:?} --color {colour}: {}",
                ran.out
            );
        }
    }
}
