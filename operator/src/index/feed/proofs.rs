//! What is not proven yet, and what would prove it.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::index::currency::Mark;

/// Probes that wait for a bookmark; older ones are of no use by then.
const MAX_PROBES: usize = 8;

/// A revision, and since when it is known that there is none later than it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    asked: Instant,
    revision: u64,
}

impl Probe {
    /// Versions can be compared where they are numbers, as every Kubernetes API server's are; otherwise nothing is proven.
    pub(super) fn new(asked: Instant, version: &str) -> Option<Self> {
        Some(Self {
            asked,
            revision: version.parse().ok()?,
        })
    }
}

/// What is not proven yet.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// The last list, until a watch from it stands.
    list: Option<Instant>,
    probes: VecDeque<Probe>,
    /// The watch has gone silent, and has given no sign of life since.
    silent: bool,
}

impl Proofs {
    /// A complete list, asked for at `began`.
    pub(super) fn listed(&mut self, began: Instant) {
        self.list = Some(began);
    }

    pub(super) fn probed(&mut self, probe: Probe) {
        if self.probes.len() >= MAX_PROBES {
            self.probes.pop_front();
        }
        self.probes.push_back(probe);
    }

    /// A watch from the list, or from what followed it, stands.
    pub(super) fn opened(&mut self, mark: &Mark) {
        if !self.silent
            && let Some(began) = self.list.take()
        {
            mark.prove(began);
        }
    }

    /// The watch says something.
    pub(super) fn alive(&mut self, mark: &Mark) {
        self.silent = false;
        self.opened(mark);
    }

    /// The watch has come to `version`.
    pub(super) fn reached(&mut self, version: &str, mark: &Mark) {
        self.alive(mark);
        let Ok(reached) = version.parse::<u64>() else {
            return;
        };
        while let Some(probe) = self.probes.front().filter(|probe| probe.revision <= reached) {
            mark.prove(probe.asked);
            self.probes.pop_front();
        }
    }

    pub(super) fn went_silent(&mut self) {
        self.silent = true;
    }
}
