//! `audit verify` on exports that were tampered with.

use monstrum_wire::audit::{GENESIS, hash};
use monstrum_wire::ledger::AuditRecord;
use serde_json::{Value, json};

use crate::run::{Ran, monstrum};

/// An export of `length` records, a line each, the last one the trailer.
fn export(length: u64) -> Vec<String> {
    let mut previous = GENESIS.to_owned();
    let mut lines = Vec::new();
    for sequence in 1..=length {
        let mut record = AuditRecord {
            sequence,
            bot: "team-a/triage".to_owned(),
            time_micros: 1_700_000_000_000_000,
            kind: "decision".to_owned(),
            tool: "github_list_issues".to_owned(),
            verdict: "deny".to_owned(),
            arguments_json: r#"{"owner":"acme"}"#.to_owned(),
            previous_hash: previous.clone(),
            ..AuditRecord::default()
        };
        record.hash = hash(&record);
        previous.clone_from(&record.hash);
        lines.push(serde_json::to_string(&record).unwrap());
    }
    lines.push(json!({"head": {"sequence": length, "hash": previous}}).to_string());
    lines
}

fn verify(lines: &[String], more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("triage.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    monstrum(&[&["audit", "verify", path.to_str().unwrap()], more].concat())
}

/// The number of the record that is reported, with the words.
fn found(lines: &[String]) -> (Option<u64>, String) {
    let ran = verify(lines, &["-o", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let findings: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(findings[0]["intact"], false);
    (
        findings[0]["record"].as_u64(),
        findings[0]["problem"].as_str().unwrap().to_owned(),
    )
}

/// A record's field changed, with its own hash made to fit if asked.
fn edited(line: &str, rehash: bool) -> String {
    let mut record: AuditRecord = serde_json::from_str(line).unwrap();
    "allow".clone_into(&mut record.verdict);
    if rehash {
        record.hash = hash(&record);
    }
    serde_json::to_string(&record).unwrap()
}

#[test]
fn a_whole_export_holds() {
    let ran = verify(&export(5), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.starts_with("intact  ") && ran.out.contains("5 records of team-a/triage, head 5:"),
        "{}",
        ran.out
    );
    assert_eq!(verify(&export(0), &[]).code, 0);
}

#[test]
fn an_edit_is_found_by_its_number() {
    let mut lines = export(5);
    lines[2] = edited(&lines[2], false);
    let (record, problem) = found(&lines);
    assert_eq!(record, Some(3));
    assert!(problem.starts_with("line 3: record 3 was edited"), "{problem}");
}

#[test]
fn an_edit_with_a_new_hash_is_found_at_the_next_record() {
    let mut lines = export(5);
    lines[2] = edited(&lines[2], true);
    assert_eq!(found(&lines).0, Some(4));
}

#[test]
fn an_edit_of_the_last_record_with_a_new_hash_is_found_at_the_head() {
    let mut lines = export(5);
    lines[4] = edited(&lines[4], true);
    assert!(found(&lines).1.contains("its head is record 5"));
}

#[test]
fn a_deletion_is_found_by_its_number() {
    let mut lines = export(5);
    lines.remove(1);
    assert_eq!(found(&lines).0, Some(2));
}

#[test]
fn a_reorder_is_found_by_its_number() {
    let mut lines = export(5);
    lines.swap(1, 2);
    assert_eq!(found(&lines).0, Some(2));
}

#[test]
fn a_cut_off_end_is_found() {
    let mut lines = export(5);
    lines.remove(4);
    assert_eq!(found(&lines).0, Some(5));
    lines.pop();
    let (record, problem) = found(&lines);
    assert_eq!(record, Some(5));
    assert!(
        problem.contains("without the line that names the head"),
        "{problem}"
    );
}

#[test]
fn a_chain_that_was_made_anew_is_found_against_a_noted_head() {
    let noted = export(5);
    let trailer: Value = serde_json::from_str(&noted[5]).unwrap();
    let head = format!("5:{}", trailer["head"]["hash"].as_str().unwrap());
    assert_eq!(verify(&noted, &["--head", &head]).code, 0);
    assert_eq!(verify(&export(4), &["--head", &head]).code, 1);
}

#[test]
fn what_is_no_record_is_found_by_its_line() {
    for extra in ["not json", "{}", r#"{"head":{"sequence":5}}"#] {
        let mut lines = export(2);
        lines.insert(1, extra.to_owned());
        assert!(found(&lines).1.starts_with("line 2 "), "{extra}");
    }
    let mut lines = export(2);
    lines[0] = lines[0].replacen('{', r#"{"extra":1,"#, 1);
    assert!(found(&lines).1.starts_with("line 1 "));
    let mut lines = export(2);
    lines.push(lines[0].clone());
    assert!(found(&lines).1.starts_with("line 4 comes after"));
}

#[test]
fn an_export_that_is_not_there_is_another_matter() {
    assert_eq!(monstrum(&["audit", "verify", "absent.jsonl"]).code, 66);
    assert_eq!(monstrum(&["audit", "verify", "x", "--head", "5:abc"]).code, 64);
}
