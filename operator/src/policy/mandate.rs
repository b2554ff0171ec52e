//! Whether this process may hand out policies and credentials of a namespace, and for how long they hold.

use std::sync::Arc;
use std::time::Duration;

use tonic::Status;

use super::hub::Hub;
use crate::index::Index;
use crate::leadership::Leadership;

/// Whether this process may hand out policies and credentials: it leads, and knows what it hands out to be current.
#[derive(Clone)]
pub struct Mandate {
    /// The policies.
    pub hub: Arc<Hub>,
    /// Whether it leads.
    pub leadership: Leadership,
    /// What it knows.
    pub index: Arc<Index>,
}

/// What may be handed out at this instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The term that it is handed out in.
    pub epoch: u64,
    /// How long it holds.
    pub left: Duration,
}

impl Lease {
    /// The time left in whole seconds, never more than there are.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.left.as_secs()).unwrap_or(u32::MAX)
    }
}

impl Mandate {
    /// The term that may be served.
    pub fn epoch(&self) -> Result<u64, Status> {
        let epoch = self
            .leadership
            .epoch()
            .ok_or_else(|| Status::unavailable("this operator does not lead"))?;
        if self.hub.epoch() != Some(epoch) {
            return Err(Status::unavailable("this operator has only begun to lead"));
        }
        Ok(epoch)
    }

    /// What may be handed out of a namespace right now.
    pub fn lease(&self, namespace: &str) -> Result<Lease, Status> {
        let epoch = self.epoch()?;
        // A lease of less than a second would be one of none.
        let left = self.index.lease(namespace).filter(|left| left.as_secs() > 0);
        let left = left.ok_or_else(|| {
            Status::unavailable("this operator does not know whether its policies are current")
        })?;
        Ok(Lease { epoch, left })
    }

    /// What may be handed out of all namespaces together: as long as the one of them that is known to be current for the
    /// shortest time. Those that are out of date count for nothing; in the first moments of a
    /// term they are waited for.
    pub fn lease_of_all(&self) -> Result<Lease, Status> {
        let mut lease = self.lease("")?;
        let namespaces = self.index.namespaces().into_iter();
        for namespace in namespaces.filter(|namespace| self.index.ownership.theirs(namespace).is_none()) {
            match self.lease(&namespace) {
                Ok(own) => lease.left = lease.left.min(own.left),
                Err(_) if !self.index.currency.is_settling() => {}
                Err(status) => return Err(status),
            }
        }
        Ok(lease)
    }
}
