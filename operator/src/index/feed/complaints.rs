//! What was said before need not be said again at once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What goes on is told again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// What a watch complained of last.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Mutex<Option<(String, Instant)>>,
}

impl Complaints {
    /// Whether a complaint is another one than the last, or that one is long ago.
    pub(super) fn is_news(&self, text: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last
            .as_ref()
            .is_some_and(|(said, when)| said == text && when.elapsed() < AGAIN)
        {
            return false;
        }
        *last = Some((text.to_owned(), Instant::now()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_is_told_once_a_minute() {
        let complaints = Complaints::default();
        assert!(complaints.is_news("forbidden") && !complaints.is_news("forbidden"));
        assert!(complaints.is_news("refused") && complaints.is_news("forbidden"));
        tokio::time::advance(AGAIN).await;
        assert!(complaints.is_news("forbidden"));
    }
}
