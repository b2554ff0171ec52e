//! One process that wants to lead.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use monstrum_service::Shutdown;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::attempt::{Attempt, Lessee};
use super::lease::Observed;
use super::{Leadership, Term, Timing};

/// Renewals that are under way at once.
const MAX_ATTEMPTS: usize = 8;

/// Why leading ended.
#[derive(Debug, thiserror::Error)]
pub enum LeadershipError {
    /// Another process leads.
    #[error("lease {lease} was taken by {holder}")]
    Taken {
        /// Which lease.
        lease: String,
        /// Who holds it.
        holder: String,
    },
    /// The API server did not take a renewal in time.
    #[error("lease {lease} could not be renewed in time")]
    NotRenewed {
        /// Which lease.
        lease: String,
    },
}

/// One process that wants to lead.
pub struct Candidate {
    lessee: Lessee,
    term: watch::Sender<Option<Term>>,
    observed: Observed,
    /// Whether this process could lead; one that could not waits.
    fit: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Candidate {
    /// A candidate for the lease `name`; `identity` must be another one each time a process starts. It does not ask for
    /// the lease while it is not `fit`.
    pub fn new(
        leases: Api<Lease>,
        name: &str,
        identity: &str,
        timing: Timing,
        fit: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Self, Leadership) {
        let (term, seen) = watch::channel(None);
        let lessee = Lessee {
            leases,
            name: name.to_owned(),
            identity: identity.to_owned(),
            timing,
            annotations: BTreeMap::new(),
        };
        let candidate = Self {
            lessee,
            term,
            observed: Observed::default(),
            fit: Box::new(fit),
        };
        (candidate, Leadership { term: seen })
    }

    /// The same, whose lease says something to others.
    #[must_use]
    pub fn saying(mut self, key: &str, text: String) -> Self {
        self.lessee.annotations.insert(key.to_owned(), text);
        self
    }

    /// Tries to lead, and leads, until asked to stop. An error means that leading was lost: the process must end at once.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<(), LeadershipError> {
        let mut stop = pin!(shutdown.requested());
        loop {
            tokio::select! {
                tried = self.try_once() => tried?,
                () = &mut stop => break,
            }
            tokio::select! {
                () = sleep(self.lessee.timing.every) => {}
                () = &mut stop => break,
            }
        }
        if self.term.send_replace(None).is_some() {
            self.lessee.release().await;
        }
        Ok(())
    }

    async fn try_once(&mut self) -> Result<(), LeadershipError> {
        let term = *self.term.borrow();
        if let Some(term) = term {
            return self.renew(term).await;
        }
        if !(self.fit)() {
            return Ok(());
        }
        let (timing, started) = (self.lessee.timing, Instant::now());
        let observed = &mut self.observed;
        let attempt = self
            .lessee
            .attempt(|lease| observed.has_expired(lease, Instant::now(), &timing));
        if let Ok(attempt) = timeout(timing.deadline, attempt).await {
            self.conclude(started, attempt)?;
        } else {
            tracing::warn!(lease = %self.lessee.name, "the API server does not answer for the lease");
        }
        Ok(())
    }

    /// Renews the lease before the term ends. An attempt that is not answered soon may be slow, or lost with its connection: it is
    /// waited for, and another one is made beside it.
    async fn renew(&self, term: Term) -> Result<(), LeadershipError> {
        let pause = self.lessee.timing.hurry();
        let mut attempts = FuturesUnordered::new();
        let (mut due, mut end) = (
            pin!(sleep(std::time::Duration::ZERO)),
            pin!(sleep_until(term.until)),
        );
        loop {
            tokio::select! {
                biased;
                () = &mut end => {
                    self.term.send_replace(None);
                    let lease = self.lessee.name.clone();
                    return Err(LeadershipError::NotRenewed { lease });
                }
                Some((started, attempt)) = attempts.next(), if !attempts.is_empty() => {
                    if self.conclude(started, attempt)? {
                        return Ok(());
                    }
                }
                () = &mut due => {
                    if attempts.len() < MAX_ATTEMPTS {
                        attempts.push(self.timed_attempt());
                    }
                    let now = Instant::now();
                    due.as_mut().reset(now.checked_add(pause).unwrap_or(now));
                }
            }
        }
    }

    /// Whoever leads takes nothing from another.
    async fn timed_attempt(&self) -> (Instant, Result<Attempt, kube::Error>) {
        let started = Instant::now();
        (started, self.lessee.attempt(|_| false).await)
    }

    /// Whether the lease is held now.
    fn conclude(
        &self,
        started: Instant,
        attempt: Result<Attempt, kube::Error>,
    ) -> Result<bool, LeadershipError> {
        let (leading, lease) = (self.term.borrow().is_some(), &self.lessee.name);
        match attempt {
            Ok(Attempt::Leading { epoch }) => {
                // The term counts from before the write, never from after it.
                let until = started
                    .checked_add(self.lessee.timing.deadline)
                    .unwrap_or(started);
                if !leading {
                    tracing::info!(epoch, identity = %self.lessee.identity, "leading");
                }
                self.term.send_replace(Some(Term { epoch, until }));
                return Ok(true);
            }
            Ok(Attempt::Following { holder }) if leading => {
                self.term.send_replace(None);
                let lease = lease.clone();
                return Err(LeadershipError::Taken { lease, holder });
            }
            Ok(Attempt::Following { holder }) => tracing::debug!(%holder, "following"),
            Ok(Attempt::Contended) => tracing::debug!("another process wrote the lease meanwhile"),
            Err(error) => tracing::warn!(error = %error, %lease, "the lease can't be read or written"),
        }
        Ok(false)
    }
}
