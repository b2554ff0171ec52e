//! How long a lease holds, and how often it is renewed or asked for.

use std::time::Duration;

/// How long a lease holds, and how often it is renewed or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Without renewal another process may lead after this long.
    pub(super) length: Duration,
    /// A leader that could not renew for this long ends.
    pub(super) deadline: Duration,
    /// How often.
    pub(super) every: Duration,
}

/// Times with which two could lead, or none for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// Between the end of one leader and the next what the first one sent last must have come to an end.
    #[error(
        "the lease ({length} s) must be longer than the deadline for its renewal ({deadline} s) by at least the retry period ({every} s)"
    )]
    Length {
        /// Of the lease.
        length: u64,
        /// For its renewal.
        deadline: u64,
        /// Between attempts.
        every: u64,
    },
    /// One attempt that fails must not be the end.
    #[error(
        "the deadline for renewal ({deadline} s) must be at least three times the retry period ({every} s)"
    )]
    Deadline {
        /// For renewal.
        deadline: u64,
        /// Between attempts.
        every: u64,
    },
}

impl Default for Timing {
    /// As the control plane's own components have it: a leader outlives an API server that is silent for six seconds.
    fn default() -> Self {
        Self {
            length: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            every: Duration::from_secs(2),
        }
    }
}

impl Timing {
    /// In seconds: how long a lease holds, how long its leader goes on without renewing it, how often it tries.
    pub fn new(length: u64, deadline: u64, every: u64) -> Result<Self, TimingError> {
        if length < deadline.saturating_add(every) {
            return Err(TimingError::Length {
                length,
                deadline,
                every,
            });
        }
        if deadline < every.saturating_mul(3) {
            return Err(TimingError::Deadline { deadline, every });
        }
        Ok(Self {
            length: Duration::from_secs(length),
            deadline: Duration::from_secs(deadline),
            every: Duration::from_secs(every),
        })
    }

    /// How soon another attempt is made while one is not answered.
    pub(super) fn hurry(&self) -> Duration {
        self.every.checked_div(2).unwrap_or(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::as_it_is(15, 10, 2, true)]
    #[case::long(60, 40, 5, true)]
    #[case::tight(8, 6, 2, true)]
    #[case::no_room_for_what_was_sent_last(10, 10, 2, false)]
    #[case::a_leader_that_outlives_its_lease(10, 15, 2, false)]
    #[case::one_attempt_only(15, 4, 2, false)]
    fn times_that_could_not_work_are_refused(
        #[case] length: u64,
        #[case] deadline: u64,
        #[case] every: u64,
        #[case] fine: bool,
    ) {
        assert_eq!(Timing::new(length, deadline, every).is_ok(), fine);
    }

    #[test]
    fn the_default_can_be_written_down() {
        assert_eq!(Timing::new(15, 10, 2), Ok(Timing::default()));
    }
}
