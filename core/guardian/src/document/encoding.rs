//! The one encoding of a policy document, and its digest.

use std::io::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Document, FORMAT};
use crate::strict_json;

/// No policy is larger: a bot with hundreds of bindings stays far below it.
const MAX_BYTES: usize = 16 << 20;
/// Parameter schemas nest; nothing honest nests deeper.
const MAX_DEPTH: usize = 64;

/// Why bytes are not a policy document.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Larger than any policy.
    #[error("a policy document of {0} bytes is larger than the limit of {MAX_BYTES} bytes")]
    TooLarge(usize),
    /// Not one strict JSON object (see [`crate::decision::Reason::MalformedArguments`] for what strict means).
    #[error("the policy document is not strict JSON: {0}")]
    Json(String),
    /// Strict JSON, but not a policy document: an unknown field, a wrong type.
    #[error("the policy document does not have the expected form")]
    Form(#[source] serde_json::Error),
    /// Written by a newer or older compiler.
    #[error("policy format {0} is not the supported format {FORMAT}")]
    Format(u32),
}

impl Document {
    /// Canonical JSON: keys in the order of their bytes, no white space. The same document always gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A document is maps with string keys all the way down, so this cannot fail; if it could, an empty
        // text decodes to no policy and denies.
        serde_json::to_value(self)
            .map(|value| canonical_bytes(&value))
            .unwrap_or_default()
    }

    /// `sha256:<hex>` over [`Document::to_bytes`].
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(self.to_bytes())))
    }

    /// Reads what [`Document::to_bytes`] wrote, strictly: no unknown field, no duplicate key, no other format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::Json(error.to_string()))?;
        let limits = strict_json::Limits {
            bytes: MAX_BYTES,
            depth: MAX_DEPTH,
            numbers: strict_json::Numbers::AsWritten,
            // It is the operator's, and a key of it can stand in somebody's settings.
            reserved_keys: true,
        };
        let value =
            strict_json::object(text, limits).map_err(|error| DecodeError::Json(error.to_string()))?;
        let document: Self = serde_json::from_value(value).map_err(DecodeError::Form)?;
        if document.format == FORMAT {
            Ok(document)
        } else {
            Err(DecodeError::Format(document.format))
        }
    }
}

/// Canonical JSON of any value.
pub(crate) fn canonical_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by(|left, right| left.0.cmp(right.0));
            write_list(b'{', b'}', entries, out, |(key, item), out| {
                write_scalar(&Value::String(key.clone()), out);
                out.push(b':');
                write_value(item, out);
            });
        }
        Value::Array(items) => write_list(b'[', b']', items, out, write_value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, out),
    }
}

fn write_list<T>(
    open: u8,
    close: u8,
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_scalar(value: &Value, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}
