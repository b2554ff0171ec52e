//! The recipe for a `ResourceType`: its files are written out, its commands are run, and they answer what the page says.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

const PAGE: &str = include_str!("../../../docs/recipes/writing-a-resource-type.md");

/// A fenced block: the words behind the fence, and the text.
pub(crate) struct Block {
    pub(crate) info: Vec<String>,
    pub(crate) text: String,
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some(Block {
                    info: info.split_whitespace().map(str::to_owned).collect(),
                    text: String::new(),
                });
            }
            Event::Text(text) => open.iter_mut().for_each(|block| block.text.push_str(&text)),
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

/// Runs a command line of the page in the folder; answers its exit code and everything it said.
fn run(folder: &Path, line: &str) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_monstrum"));
    let output = Command::new("sh")
        .args(["-c", &format!("{line} 2>&1")])
        .current_dir(folder)
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", program.parent().unwrap().display()),
        )
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn every_file_and_command_of_the_recipe_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let mut said = None;
    let mut commands = 0;
    for block in blocks(PAGE) {
        let info: Vec<_> = block.info.iter().map(String::as_str).collect();
        match info.as_slice() {
            ["yaml", name] => {
                let mut options = fs::OpenOptions::new();
                let mut file = options
                    .create(true)
                    .append(true)
                    .open(folder.path().join(name))
                    .unwrap();
                file.write_all(block.text.as_bytes()).unwrap();
            }
            ["sh", exit @ ..] => {
                let (code, text) = run(folder.path(), &block.text.trim().replace('\n', " && "));
                let expected = exit.first().map_or("exit-0", |exit| *exit);
                assert_eq!(format!("exit-{code}"), expected, "{}{text}", block.text);
                said = Some(text);
                commands += 1;
            }
            ["text"] => assert_eq!(
                crate::explain::without_digest(said.take().unwrap().trim_end()),
                block.text.trim_end()
            ),
            other => unreachable!("a block of {other:?} that no one runs"),
        }
    }
    assert!(commands >= 5, "validate, test, explain and lint are on the page");
}
