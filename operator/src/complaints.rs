//! What was said before need not be said again at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What goes on is told again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// What was complained of last, by what it is about.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    last: Mutex<BTreeMap<String, (String, Instant)>>,
}

impl Complaints {
    /// Whether a complaint about something is another one than the last, or that one is long ago.
    pub(crate) fn is_news(&self, about: &str, text: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // What was complained of long ago is over, or is told again anyway.
        last.retain(|_, (_, when)| when.elapsed() < AGAIN);
        let before = last.insert(about.to_owned(), (text.to_owned(), Instant::now()));
        match before {
            Some((said, when)) if said == text => {
                last.insert(about.to_owned(), (said, when));
                false
            }
            Some(_) | None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_is_told_once_a_minute() {
        let complaints = Complaints::default();
        let is_news = |text| complaints.is_news("a", text);
        assert!(is_news("forbidden") && !is_news("forbidden"));
        assert!(complaints.is_news("b", "forbidden"));
        assert!(is_news("refused") && is_news("forbidden"));
        tokio::time::advance(AGAIN / 2).await;
        assert!(!is_news("forbidden"));
        tokio::time::advance(AGAIN / 2).await;
        assert!(is_news("forbidden"));
    }
}
