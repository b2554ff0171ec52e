//! Work that takes long: comparing what somebody may do with what somebody else permits, schema after schema.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// What is done so at once; the runtime has more threads than that to go on with.
static ROOM: Semaphore = Semaphore::const_new(3);

/// Does `work` on this thread, while another one goes on with the tasks that this one had.
///
/// How long it takes is for the authors of objects to say, within bounds. Without this a few dozen of them, each within its bounds,
/// kept every thread from renewing the lease and from reading the watches, so that the operator ended and every tenant's policies ran out.
pub(crate) async fn laboriously<T>(work: impl FnOnce() -> T) -> T {
    let _place = ROOM.acquire().await;
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A test's runtime has the one thread.
        Ok(_) | Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn others_go_on_meanwhile() {
        let ticks = Arc::new(AtomicUsize::new(0));
        let ticking = Arc::clone(&ticks);
        let clock = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                ticking.fetch_add(1, Ordering::Relaxed);
            }
        });
        let laborious = tokio::spawn(async move {
            laboriously(|| {
                let before = ticks.load(Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(500));
                ticks.load(Ordering::Relaxed).saturating_sub(before)
            })
            .await
        });
        assert!(laborious.await.unwrap() > 3);
        clock.abort();
    }

    #[tokio::test]
    async fn one_thread_is_enough() {
        assert_eq!(laboriously(|| 1).await, 1);
    }
}
