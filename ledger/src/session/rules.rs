//! Who may have a session, and who has it. Pure: a database reads the row, asks here, and writes what it is told.

use super::{Claim, SessionLease};
use crate::clock::Moment;
use crate::store::StoreError;

/// A session's row, as far as leases are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseRow {
    /// The channel that it was begun through.
    pub(crate) channel: String,
    /// Counts the holds.
    pub(crate) fence: u64,
    /// Who has it; nobody after a release.
    pub(crate) holder: Option<String>,
    /// When the present hold ends.
    pub(crate) expires: Moment,
    /// The position of the newest message.
    pub(crate) last_position: u64,
}

impl LeaseRow {
    fn lives(&self, now: Moment) -> bool {
        self.holder.is_some() && self.expires > now
    }

    /// The fence under which the claimant has the session from now on.
    pub(crate) fn claimed(&self, claim: &Claim, now: Moment) -> Result<u64, StoreError> {
        let session = claim.session.clone();
        if self.channel != claim.channel {
            return Err(StoreError::ForeignChannel { session });
        }
        if self.lives(now) && self.holder.as_ref() != Some(&claim.holder) {
            return Err(StoreError::SessionHeld { session });
        }
        Ok(self.fence.saturating_add(1))
    }

    /// The lease is the present one, whether or not it ran out.
    pub(crate) fn require_present(&self, lease: &SessionLease) -> Result<(), StoreError> {
        if self.holder.is_none() {
            return Err(not_held(lease));
        }
        self.require_last(lease)
    }

    /// The lease is the present one, or was and has been given back since.
    pub(crate) fn require_last(&self, lease: &SessionLease) -> Result<(), StoreError> {
        if self.fence != lease.fence {
            return Err(not_held(lease));
        }
        Ok(())
    }

    /// The lease is the present one and lives.
    pub(crate) fn require_living(&self, lease: &SessionLease, now: Moment) -> Result<(), StoreError> {
        self.require_present(lease)?;
        if !self.lives(now) {
            return Err(not_held(lease));
        }
        Ok(())
    }
}

fn not_held(lease: &SessionLease) -> StoreError {
    StoreError::NotHeld {
        session: lease.session.clone(),
        fence: lease.fence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Tail;
    use rstest::rstest;
    use std::time::Duration;

    const NOW: Moment = Moment::from_micros(1_000_000);

    fn row(holder: Option<&str>, expires: i64) -> LeaseRow {
        LeaseRow {
            channel: "chat".to_owned(),
            fence: 7,
            holder: holder.map(str::to_owned),
            expires: Moment::from_micros(expires),
            last_position: 0,
        }
    }

    fn claim(holder: &str, channel: &str) -> Claim {
        Claim {
            session: "s".to_owned(),
            holder: holder.to_owned(),
            lease: Duration::from_secs(30),
            user: String::new(),
            channel: channel.to_owned(),
            tail: Tail {
                messages: 1,
                bytes: 1,
            },
            opening: None,
        }
    }

    fn lease(fence: u64) -> SessionLease {
        SessionLease {
            session: "s".to_owned(),
            fence,
        }
    }

    #[rstest]
    #[case::free(row(None, 0), Ok(8))]
    #[case::its_own(row(Some("one"), 2_000_000), Ok(8))]
    #[case::abandoned(row(Some("other"), 1_000_000), Ok(8))]
    #[case::held(row(Some("other"), 1_000_001), Err("held by another"))]
    fn a_session_goes_to_whoever_finds_it_free(#[case] row: LeaseRow, #[case] fence: Result<u64, &str>) {
        match (row.claimed(&claim("one", "chat"), NOW), fence) {
            (Ok(found), Ok(fence)) => assert_eq!(found, fence),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn a_session_stays_with_its_channel() {
        let refused = row(None, 0).claimed(&claim("one", "mail"), NOW);
        assert!(matches!(refused, Err(StoreError::ForeignChannel { .. })));
    }

    #[rstest]
    #[case::living(row(Some("one"), 1_000_001), 7, true, true, true)]
    #[case::at_its_end(row(Some("one"), 1_000_000), 7, false, true, true)]
    #[case::given_back(row(None, 0), 7, false, false, true)]
    #[case::an_older_one(row(Some("one"), 2_000_000), 6, false, false, false)]
    fn a_lease_is_worth_what_its_fence_says(
        #[case] row: LeaseRow,
        #[case] fence: u64,
        #[case] living: bool,
        #[case] present: bool,
        #[case] last: bool,
    ) {
        let lease = lease(fence);
        assert_eq!(row.require_living(&lease, NOW).is_ok(), living);
        assert_eq!(row.require_present(&lease).is_ok(), present);
        assert_eq!(row.require_last(&lease).is_ok(), last);
    }
}
