//! What is too long for an audit record is cut, and a digest of the whole stands beside what is left:
//! a record is never lost, nor refused, for its size.

use monstrum_wire::ledger::AuditRecord;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// The longest JSON field, in bytes.
pub const LONGEST_JSON: usize = 16 * 1024;

/// The longest of the other fields, in bytes.
pub const LONGEST_TEXT: usize = 1024;

/// How much of a text that is too long is kept, in bytes.
const KEPT_TEXT: usize = 512;

/// The record with every field within its bound. Fields that fit stay as they are.
pub fn bounded(record: AuditRecord) -> AuditRecord {
    AuditRecord {
        kind: text(record.kind),
        session: text(record.session),
        turn: text(record.turn),
        call_id: text(record.call_id),
        user: text(record.user),
        tool: text(record.tool),
        verdict: text(record.verdict),
        reason: text(record.reason),
        grant: text(record.grant),
        policy_digest: text(record.policy_digest),
        trace_id: text(record.trace_id),
        arguments_json: json(record.arguments_json),
        detail_json: json(record.detail_json),
        ..record
    }
}

/// Cuts a text, and takes NUL out of it, which not every database stores.
fn text(value: String) -> String {
    let value = if value.contains('\0') {
        value.replace('\0', "\u{fffd}")
    } else {
        value
    };
    if value.len() <= LONGEST_TEXT {
        return value;
    }
    let kept = prefix(&value, KEPT_TEXT);
    format!("{kept}… ({} bytes, sha256 {})", value.len(), sha256(&value))
}

/// Cuts JSON that is too long, and wraps what is not JSON.
fn json(value: String) -> String {
    if value.is_empty() {
        return value;
    }
    let valid = serde_json::from_str::<IgnoredAny>(&value).is_ok();
    if valid && value.len() <= LONGEST_JSON {
        return value;
    }
    let flag = if valid { "truncated" } else { "malformed" };
    let mut kept = LONGEST_JSON;
    loop {
        let cut = serde_json::json!({
            flag: true,
            "sha256": sha256(&value),
            "bytes": value.len(),
            "prefix": prefix(&value, kept),
        })
        .to_string();
        if cut.len() <= LONGEST_JSON {
            return cut;
        }
        kept /= 2;
    }
}

fn sha256(value: &str) -> String {
    hex::encode(Sha256::digest(value))
}

/// The longest beginning of whole characters within `length` bytes.
fn prefix(value: &str, length: usize) -> &str {
    let end = value.floor_char_boundary(length.min(value.len()));
    value.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    fn arguments(value: String) -> String {
        bounded(AuditRecord {
            arguments_json: value,
            ..AuditRecord::default()
        })
        .arguments_json
    }

    #[rstest]
    #[case::empty("")]
    #[case::object(r#"{"a":[1,2]}"#)]
    #[case::at_the_bound(&format!("\"{}\"", "x".repeat(LONGEST_JSON - 2)))]
    fn what_fits_stays(#[case] value: &str) {
        assert_eq!(arguments(value.to_owned()), value);
    }

    #[rstest]
    #[case::plain("x")]
    #[case::escaped_twice_as_long("\\\"")]
    #[case::many_bytes("𝄞")]
    fn what_is_too_long_is_cut_with_its_digest(#[case] unit: &str) {
        let whole = format!("{{\"a\":\"{}\"}}", unit.repeat(LONGEST_JSON));
        let cut = arguments(whole.clone());
        assert!(cut.len() <= LONGEST_JSON);
        let cut: Value = serde_json::from_str(&cut).unwrap();
        assert_eq!(cut["truncated"], true);
        assert_eq!(cut["bytes"], whole.len());
        assert_eq!(cut["sha256"], hex::encode(Sha256::digest(&whole)));
        let prefix = cut["prefix"].as_str().unwrap();
        assert!(prefix.len() > 1000 && whole.starts_with(prefix));
    }

    #[rstest]
    #[case::not_json("{a")]
    #[case::nul("\0")]
    #[case::trailing("{} {}")]
    #[case::too_deep(&"[".repeat(1000))]
    fn what_is_not_json_is_wrapped(#[case] value: &str) {
        let wrapped: Value = serde_json::from_str(&arguments(value.to_owned())).unwrap();
        assert_eq!(wrapped["malformed"], true);
        assert_eq!(wrapped["prefix"], value);
    }

    #[test]
    fn a_long_text_keeps_its_digest() {
        let whole = "é".repeat(LONGEST_TEXT);
        let tool = bounded(AuditRecord {
            tool: whole.clone(),
            ..AuditRecord::default()
        })
        .tool;
        assert!(tool.len() <= LONGEST_TEXT);
        assert!(tool.contains(&hex::encode(Sha256::digest(&whole))), "{tool}");
    }
}
