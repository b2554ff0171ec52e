//! Opens when everybody who closed it has let go.

use tokio::sync::watch;

/// Opens when everybody who closed it has let go.
#[derive(Debug, Clone, Default)]
pub struct Latch {
    holds: watch::Sender<usize>,
}

/// One who keeps it closed.
#[derive(Debug)]
#[must_use = "a dropped hold lets go at once"]
pub struct Hold {
    latch: Latch,
}

impl Latch {
    /// Keeps it closed.
    pub fn hold(&self) -> Hold {
        self.holds.send_modify(|holds| *holds = holds.saturating_add(1));
        Hold { latch: self.clone() }
    }

    /// Whether nobody holds it.
    pub fn is_open(&self) -> bool {
        *self.holds.borrow() == 0
    }

    /// Resolves when nobody holds it.
    pub async fn opened(&self) {
        // The sender is `self`, so that the channel can't be closed.
        drop(self.holds.subscribe().wait_for(|holds| *holds == 0).await);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.latch
            .holds
            .send_modify(|holds| *holds = holds.saturating_sub(1));
    }
}
