//! One watch: lists, watches, and proves how current what it told is.
//!
//! `kube::runtime::watcher` does the first two, but keeps bookmarks to itself, and they are what tells a quiet watch from a
//! dead one. Four things are a proof:
//!
//! - A complete list, as of when it was asked for, once a watch from it stands. It is read with quorum.
//! - A bookmark, or an event, that has reached the revision of a probe: as of when the probe was asked for. A probe is a list
//!   of one object, read with quorum; one belongs to each request to watch. Requests are short, since the API server sends a
//!   bookmark two seconds before it ends one.
//! - Where no bookmark proves anything in time, it is listed again: this also serves API servers whose bookmarks lag.
//! - After a watch has gone silent (its connection is half-open, something in between swallows it) a list is not enough: it
//!   would turn a dead watch into a poll. Then the watch itself must give a sign of life.

mod pace;
mod page;
mod proofs;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;

use futures::TryStreamExt as _;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::core::Request;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub(crate) use self::pace::Pace;
use self::pace::{Backoff, GRACE, SETTLED, SHORT};
pub(crate) use self::page::ReadingRoom;
use self::page::{Page, PageSize, Reader};
use self::proofs::{Probe, Proofs};
use super::currency::Mark;
use crate::complaints::Complaints;
use crate::metrics::Metrics;

/// One watch before it runs.
pub(crate) struct Feed<K> {
    pub(crate) api: Api<K>,
    pub(crate) selector: Option<String>,
    /// By fields: which namespaces.
    pub(crate) fields: Option<String>,
    pub(crate) pace: Pace,
    pub(crate) mark: Arc<Mark>,
    pub(crate) metrics: Metrics,
    pub(crate) room: ReadingRoom,
    size: PageSize,
    complaints: Complaints,
}

/// Why a list or a request to watch came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error("the list failed")]
    List(#[source] kube::Error),
    #[error("the watch failed")]
    Watch(#[source] kube::Error),
    #[error("the list of one object failed")]
    Probe(#[source] kube::Error),
    #[error("the API server did not answer in time")]
    NoAnswer,
    #[error("the watch went silent")]
    Silent,
    #[error("the version that was watched from is gone")]
    Gone,
    #[error("the watch told of something that can't be read, and is listed instead")]
    Illegible(#[source] serde_json::Error),
    #[error("the API server sent an object or a list without a version")]
    Unversioned,
    #[error("the API server sent an object that is larger than it can store")]
    TooLarge,
}

/// What a complete list amounts to.
struct Listed {
    version: String,
    began: Instant,
}

impl<K> Feed<K>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    /// A watch of `api` that proves `mark`.
    pub(crate) fn new(api: Api<K>, pace: Pace, mark: Arc<Mark>, metrics: Metrics, room: ReadingRoom) -> Self {
        Self {
            api,
            selector: None,
            fields: None,
            pace,
            mark,
            metrics,
            room,
            size: PageSize::default(),
            complaints: Complaints::default(),
        }
    }

    /// Runs for ever. What `take` is given has to be taken into the index when it returns.
    pub(crate) async fn run(&self, take: &mut (dyn FnMut(Event<K>) + Send)) -> Infallible {
        let mut proofs = Proofs::default();
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let failed = match self.list(take).await {
                Ok(listed) => {
                    let due = self.mark.list_due(listed.began, self.pace.list_again);
                    proofs.listed(listed.began);
                    tokio::select! {
                        failed = self.follow(listed.version, &mut proofs, take) => Some(failed),
                        () = due => None,
                    }
                }
                Err(error) => Some(error),
            };
            // What went well for a while, or was asked to begin anew, is begun anew soon.
            if failed.is_none() || began.elapsed() >= SHORT {
                backoff.reset();
            }
            if let Some(error) = failed {
                self.report(&error);
                sleep(backoff.next()).await;
            }
        }
    }

    /// Tells everything that there is, most recent and read with quorum.
    async fn list(&self, take: &mut (dyn FnMut(Event<K>) + Send)) -> Result<Listed, FeedError> {
        let began = Instant::now();
        let mut parameters = ListParams {
            label_selector: self.selector.clone(),
            field_selector: self.fields.clone(),
            ..ListParams::default()
        };
        let reader = Reader {
            api: &self.api,
            room: &self.room,
            size: &self.size,
            patience: self.pace.page,
        };
        self.metrics.listed(self.mark.kind());
        take(Event::Init);
        loop {
            let page = reader
                .read(&mut parameters, &mut |object| take(Event::InitApply(object)))
                .await?;
            parameters.continue_token = page.next.filter(|token| !token.is_empty());
            if parameters.continue_token.is_none() {
                let version = page.version.filter(|version| !version.is_empty());
                let version = version.ok_or(FeedError::Unversioned)?;
                take(Event::InitDone);
                return Ok(Listed { version, began });
            }
        }
    }

    /// Watches from `version` on, one short request after the other, until it has to be listed again.
    async fn follow(
        &self,
        mut version: String,
        proofs: &mut Proofs,
        take: &mut (dyn FnMut(Event<K>) + Send),
    ) -> FeedError {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            match self.watch(&mut version, proofs, take).await {
                Ok(()) if began.elapsed() >= SHORT => {
                    backoff.reset();
                    continue;
                }
                Ok(()) => {}
                Err(error @ (FeedError::Gone | FeedError::Illegible(_) | FeedError::Unversioned)) => {
                    return error;
                }
                Err(error) => self.report(&error),
            }
            sleep(backoff.next()).await;
        }
    }

    /// One request to watch, and the probe that belongs to it.
    async fn watch(
        &self,
        version: &mut String,
        proofs: &mut Proofs,
        take: &mut (dyn FnMut(Event<K>) + Send),
    ) -> Result<(), FeedError> {
        let asked = Instant::now();
        let stream = timeout(self.pace.answer, self.api.watch(&self.parameters(), version)).await;
        let stream = stream.map_err(|_| FeedError::NoAnswer)?.map_err(refused)?;
        let (mut stream, mut probe) = (std::pin::pin!(stream), std::pin::pin!(self.probe()));
        let mut settled = std::pin::pin!(sleep(SETTLED));
        let end = sleep_until(self.pace.end_of_watch(asked));
        let mut end = std::pin::pin!(end);
        let (mut probing, mut settling, mut heard) = (true, true, asked);
        loop {
            tokio::select! {
                event = stream.try_next() => {
                    let Some(event) = event.map_err(refused)? else { break };
                    *version = Self::take_up(event, take)?;
                    proofs.reached(version, &self.mark);
                    (settling, heard) = (false, Instant::now());
                }
                probed = &mut probe, if probing => {
                    probing = false;
                    match probed {
                        Ok(probe) => proofs.probed(probe),
                        Err(error) => self.report(&error),
                    }
                }
                () = &mut settled, if settling => {
                    settling = false;
                    proofs.opened(&self.mark);
                }
                () = &mut end => {
                    if heard.elapsed() < GRACE {
                        break; // A server that minds no timeouts, and is alive.
                    }
                    proofs.went_silent();
                    return Err(FeedError::Silent);
                }
            }
        }
        if asked.elapsed() >= self.pace.due_end() {
            proofs.alive(&self.mark);
        }
        Ok(())
    }

    /// Has an event taken up; answers the version that the watch has come to.
    fn take_up(event: WatchEvent<K>, take: &mut (dyn FnMut(Event<K>) + Send)) -> Result<String, FeedError> {
        let (version, event) = match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                (object.resource_version(), Some(Event::Apply(object)))
            }
            WatchEvent::Deleted(object) => (object.resource_version(), Some(Event::Delete(object))),
            WatchEvent::Bookmark(bookmark) => (Some(bookmark.metadata.resource_version), None),
            WatchEvent::Error(status) => return Err(refused(kube::Error::Api(status.boxed()))),
        };
        event.into_iter().for_each(take);
        version
            .filter(|version| !version.is_empty())
            .ok_or(FeedError::Unversioned)
    }

    /// What the revision is, read with quorum.
    async fn probe(&self) -> Result<Probe, FeedError> {
        let asked = Instant::now();
        let one = Request::new(self.api.resource_url())
            .list(&ListParams::default().limit(1))
            .map_err(kube::Error::BuildRequest)
            .map_err(FeedError::Probe)?;
        let client = self.api.clone().into_client();
        let answer = timeout(self.pace.answer, client.request::<Page>(one)).await;
        let answer = answer
            .map_err(|_| FeedError::NoAnswer)?
            .map_err(FeedError::Probe)?;
        let version = answer.metadata.resource_version.unwrap_or_default();
        Probe::new(asked, &version).ok_or(FeedError::Unversioned)
    }

    fn parameters(&self) -> WatchParams {
        WatchParams {
            label_selector: self.selector.clone(),
            field_selector: self.fields.clone(),
            timeout: Some(self.pace.watch_seconds),
            ..WatchParams::default()
        }
    }

    fn report(&self, error: &FeedError) {
        self.metrics.watch_failed(self.mark.kind());
        let cause = std::error::Error::source(error)
            .map(ToString::to_string)
            .unwrap_or_default();
        let (kind, namespace) = (self.mark.kind(), self.mark.scope().unwrap_or_default());
        if self.complaints.is_news("", &format!("{error}: {cause}")) {
            tracing::warn!(%kind, %namespace, error = %error, %cause, "a watch failed; it is begun anew");
        }
    }
}

fn refused(error: kube::Error) -> FeedError {
    match error {
        kube::Error::Api(status) if status.code == 410 => FeedError::Gone,
        // From the same version on it would be told again.
        kube::Error::SerdeError(error) => FeedError::Illegible(error),
        error => FeedError::Watch(error),
    }
}
