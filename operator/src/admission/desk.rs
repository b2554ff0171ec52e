//! Where reviews are taken: so many bytes of them at once, so many judged at once, away from the threads that serve gateways, and
//! within the time that the API server waits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::review::{self, Unanswered};
use crate::index::Index;
use crate::metrics::Metrics;

/// Objects are at most 1.5 MiB in etcd; a review of an update holds two of them. A parsed review is many times as large, so that
/// one of this size is read alone.
const MAX_REVIEW: usize = 4 << 20;
/// What even a small review counts.
const LEAST: usize = 64 << 10;
/// Reviews that are judged at once. The operator has other work for its cores.
const WORKERS: usize = 2;
/// Before the API server stops waiting.
const PATIENCE: Duration = Duration::from_secs(4);

/// Takes reviews of the API server.
#[derive(Clone)]
pub(super) struct Desk {
    index: Arc<Index>,
    metrics: Metrics,
    bytes: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

impl Desk {
    pub(super) fn new(index: Arc<Index>, metrics: Metrics) -> Self {
        Self {
            index,
            metrics,
            bytes: Arc::new(Semaphore::new(MAX_REVIEW)),
            workers: Arc::new(Semaphore::new(WORKERS)),
        }
    }

    /// Answers a review. What can't be answered in time is told as such, so that the configuration's policy decides.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let busy = (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]);
        match tokio::time::timeout(PATIENCE, self.reviewed(request)).await {
            Ok(Ok(answer)) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
            Ok(Err(status)) => status.into_response(),
            Err(_) => busy.into_response(),
        }
    }

    async fn reviewed(&self, request: Request) -> Result<Vec<u8>, StatusCode> {
        // Before everything is listed it is not known what a Workspace permits.
        self.index.listed.opened().await;
        let room = self.room(request.headers()).await?;
        let body = axum::body::to_bytes(request.into_body(), MAX_REVIEW)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await;
        let worker = worker.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        self.judge(body, (room, worker)).await
    }

    /// Room for the body that is announced.
    async fn room(&self, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, StatusCode> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
            .unwrap_or(MAX_REVIEW);
        if announced > MAX_REVIEW {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let bytes = u32::try_from(announced.max(LEAST)).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let room = Arc::clone(&self.bytes).acquire_many_owned(bytes).await;
        room.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The places are held until the work is done, also when nobody waits for it any more.
    async fn judge(
        &self,
        body: Bytes,
        places: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    ) -> Result<Vec<u8>, StatusCode> {
        let (index, metrics) = (Arc::clone(&self.index), self.metrics.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _places = places;
            let answer = review::answer(&index, &body)?;
            metrics.admitted(answer.allowed());
            Ok(answer.to_json())
        });
        match work.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Unanswered::NoReview)) => Err(StatusCode::BAD_REQUEST),
            Ok(Err(Unanswered::NotKnown)) => Err(StatusCode::SERVICE_UNAVAILABLE),
            Err(error) => {
                tracing::error!(error = %error, "a review was not finished");
                Err(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}
