//! Waiting for something to become true, with a bound, and with the last thing seen when it does not.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often is looked.
const POLL: Duration = Duration::from_millis(100);

/// Asks until the answer is good, at most for `bound`.
pub async fn until<T, F>(
    what: &str,
    bound: Duration,
    mut ask: impl FnMut() -> F,
    good: impl Fn(&T) -> bool,
) -> Result<T>
where
    T: Debug,
    F: Future<Output = Result<T>>,
{
    let started = Instant::now();
    loop {
        let answer = ask().await;
        match answer {
            Ok(value) if good(&value) => return Ok(value),
            other if started.elapsed() > bound => {
                bail!("{what}: not within {bound:?}; last seen: {other:#?}")
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}
