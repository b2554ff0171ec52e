//! The bot of the README: its objects are those of the file that it links, where nothing is missing.

use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::recipe::blocks;

const README: &str = include_str!("../../../README.md");
const QUICKSTART: &str = include_str!("../../../manifests/quickstart.yaml");

fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

#[test]
fn the_readmes_bot_is_in_the_file_that_it_links() {
    assert!(README.contains("(manifests/quickstart.yaml)"));
    let all = documents(QUICKSTART);
    let shown = blocks(README).into_iter().filter(|block| block.info == ["yaml"]);
    let shown: Vec<Value> = shown.flat_map(|block| documents(&block.text)).collect();
    assert_eq!(shown.len(), 2);
    for object in shown {
        assert!(all.contains(&object), "{object}");
    }
}

#[test]
fn the_file_lacks_nothing() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new(env!("CARGO_BIN_EXE_monstrum"))
        .args([
            "validate",
            "-f",
            "manifests/quickstart.yaml",
            "-f",
            "charts/monstrum/resource-types/github.yaml",
        ])
        .current_dir(root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The Channel of its page leads to the bot of the README.
#[test]
fn the_channel_of_its_page_is_right() {
    let page = include_str!("../../../docs/channels.md");
    let shown = blocks(page).into_iter().find(|block| block.info == ["yaml"]);
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    file.write_all(shown.unwrap().text.as_bytes()).unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new(env!("CARGO_BIN_EXE_monstrum"))
        .args(["validate", "-f", "manifests/quickstart.yaml"])
        .args(["-f", "charts/monstrum/resource-types/github.yaml", "-f"])
        .arg(file.path())
        .current_dir(root)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}
