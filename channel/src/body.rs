//! Bodies whose signature was not checked yet: one budget for all of them, so that strangers can't fill the memory, and those who send
//! slowly give way as soon as others wait.
//!
//! The beginnings of bodies have a budget of their own. Almost every message is small, and none of them waits for large ones.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What counts as the beginning of a body.
const BEGINNING: usize = 64 << 10;
/// Bytes of all beginnings, and of all that follows them.
const BUDGET: usize = 8 << 20;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long one waits for its share of the budget.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often those who send slowly are looked for meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes of a millisecond that a body must come with, after its first moment, to keep its share when others wait.
const RATE: u128 = 64;
const FIRST_MOMENT: u128 = 250;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    #[error("the body is too large")]
    TooLarge,
    #[error("the body came too slowly")]
    Slow,
    #[error("the body broke off")]
    Broken,
    #[error("too many requests are being read; send it again later")]
    Busy,
}

/// The bodies that one process reads, within its budget.
#[derive(Debug)]
pub(crate) struct Bodies {
    most: usize,
    beginnings: Arc<Semaphore>,
    rest: Arc<Semaphore>,
    readings: Mutex<Readings>,
}

#[derive(Debug, Default)]
struct Readings {
    count: u64,
    /// The oldest first.
    by_age: BTreeMap<u64, Arc<Reading>>,
}

/// A body that is being read.
#[derive(Debug)]
struct Reading {
    began: Instant,
    received: AtomicUsize,
    /// Whether it is we who keep it waiting, for its share; that is not its sender's slowness.
    waiting: AtomicBool,
    /// Milliseconds for which we kept it waiting before.
    waited: AtomicU64,
    ended: CancellationToken,
}

/// A body with its share of the budget, which it keeps until its signature was checked.
#[derive(Debug)]
pub(crate) struct Unverified {
    bytes: Bytes,
    _share: Vec<OwnedSemaphorePermit>,
}

impl Unverified {
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Reading {
    fn is_slow(&self) -> bool {
        if self.waiting.load(Ordering::Relaxed) {
            return false;
        }
        let waited = u128::from(self.waited.load(Ordering::Relaxed));
        let late = self
            .began
            .elapsed()
            .as_millis()
            .saturating_sub(FIRST_MOMENT.saturating_add(waited));
        let received = self.received.load(Ordering::Relaxed) as u128;
        late > 0 && received < late.saturating_mul(RATE)
    }
}

impl Bodies {
    /// For bodies of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            beginnings: Arc::new(Semaphore::new(BUDGET)),
            rest: Arc::new(Semaphore::new(BUDGET.max(most))),
            readings: Mutex::default(),
        }
    }

    /// Reads a body of which so many bytes are announced.
    pub(crate) async fn read(&self, body: Body, announced: Option<u64>) -> Result<Unverified, Unread> {
        if announced.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > self.most)) {
            return Err(Unread::TooLarge);
        }
        let reading = Place::new(self);
        tokio::select! {
            read = self.collect(body, &reading.reading) => read,
            () = reading.reading.ended.cancelled() => Err(Unread::Slow),
            () = tokio::time::sleep(BODY_TIME) => Err(Unread::Slow),
        }
    }

    async fn collect(&self, body: Body, reading: &Reading) -> Result<Unverified, Unread> {
        let mut parts = body.into_data_stream();
        let (mut bytes, mut share) = (Vec::new(), Vec::new());
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| Unread::Broken)?;
            let before = bytes.len();
            let after = before.saturating_add(part.len());
            if after > self.most {
                return Err(Unread::TooLarge);
            }
            let beginning = after.min(BEGINNING).saturating_sub(before);
            let rest = part.len().saturating_sub(beginning);
            for (budget, bytes) in [(&self.beginnings, beginning), (&self.rest, rest)] {
                if bytes > 0 {
                    share.push(self.share(budget, bytes, reading).await?);
                }
            }
            bytes.extend_from_slice(&part);
            reading.received.store(after, Ordering::Relaxed);
        }
        Ok(Unverified {
            bytes: bytes.into(),
            _share: share,
        })
    }

    /// A share of a budget; while there is none, whoever sends slowly loses its own.
    async fn share(
        &self,
        budget: &Arc<Semaphore>,
        bytes: usize,
        reading: &Reading,
    ) -> Result<OwnedSemaphorePermit, Unread> {
        let bytes = u32::try_from(bytes).map_err(|_| Unread::TooLarge)?;
        if let Ok(share) = Arc::clone(budget).try_acquire_many_owned(bytes) {
            return Ok(share);
        }
        let began = Instant::now();
        reading.waiting.store(true, Ordering::Relaxed);
        let share = self.wait_for(budget, bytes).await;
        let waited = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        reading.waited.fetch_add(waited, Ordering::Relaxed);
        reading.waiting.store(false, Ordering::Relaxed);
        share
    }

    async fn wait_for(&self, budget: &Arc<Semaphore>, bytes: u32) -> Result<OwnedSemaphorePermit, Unread> {
        let making_room = async {
            loop {
                self.end_slowest();
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            share = Arc::clone(budget).acquire_many_owned(bytes) => share.map_err(|_| Unread::Busy),
            () = tokio::time::sleep(PATIENCE) => Err(Unread::Busy),
            () = making_room => Err(Unread::Busy),
        }
    }

    fn end_slowest(&self) {
        let readings = self.readings();
        for reading in readings.by_age.values().filter(|reading| reading.is_slow()) {
            reading.ended.cancel();
        }
    }

    fn readings(&self) -> MutexGuard<'_, Readings> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reading's place among the others.
struct Place<'a> {
    bodies: &'a Bodies,
    number: u64,
    reading: Arc<Reading>,
}

impl<'a> Place<'a> {
    fn new(bodies: &'a Bodies) -> Self {
        let reading = Arc::new(Reading {
            began: Instant::now(),
            received: AtomicUsize::new(0),
            waiting: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            ended: CancellationToken::new(),
        });
        let mut readings = bodies.readings();
        readings.count = readings.count.saturating_add(1);
        let number = readings.count;
        readings.by_age.insert(number, Arc::clone(&reading));
        drop(readings);
        Self {
            bodies,
            number,
            reading,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.bodies.readings().by_age.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::io;

    const MIB: usize = 1 << 20;

    fn whole(bytes: usize) -> Body {
        Body::from(vec![0; bytes])
    }

    /// So many bytes, and then nothing for ever.
    fn stalling(bytes: usize) -> Body {
        let begun = stream::iter((0..bytes / 16384).map(|_| Ok::<_, io::Error>(vec![0; 16384])));
        Body::from_stream(begun.chain(stream::pending()))
    }

    #[tokio::test]
    async fn what_is_announced_too_large_is_not_read() {
        let endless = stream::poll_fn(|_| -> std::task::Poll<Option<io::Result<Vec<u8>>>> {
            panic!("the body was read")
        });
        let read = Bodies::new(1000)
            .read(Body::from_stream(endless), Some(1001))
            .await;
        assert_eq!(read.map(drop), Err(Unread::TooLarge));
    }

    #[tokio::test]
    async fn what_is_larger_than_announced_is_not_taken() {
        let read = Bodies::new(1000).read(whole(1001), Some(10)).await;
        assert_eq!(read.map(drop), Err(Unread::TooLarge));
        assert!(Bodies::new(1000).read(whole(1000), None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let read = Bodies::new(MIB).read(stalling(0), None).await;
        assert_eq!(read.map(drop), Err(Unread::Slow));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_bounded_and_told() {
        let bodies = Bodies::new(MIB);
        let mut held = Vec::new();
        loop {
            match bodies.read(whole(MIB), None).await {
                Ok(body) => held.push(body),
                Err(error) => break assert_eq!(error, Unread::Busy),
            }
        }
        assert!((8..=16).contains(&held.len()), "{}", held.len());
        // Small ones have a budget of their own.
        assert!(bodies.read(whole(1000), None).await.is_ok());
        held.pop();
        assert!(bodies.read(whole(MIB), None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_stall_give_way_to_those_who_send() {
        let bodies = Arc::new(Bodies::new(MIB));
        let stalled: Vec<_> = (0..200)
            .map(|_| {
                let bodies = Arc::clone(&bodies);
                tokio::spawn(async move { bodies.read(stalling(64 << 10), None).await.map(drop) })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(bodies.read(whole(20_000), None).await.is_ok());
        for reading in stalled {
            assert!(matches!(reading.await.unwrap(), Err(Unread::Slow | Unread::Busy)));
        }
        assert_eq!(bodies.beginnings.available_permits(), BUDGET);
        assert_eq!(bodies.readings().by_age.len(), 0);
    }
}
