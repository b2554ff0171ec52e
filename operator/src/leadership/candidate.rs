//! One process that wants to lead.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use monstrum_service::Shutdown;
use tokio::sync::watch;
use tokio::time::Instant;

use super::lease::{self, Observed};
use super::{Leadership, Term, Timing};

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
    leases: Api<Lease>,
    name: String,
    identity: String,
    timing: Timing,
    term: watch::Sender<Option<Term>>,
    observed: Observed,
    /// What its lease says to others.
    annotations: BTreeMap<String, String>,
    /// Whether this process could lead; one that could not waits.
    fit: Box<dyn Fn() -> bool + Send + Sync>,
}

/// What one attempt came to.
enum Attempt {
    Leading {
        epoch: u64,
    },
    Following {
        holder: String,
    },
    /// Somebody wrote between the read and the write; the next attempt tells who leads.
    Contended,
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
        let candidate = Self {
            leases,
            name: name.to_owned(),
            identity: identity.to_owned(),
            timing,
            term,
            observed: Observed::default(),
            annotations: BTreeMap::new(),
            fit: Box::new(fit),
        };
        (candidate, Leadership { term: seen })
    }

    /// The same, whose lease says something to others.
    #[must_use]
    pub fn saying(mut self, key: &str, text: String) -> Self {
        self.annotations.insert(key.to_owned(), text);
        self
    }

    /// Tries to lead, and leads, until asked to stop. An error means that leading was lost: the process must end at once.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<(), LeadershipError> {
        let stop = shutdown.requested();
        tokio::pin!(stop);
        loop {
            if self.term.borrow().is_some() || (self.fit)() {
                let started = Instant::now();
                let attempt = tokio::time::timeout(self.patience(started), self.attempt()).await;
                let answered = attempt.is_ok();
                self.conclude(started, attempt)?;
                if !answered && self.term.borrow().is_some() {
                    // It has waited already, and the term does not.
                    continue;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.timing.every) => {}
                () = &mut stop => break,
            }
        }
        self.release().await;
        Ok(())
    }

    /// How long an attempt may take: a leader's ends with its term at the latest, and early enough for another one, over
    /// another connection.
    fn patience(&self, now: Instant) -> Duration {
        let one = self.timing.attempt();
        self.term
            .borrow()
            .map_or(one, |term| term.until.saturating_duration_since(now).min(one))
    }

    async fn attempt(&mut self) -> Result<Attempt, kube::Error> {
        let now = Timestamp::now();
        let Some(current) = self.leases.get_opt(&self.name).await? else {
            let lease = self.signed(lease::first(&self.name, &self.identity, now, &self.timing));
            let created = self.leases.create(&PostParams::default(), &lease).await;
            return written(created);
        };
        let holder = lease::holder(&current).map(ToOwned::to_owned);
        let next = match holder {
            Some(holder) if holder == self.identity => {
                lease::renewed(&current, &self.identity, now, &self.timing)
            }
            Some(holder) if !self.observed.has_expired(&current, Instant::now(), &self.timing) => {
                return Ok(Attempt::Following { holder });
            }
            Some(_) | None => lease::taken(&current, &self.identity, now, &self.timing),
        };
        // `next` carries the version that was read, so this fails when anybody wrote in between.
        let replaced = self
            .leases
            .replace(&self.name, &PostParams::default(), &self.signed(next))
            .await;
        written(replaced)
    }

    fn signed(&self, mut lease: Lease) -> Lease {
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.extend(self.annotations.clone());
        lease
    }

    fn conclude(
        &mut self,
        started: Instant,
        attempt: Result<Result<Attempt, kube::Error>, tokio::time::error::Elapsed>,
    ) -> Result<(), LeadershipError> {
        let leading = *self.term.borrow();
        match attempt {
            Ok(Ok(Attempt::Leading { epoch })) => {
                // The term counts from before the write, never from after it.
                let until = started.checked_add(self.timing.deadline).unwrap_or(started);
                if leading.is_none() {
                    tracing::info!(epoch, identity = %self.identity, "leading");
                }
                self.term.send_replace(Some(Term { epoch, until }));
            }
            Ok(Ok(Attempt::Following { holder })) => {
                if leading.is_some() {
                    self.term.send_replace(None);
                    return Err(LeadershipError::Taken {
                        lease: self.name.clone(),
                        holder,
                    });
                }
                tracing::debug!(%holder, "following");
            }
            Ok(Ok(Attempt::Contended)) => tracing::debug!("another process wrote the lease meanwhile"),
            Ok(Err(error)) => {
                tracing::warn!(error = %error, lease = %self.name, "the lease can't be read or written");
            }
            Err(_) => tracing::warn!(lease = %self.name, "the API server does not answer for the lease"),
        }
        self.check_term()
    }

    /// Ends leading when the term ran out, or will before the next attempt could end.
    fn check_term(&self) -> Result<(), LeadershipError> {
        let ended = self
            .term
            .borrow()
            .is_some_and(|term| Instant::now() >= term.until);
        if !ended {
            return Ok(());
        }
        self.term.send_replace(None);
        Err(LeadershipError::NotRenewed {
            lease: self.name.clone(),
        })
    }

    /// Gives the lease back, so that another process need not wait for it to run out.
    async fn release(&self) {
        if self.term.send_replace(None).is_none() {
            return;
        }
        let released = async {
            let current = self.leases.get(&self.name).await?;
            if lease::holder(&current) != Some(self.identity.as_str()) {
                return Ok(());
            }
            let free = lease::released(&current, Timestamp::now());
            self.leases
                .replace(&self.name, &PostParams::default(), &free)
                .await
                .map(drop)
        };
        match tokio::time::timeout(self.timing.every, released).await {
            Ok(Ok(())) => tracing::info!(lease = %self.name, "gave the lease back"),
            Ok(Err::<(), kube::Error>(error)) => {
                tracing::warn!(error = %error, "the lease can't be given back; it runs out");
            }
            Err(_) => tracing::warn!("the lease can't be given back in time; it runs out"),
        }
    }
}

fn written(answer: Result<Lease, kube::Error>) -> Result<Attempt, kube::Error> {
    match answer {
        Ok(lease) => Ok(Attempt::Leading {
            epoch: u64::try_from(lease::transitions(&lease)).unwrap_or(0),
        }),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Attempt::Contended),
        Err(error) => Err(error),
    }
}
