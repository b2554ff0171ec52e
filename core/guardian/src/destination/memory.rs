//! What came of comparisons, so that none is made again for lists that have not changed.
//!
//! A comparison is a pure function of both lists: nothing here can be out of date.

use std::collections::{HashMap, VecDeque};
use std::sync::{LazyLock, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

/// So many answers are kept, of some hundred bytes each.
const MOST: usize = 1024;

static ANSWERS: LazyLock<Mutex<Answers>> = LazyLock::new(Mutex::default);

type Key = [u8; 32];

#[derive(Default)]
struct Answers {
    known: HashMap<Key, Option<String>>,
    /// The oldest first.
    order: VecDeque<Key>,
}

impl Answers {
    fn keep(&mut self, key: Key, answer: Option<String>) {
        if self.known.insert(key, answer).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

/// What comes of comparing both lists, found by `compare` where it is not known yet.
pub(super) fn remembered(
    granted: &[String],
    ceiling: &[String],
    compare: impl FnOnce() -> Option<String>,
) -> Option<String> {
    let key = key(granted, ceiling);
    if let Some(known) = with(|answers| answers.known.get(&key).cloned()) {
        return known;
    }
    // Not under the lock: others go on meanwhile.
    let answer = compare();
    with(|answers| answers.keep(key, answer.clone()));
    answer
}

fn with<T>(then: impl FnOnce(&mut Answers) -> T) -> T {
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    then(&mut answers)
}

/// Of every text and of how many there are, each with its length: no other lists have the same.
fn key(granted: &[String], ceiling: &[String]) -> Key {
    let mut digest = Sha256::new();
    for list in [granted, ceiling] {
        digest.update(list.len().to_le_bytes());
        for entry in list {
            digest.update(entry.len().to_le_bytes());
            digest.update(entry);
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn lists_are_compared_once() {
        let (a, b) = (list(&["a.once.example.com"]), list(&["b.once.example.com"]));
        assert_eq!(remembered(&a, &b, || Some("a".to_owned())).as_deref(), Some("a"));
        assert_eq!(
            remembered(&a, &b, || panic!("compared again")).as_deref(),
            Some("a")
        );
        assert_eq!(remembered(&b, &a, || None), None);
    }

    #[test]
    fn other_lists_are_other_questions() {
        let lists = [
            (list(&["a", "b"]), list(&[])),
            (list(&["a"]), list(&["b"])),
            (list(&["ab"]), list(&[])),
            (list(&[]), list(&["a", "b"])),
            (list(&["b", "a"]), list(&[])),
        ];
        let keys: std::collections::BTreeSet<Key> = lists.iter().map(|(a, b)| key(a, b)).collect();
        assert_eq!(keys.len(), lists.len());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut answers = Answers::default();
        let numbered = |number: usize| key(&[number.to_string()], &[]);
        for number in 0..=MOST {
            answers.keep(numbered(number), None);
        }
        assert_eq!((answers.known.len(), answers.order.len()), (MOST, MOST));
        assert!(!answers.known.contains_key(&numbered(0)));
    }
}
