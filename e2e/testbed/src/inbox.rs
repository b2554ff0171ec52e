//! Accepted messages, over memory, for one channel.

use std::time::{Duration, Instant};

use monstrum_wire::ledger::*;
use tonic::Status;

/// One message.
pub struct Row {
    scope: String,
    pub claimed: ClaimedMessage,
    until: Instant,
}

/// All of them, in their order.
#[derive(Default)]
pub struct Inbox {
    pub rows: Vec<Row>,
    /// How often a hold was renewed.
    pub renewed: u32,
    /// How often that was refused.
    pub not_renewed: u32,
}

impl Inbox {
    pub fn accept(&mut self, request: AcceptMessageRequest) {
        self.rows.push(Row {
            scope: request.scope,
            until: after(request.lease_seconds),
            claimed: ClaimedMessage {
                id: request.id,
                attempt: 1,
                age_seconds: 0,
                message: request.message,
            },
        });
    }

    pub fn claim(&mut self, request: &ClaimMessagesRequest) -> Vec<ClaimedMessage> {
        let now = Instant::now();
        let lapsed = self
            .rows
            .iter_mut()
            .filter(|row| row.scope == request.scope && row.until <= now);
        lapsed
            .take(request.limit as usize)
            .map(|row| {
                row.claimed.attempt += 1;
                row.until = after(request.lease_seconds);
                row.claimed.clone()
            })
            .collect()
    }

    pub fn renew(&mut self, request: &RenewMessageRequest) -> Result<(), Status> {
        let row = self.rows.iter_mut().find(|row| row.claimed.id == request.id);
        let Some(row) = row.filter(|row| row.claimed.attempt == request.attempt) else {
            self.not_renewed += 1;
            return Err(not_held());
        };
        row.until = after(request.lease_seconds);
        self.renewed += 1;
        Ok(())
    }

    pub fn finish(&mut self, request: &FinishMessageRequest) -> Result<(), Status> {
        let Some(at) = self.rows.iter().position(|row| row.claimed.id == request.id) else {
            return Ok(());
        };
        if self.rows[at].claimed.attempt != request.attempt {
            return Err(not_held());
        }
        self.rows.remove(at);
        Ok(())
    }

    /// A further message of the first one's channel.
    pub fn put_like_first(&mut self, claimed: ClaimedMessage) {
        let scope = self.rows[0].scope.clone();
        self.rows.push(Row {
            scope,
            claimed,
            until: Instant::now(),
        });
    }

    /// Ends every lease, as time would after their holder's death.
    pub fn lapse(&mut self) {
        for row in &mut self.rows {
            row.until = Instant::now();
        }
    }
}

fn after(seconds: u32) -> Instant {
    Instant::now() + Duration::from_secs(u64::from(seconds))
}

fn not_held() -> Status {
    Status::failed_precondition("not held")
}
