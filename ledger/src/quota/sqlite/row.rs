//! A counter's key as columns.

use super::super::{CounterKey, CounterOf};
use crate::sqlite::signed;
use crate::store::StoreError;
use crate::tenant::Owner;

/// The columns of a counter.
pub(super) struct Columns<'a> {
    pub(super) owner: &'a str,
    pub(super) binding: &'a str,
    pub(super) grant: &'a str,
    pub(super) quota: &'a str,
    pub(super) window: i64,
}

impl<'a> Columns<'a> {
    /// Of a counter whose owner is known.
    pub(super) fn of(owner: &'a str, key: &'a CounterKey) -> Result<Self, StoreError> {
        let (binding, grant) = match &key.of {
            CounterOf::Workspace | CounterOf::Bot => ("", ""),
            CounterOf::Grant { binding, grant } => (binding.as_str(), grant.as_str()),
        };
        Ok(Self {
            owner,
            binding,
            grant,
            quota: &key.quota,
            window: signed(key.window_seconds, "window_seconds")?,
        })
    }
}

/// Whose use a row counts.
pub(super) fn of(owner: &str, binding: String, grant: String) -> CounterOf {
    if Owner::is_workspace(owner) {
        CounterOf::Workspace
    } else if binding.is_empty() {
        CounterOf::Bot
    } else {
        CounterOf::Grant { binding, grant }
    }
}
