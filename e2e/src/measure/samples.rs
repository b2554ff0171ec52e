//! Samples and how they are told.

use std::fmt;
use std::time::Duration;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    what: String,
    median: String,
    most: String,
    samples: usize,
}

impl Row {
    /// Median and 99th percentile of durations.
    pub(super) fn of_times(what: &str, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1)));
        let told = |time: Option<&Duration>| {
            time.map_or("–".to_owned(), |time| {
                let ms = time.as_secs_f64() * 1e3;
                if ms < 1.0 {
                    format!("{:.0} µs", ms * 1e3)
                } else {
                    format!("{ms:.1} ms")
                }
            })
        };
        Self {
            what: what.to_owned(),
            median: told(at(50)),
            most: told(at(99)),
            samples: times.len(),
        }
    }

    /// What is known as text only.
    pub(super) fn of_texts(what: &str, median: String, most: String, samples: usize) -> Self {
        Self {
            what: what.to_owned(),
            median,
            most,
            samples,
        }
    }

    /// Memory in bytes, of several processes of one sort.
    pub(super) fn of_bytes(what: &str, mut bytes: Vec<u64>) -> Self {
        bytes.sort_unstable();
        let told =
            |bytes: Option<&u64>| bytes.map_or("–".to_owned(), |bytes| format!("{} KiB", bytes / 1024));
        Self {
            what: what.to_owned(),
            median: told(bytes.get(bytes.len() / 2)),
            most: told(bytes.last()),
            samples: bytes.len(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} | {} | {} |",
            self.what, self.median, self.most, self.samples
        )
    }
}
