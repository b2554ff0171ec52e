//! What everything in one turn needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use monstrum_wire::ledger::{AuditRecord, Step};
use monstrum_wire::policy::Limits;
use tokio::time::Instant;

use super::clock::Clock;
use super::events::Events;
use super::failure::Failure;
use super::message::Incoming;
use super::stop::Stop;
use super::trace::TraceContext;
use crate::gateway::Gateway;
use crate::ledger::Held;

/// What a turn's last effects may take after its time is over.
const WIND_UP: Duration = Duration::from_mins(1);
/// The ledger keeps none open for longer.
const LONGEST_RESERVATION: Duration = Duration::from_hours(24);

/// What everything in one turn needs.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) gateway: Arc<Gateway>,
    pub(super) held: Held,
    pub(super) turn: String,
    pub(super) user: String,
    pub(super) trace: TraceContext,
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
    pub(super) events: Events,
    pub(super) stop: Stop,
    pub(super) clock: Clock,
    ending: AtomicBool,
}

impl Context {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        message: &Incoming,
        turn: String,
        held: Held,
        limits: Limits,
        events: Events,
        clock: Clock,
    ) -> Self {
        let now = Instant::now();
        let time = Duration::from_secs(u64::from(limits.max_turn_seconds));
        Self {
            gateway,
            held,
            turn,
            user: message.user.clone(),
            trace: message.trace.clone(),
            limits,
            deadline: now.checked_add(time).unwrap_or(now),
            events,
            stop: Stop::default(),
            clock,
            ending: AtomicBool::new(false),
        }
    }

    /// How long a reservation of this turn may stay open: as long as whatever it is for can go on.
    pub(super) fn reservation_life(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.saturating_add(WIND_UP).min(LONGEST_RESERVATION)
    }

    /// Writes what a step came to.
    pub(super) async fn advance(&self, step: Step) -> Result<(), Failure> {
        Ok(self.gateway.ledger.advance(&self.held, step).await?)
    }

    /// From here on the session is given back by the turn's last write.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether the session is given back, or is about to be.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Writes a record without which the turn can't go on.
    pub(super) async fn record(&self, record: AuditRecord) -> Result<(), Failure> {
        Ok(self.gateway.ledger.append(record).await?)
    }
}
