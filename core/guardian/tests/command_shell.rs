//! What is accepted as a command means the same to a real shell: the argv that is judged is the one that bash would run.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;

use std::process::{Command, Stdio};

use bot::{binding, check, engine, shell};
use monstrum_guardian::Engine;
use monstrum_guardian::decision::Verdict;
use proptest::prelude::Strategy as _;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

/// Characters and words that shells act on, and some that they do not.
const PARTS: [&str; 62] = [
    "a",
    "b",
    "x1",
    "-l",
    "--a=b",
    "=",
    "A=1",
    " ",
    "  ",
    "'",
    "\"",
    "\\",
    "$",
    "$(",
    ")",
    "`",
    ";",
    "&",
    "&&",
    "|",
    "||",
    "<",
    ">",
    ">>",
    "<<<",
    "(",
    "{",
    "}",
    "[",
    "]",
    "*",
    "?",
    "~",
    "!",
    "#",
    "%",
    "^",
    "+",
    ",",
    ".",
    "/",
    ":",
    "@",
    "\t",
    "\n",
    "é",
    "''",
    "\"\"",
    "\\ ",
    "\\\\",
    "$'",
    "${a}",
    "$((1))",
    "if",
    "time",
    "in",
    "{a,b}",
    "{1..3}",
    "\u{a0}",
    "2>&1",
    "\r",
    "\u{1f600}",
];

fn any_command() -> Engine {
    // A pattern that admits any words: only what has no canonical form is refused.
    engine(vec![binding(
        "box",
        &shell(),
        &[json!({"tools": ["run"], "scope": {"command": ["argv ** --*"]}})],
    )])
}

/// The argv that the engine judged, if the line is a command at all.
fn judged(engine: &Engine, line: &str) -> Option<Vec<String>> {
    let decision = check(engine, "run", &json!({"command": line}).to_string());
    match decision.verdict {
        Verdict::Allow(permit) | Verdict::NeedsApproval(permit) => {
            let words = permit.canonical.get("command").unwrap().remove(0);
            Some(
                words
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|word| word.as_str().unwrap().to_owned())
                    .collect(),
            )
        }
        Verdict::Deny(_) => None,
    }
}

/// What bash hands to a program called `argv`, for each line; nothing else can run.
fn bash(lines: &[String]) -> Vec<Vec<String>> {
    let mut script = String::from("argv() { printf '%s\\0' argv \"$@\"; }\n");
    for line in lines {
        script.push_str(line);
        script.push_str("\nprintf '\\1'\n");
    }
    let output = Command::new("/bin/bash")
        .args(["--norc", "--noprofile", "-r", "-c", &script])
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/nowhere")
        .stdin(Stdio::null())
        .output()
        .expect("bash is there");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\u{1}')
        .map(|argv| argv.split_terminator('\0').map(str::to_owned).collect())
        .collect()
}

#[test]
fn bash_reads_the_same_words() {
    let engine = any_command();
    let line = proptest::collection::vec(proptest::sample::select(PARTS.as_slice()), 1..8);
    let mut runner = TestRunner::new(Config {
        cases: 1,
        ..Config::default()
    });
    let (mut lines, mut expected, mut refused) = (Vec::new(), Vec::new(), 0_u32);
    for _ in 0..12_000 {
        let line = format!("argv {}", line.new_tree(&mut runner).unwrap().current().concat());
        match judged(&engine, &line) {
            Some(argv) => {
                lines.push(line);
                expected.push(argv);
            }
            None => refused += 1,
        }
    }
    assert!(
        lines.len() > 500 && refused > 2_000,
        "{} accepted, {refused} refused",
        lines.len()
    );
    let actual = bash(&lines);
    assert_eq!(actual.len(), expected.len());
    for ((line, actual), expected) in lines.iter().zip(actual).zip(expected) {
        assert_eq!(actual, expected, "{line:?}");
    }
}

/// The quick way for plain words and the shell's grammar agree.
#[test]
fn quoting_a_plain_word_changes_nothing() {
    let engine = any_command();
    for word in ["a", "-l", "--a=b", "a/b.c", "x:y,z@w%", "+1", "A=1"] {
        assert_eq!(
            judged(&engine, &format!("argv {word}")),
            judged(&engine, &format!("argv '{word}'")),
            "{word}"
        );
    }
}

#[test]
fn the_record_holds_the_argv_and_the_text() {
    let engine = any_command();
    let decision = check(&engine, "run", r#"{"command":"argv 'a b'  c"}"#);
    let permit = bot::permit(&decision);
    assert_eq!(permit.arguments, json!({"command": "argv 'a b'  c"}));
    assert_eq!(
        permit.canonical.get("command").unwrap(),
        [json!(["argv", "a b", "c"])]
    );
}
