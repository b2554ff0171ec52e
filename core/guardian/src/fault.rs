//! What is wrong with a policy's sources, in words for the person who wrote them.

use serde::{Deserialize, Serialize};

/// The first `most` characters of a text, with … where there are more.
pub fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Something wrong with one binding. The binding loses all its grants; others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The name of the `BotBinding`.
    pub binding: String,
    /// Where, for example `grants[0].scope.repository[1]`, `alias`, or `resourceType.tools[2].parameters`.
    pub field: String,
    /// What is wrong and what to do about it, one sentence each.
    pub message: String,
}

/// Something wrong with a resource type or a list of grants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldFault {
    /// Where, for example `tools[2].scope[0].dimension` or `grants[0].operations[1]`.
    pub field: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl FieldFault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The same fault, of one binding, with `prefix` before its field.
    pub(crate) fn of_binding(self, binding: &str, prefix: &str) -> Fault {
        Fault {
            binding: binding.to_owned(),
            field: format!("{prefix}{}", self.field),
            message: self.message,
        }
    }
}
