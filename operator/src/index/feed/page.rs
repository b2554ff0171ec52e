//! One page of a list, bounded by bytes.
//!
//! Whoever may create objects decides how large they are, so that a number of objects bounds nothing. What is larger than a page
//! may be is not read to its end: it is asked for again in smaller pages. Of a page that was read, one object after the other
//! is made, and taken up before the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Response;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::api::{Api, ListParams};
use kube::client::Body;
use kube::core::{ListMeta, Request, Resource, Status};
use monstrum_service::json;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::FeedError;

/// Objects of the first page.
const FIRST: u32 = 64;
/// Objects of the largest page.
const MOST: u32 = 500;
/// Bytes of a page of more than one object.
const PAGE: usize = 4 << 20;
/// Bytes of a single object, in the JSON of which each byte may take six: beyond what an API server stores.
const OBJECT: usize = 32 << 20;
/// Bytes of an error.
const ERROR: usize = 64 << 10;
/// Once it has begun, a page comes within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pages that are read at once, of all watches.
const READERS: usize = 3;

/// Where pages are read: so many at once.
#[derive(Debug, Clone)]
pub(crate) struct ReadingRoom(Arc<Semaphore>);

impl Default for ReadingRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READERS)))
    }
}

/// How many objects a page has: fewer after one that was too large, more again after small ones.
#[derive(Debug)]
pub(super) struct PageSize(AtomicU32);

impl Default for PageSize {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST))
    }
}

impl PageSize {
    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// False when it can't be smaller.
    fn shrink(&self) -> bool {
        let now = self.get();
        self.0.store((now / 4).max(1), Ordering::Relaxed);
        now > 1
    }

    fn read(&self, bytes: usize) {
        if bytes < PAGE / 8 {
            self.0
                .store(self.get().saturating_mul(2).min(MOST), Ordering::Relaxed);
        }
    }
}

/// What a page says of the list that it is of.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) version: Option<String>,
    pub(super) next: Option<String>,
}

/// A page without its objects.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) metadata: ListMeta,
}

/// Who reads pages of one collection.
pub(super) struct Reader<'a, K> {
    pub(super) api: &'a Api<K>,
    pub(super) room: &'a ReadingRoom,
    pub(super) size: &'a PageSize,
    /// For the beginning of an answer.
    pub(super) patience: Duration,
}

impl<K> Reader<'_, K>
where
    K: Resource + Clone + DeserializeOwned,
{
    /// Reads the next page, and gives its objects to `take` one by one.
    pub(super) async fn read(
        &self,
        parameters: &mut ListParams,
        take: &mut (dyn FnMut(K) + Send),
    ) -> Result<Listing, FeedError> {
        loop {
            parameters.limit = Some(self.size.get());
            let response = timeout(self.patience, self.ask(parameters)).await;
            let response = response.map_err(|_| FeedError::NoAnswer)??;
            // Whoever waits for an answer takes no place.
            let place = self.room.0.acquire().await;
            let most = if self.size.get() > 1 { PAGE } else { OBJECT };
            let body = timeout(PATIENCE, whole(response, most)).await;
            match body.map_err(|_| FeedError::NoAnswer)?.map_err(FeedError::List)? {
                Some(body) => {
                    self.size.read(body.len());
                    let listing = taken(&body, take).map_err(FeedError::List)?;
                    drop(place);
                    return Ok(listing);
                }
                None if self.size.shrink() => {}
                None => return Err(FeedError::TooLarge),
            }
        }
    }

    async fn ask(&self, parameters: &ListParams) -> Result<Response<Body>, FeedError> {
        let request = Request::new(self.api.resource_url());
        let request = if K::metadata_api() {
            request.list_metadata(parameters)
        } else {
            request.list(parameters)
        };
        let request = request
            .map_err(kube::Error::BuildRequest)
            .map_err(FeedError::List)?;
        let client: Client = self.api.clone().into_client();
        let response = client.send(request.map(Body::from)).await;
        let response = response.map_err(FeedError::List)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(FeedError::List(refusal(response).await))
    }
}

fn taken<K: DeserializeOwned>(body: &[u8], take: &mut (dyn FnMut(K) + Send)) -> Result<Listing, kube::Error> {
    let text = std::str::from_utf8(body)
        .map_err(serde_json::Error::custom)
        .map_err(kube::Error::SerdeError)?;
    // This reads all of it, so that what comes is JSON.
    let page: Page = serde_json::from_str(text).map_err(kube::Error::SerdeError)?;
    let text = text.trim_start();
    for item in json::items(json::field(text, "items").unwrap_or_default()) {
        take(object(item).map_err(kube::Error::SerdeError)?);
    }
    Ok(Listing {
        version: page.metadata.resource_version,
        next: page.metadata.continue_,
    })
}

/// An object. Where a part of it is JSON that can't be read, since it is deeper than readers go, the reason stands in its place: one such
/// object, which whoever may create objects can make, would otherwise keep all others from being listed.
fn object<K: DeserializeOwned>(text: &str) -> serde_json::Result<K> {
    let error = match serde_json::from_str(text) {
        Err(error) if error.is_syntax() => error,
        read => return read,
    };
    let mut legible = Map::new();
    for (name, value) in json::fields(text) {
        let value = serde_json::from_str(value)
            .unwrap_or_else(|_| Value::String(format!("it can't be read: {error}")));
        legible.insert(serde_json::from_str(name)?, value);
    }
    serde_json::from_value(Value::Object(legible))
}

async fn refusal(response: Response<Body>) -> kube::Error {
    let code = response.status().as_u16();
    let body = match timeout(PATIENCE, whole(response, ERROR)).await {
        Ok(Ok(body)) => body.unwrap_or_default(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let status = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Status::failure("the API server refuses", "Unknown").with_code(code));
    kube::Error::Api(Box::new(status))
}

/// The whole body; none when it is larger than `most`.
async fn whole(response: Response<Body>, most: usize) -> Result<Option<Vec<u8>>, kube::Error> {
    let mut body = response.into_body();
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if read.len().saturating_add(data.len()) > most {
                return Ok(None);
            }
            read.extend_from_slice(&data);
        }
    }
    Ok(Some(read))
}
