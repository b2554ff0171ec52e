//! What follows when the index stops being current, or is again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use monstrum_service::{Readiness, Token};
use tokio::time::Instant;

use crate::index::Index;
use crate::leadership::Leadership;
use crate::metrics::Metrics;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);
/// A leader that has known nothing for this long, beyond a policy's lease, ends: another process, or this one anew, may
/// reach the API server. By then every status says what is wrong.
const STEP_DOWN_AFTER: Duration = Duration::from_secs(30);

/// This process led, and could not follow the API server any more.
#[derive(Debug, thiserror::Error)]
#[error("this operator can't lead: {faults}")]
pub(crate) struct OutOfTouch {
    faults: String,
}

/// Keeps telling readiness, metrics and statuses whether the index is current.
pub(crate) struct Lookout {
    index: Arc<Index>,
    leadership: Leadership,
    readiness: Readiness,
    metrics: Metrics,
    /// Whether something was current before; a process that has only started is not out of touch.
    was_current: bool,
    /// Held while nothing is current.
    unready: Option<(Token, Instant)>,
    /// Namespaces for which nothing is done, as their statuses say.
    stale: BTreeSet<String>,
    /// Those that are watched by themselves and can't be followed, as was told.
    lapsed: BTreeSet<String>,
}

impl Lookout {
    pub(crate) fn new(
        index: Arc<Index>,
        leadership: Leadership,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Self {
        Self {
            index,
            leadership,
            readiness,
            metrics,
            was_current: false,
            unready: None,
            stale: BTreeSet::new(),
            lapsed: BTreeSet::new(),
        }
    }

    /// Runs until dropped, or until this process must not lead any longer.
    pub(crate) async fn run(mut self) -> Result<(), OutOfTouch> {
        loop {
            self.look();
            self.step_down()?;
            tokio::time::sleep(EVERY).await;
        }
    }

    fn look(&mut self) {
        for (kind, age) in self.index.currency.ages() {
            self.metrics.watch_aged(kind, age);
        }
        let faults = self.index.currency.faults();
        if faults.is_empty() {
            self.was_current = true;
            self.unready = None;
        } else if self.unready.is_none() {
            if self.was_current {
                tracing::error!(?faults, "out of touch with the API server; nothing is renewed");
            }
            self.unready = Some((self.readiness.block(faults.join("; ")), Instant::now()));
        }
        self.tell_watched();
        self.metrics.kept(self.index.budget.kept());
        if self.leadership.epoch().is_some() {
            self.tell_namespaces();
        }
    }

    /// Names the namespaces that were asked for and can't be followed: deleted ones, and those that may not be read.
    fn tell_watched(&mut self) {
        if !self.index.listed.is_open() {
            return;
        }
        let mut lapsed = BTreeSet::new();
        for namespace in self.index.currency.scopes() {
            let faults = self.index.currency.faults_of(&namespace);
            self.metrics.followed(&namespace, faults.is_empty());
            if faults.is_empty() {
                continue;
            }
            if !self.lapsed.contains(&namespace) {
                tracing::error!(%namespace, ?faults, "a watched namespace can't be followed: nothing there is in force; the others go on");
            }
            lapsed.insert(namespace);
        }
        for namespace in self.lapsed.difference(&lapsed) {
            tracing::info!(%namespace, "a watched namespace is followed again");
        }
        self.lapsed = lapsed;
    }

    /// Has every object of a namespace reconciled that has stopped being current, or is again.
    fn tell_namespaces(&mut self) {
        let namespaces = self.index.namespaces().into_iter();
        let stale: BTreeSet<String> = namespaces
            .filter(|namespace| self.index.ownership.is_ours(namespace))
            .filter(|namespace| {
                self.index.currency.is_stale(namespace) || self.index.budget.overrun(namespace).is_some()
            })
            .collect();
        for namespace in stale.symmetric_difference(&self.stale) {
            let faults = self.index.faults_of(namespace);
            tracing::warn!(%namespace, ?faults, "what is known of a namespace changed its standing");
            self.index.queue_namespace(namespace);
        }
        self.metrics
            .stale_namespaces
            .set(i64::try_from(stale.len()).unwrap_or(i64::MAX));
        self.stale = stale;
    }

    fn step_down(&self) -> Result<(), OutOfTouch> {
        match &self.unready {
            Some((_, since)) if self.leadership.epoch().is_some() && since.elapsed() >= STEP_DOWN_AFTER => {
                let faults = self.index.currency.faults().join("; ");
                Err(OutOfTouch { faults })
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
