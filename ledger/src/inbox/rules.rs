//! How many messages wait, how long, and for whom. Pure: a database counts, asks here, and writes what it is told.

use std::time::Duration;

use super::MessageLease;
use crate::store::StoreError;

/// How many messages of one channel may wait.
pub const MOST_WAITING: u32 = 1024;

/// How long an accepted message waits for its channel; the channel itself gives up much earlier, unless it is gone.
pub(crate) const WAIT: Duration = Duration::from_hours(7 * 24);

/// One more may wait beside so many.
pub(super) fn require_room(waiting: u64) -> Result<(), StoreError> {
    if waiting >= u64::from(MOST_WAITING) {
        return Err(StoreError::InboxFull(MOST_WAITING));
    }
    Ok(())
}

/// The lease is that of the present attempt.
pub(super) fn require_present(lease: &MessageLease, attempt: u32) -> Result<(), StoreError> {
    if attempt != lease.attempt {
        return Err(not_held(lease));
    }
    Ok(())
}

pub(super) fn not_held(lease: &MessageLease) -> StoreError {
    StoreError::MessageNotHeld {
        id: lease.id.clone(),
        attempt: lease.attempt,
    }
}
