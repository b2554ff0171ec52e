//! The messages of one session, one after the other, in the order they came to this gateway.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::failure::Failure;

/// Sessions that may have a turn at once: what bounds a gateway's memory.
const MOST_BUSY: usize = 256;

/// Which sessions are busy here, and how many wait.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    busy: Arc<Mutex<HashMap<String, Line>>>,
}

#[derive(Debug, Default)]
struct Line {
    gate: Arc<tokio::sync::Mutex<()>>,
    /// The running turn and those that wait.
    length: u32,
}

/// A place in a session's line; left when dropped.
#[derive(Debug)]
pub(super) struct Place {
    sessions: Sessions,
    session: String,
    gate: Arc<tokio::sync::Mutex<()>>,
    ahead: u32,
}

impl Sessions {
    /// Stands in line behind at most `most` waiting messages.
    pub(super) fn join(&self, session: &str, most: u32) -> Result<Place, Failure> {
        let mut busy = self.lock();
        if busy.len() >= MOST_BUSY && !busy.contains_key(session) {
            return Err(Failure::Busy(MOST_BUSY));
        }
        let line = busy.entry(session.to_owned()).or_default();
        let ahead = line.length;
        if ahead > most {
            return Err(Failure::QueueFull(most));
        }
        line.length = line.length.saturating_add(1);
        let gate = Arc::clone(&line.gate);
        Ok(Place {
            sessions: self.clone(),
            session: session.to_owned(),
            gate,
            ahead,
        })
    }

    /// How many sessions have a running turn.
    pub fn running(&self) -> u32 {
        u32::try_from(self.lock().len()).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// How many turns come first.
    pub(super) fn ahead(&self) -> u32 {
        self.ahead
    }

    /// Waits for its turn; first come, first served.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.gate).lock_owned().await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut busy = self.sessions.lock();
        if let Some(line) = busy.get_mut(&self.session) {
            line.length = line.length.saturating_sub(1);
            if line.length == 0 {
                busy.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_has_a_length_and_an_end() {
        let sessions = Sessions::default();
        let first = sessions.join("s", 1).unwrap();
        let second = sessions.join("s", 1).unwrap();
        assert_eq!((first.ahead(), second.ahead()), (0, 1));
        assert_eq!(sessions.join("s", 1).unwrap_err(), Failure::QueueFull(1));
        assert_eq!(sessions.join("other", 1).unwrap().ahead(), 0);
        let turn = first.turn().await;
        drop((turn, first));
        second.turn().await;
        assert_eq!(sessions.running(), 1);
        drop(second);
        assert_eq!(sessions.running(), 0);
    }

    #[test]
    fn a_gateway_has_room_for_so_many_sessions() {
        let sessions = Sessions::default();
        let places: Vec<Place> = (0..MOST_BUSY)
            .map(|at| sessions.join(&at.to_string(), 1).unwrap())
            .collect();
        assert_eq!(
            sessions.join("one more", 1).unwrap_err(),
            Failure::Busy(MOST_BUSY)
        );
        assert!(sessions.join("0", 1).is_ok(), "a busy session still queues");
        drop(places);
        assert!(sessions.join("one more", 1).is_ok());
    }
}
