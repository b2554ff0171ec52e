//! What is taken from elsewhere into an image can be pinned by digest.

use std::collections::BTreeSet;

const DOCKERFILE: &str = include_str!("../../Dockerfile");

/// Every stage begins with nothing, with another stage, or with an argument that a release sets to a digest.
#[test]
fn every_base_image_can_be_pinned_by_digest() {
    let mut known: BTreeSet<String> = ["scratch".to_owned()].into();
    let mut stages = 0;
    for line in DOCKERFILE.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["ARG", argument] => {
                let name = argument.split('=').next().unwrap();
                known.insert(format!("${{{name}}}"));
            }
            ["FROM", base, "AS", stage] => {
                assert!(known.contains(*base), "{line}: make the base image an ARG");
                known.insert((*stage).to_owned());
                stages += 1;
            }
            ["FROM", ..] => panic!("{line}: give the stage a name"),
            _ => {}
        }
    }
    assert!(stages >= 6, "{stages}");
}
