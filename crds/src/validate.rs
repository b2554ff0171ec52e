//! What is wrong with an object, beyond what its schema and CEL rules can say.

use std::fmt;

use crate::conditions::Reason;

/// One thing that is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where, for example `spec.grants[0].scope.repository`.
    pub field: String,
    /// What is wrong and how to put it right, to be read after the field.
    pub message: String,
    /// Which sort of wrong.
    pub reason: Reason,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>, reason: Reason) -> Self {
        Self { field: field.into(), message: message.into(), reason }
    }

    /// A fault of the object's own making.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(field, message, Reason::Invalid)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}
