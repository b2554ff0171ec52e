//! How many processes and threads a command has.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

/// A fork bomb is small after this time.
const EVERY: Duration = Duration::from_millis(50);

/// Resolves when the process group `group` has more than `most` processes and threads.
pub(super) async fn exceeded(group: i32, most: u64) {
    loop {
        sleep(EVERY).await;
        let counted = tokio::task::spawn_blocking(move || count(group)).await;
        if counted.is_ok_and(|tasks| tasks > most) {
            return;
        }
    }
}

fn count(group: i32) -> u64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter(|entry| {
        entry
            .file_name()
            .as_encoded_bytes()
            .iter()
            .all(u8::is_ascii_digit)
    });
    processes
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| threads(&stat, group))
        .fold(0, u64::saturating_add)
}

/// The number of threads in a line of `/proc/<pid>/stat`, if that process is in `group`.
fn threads(stat: &str, group: i32) -> Option<u64> {
    // The name, in parentheses, can hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let found: i32 = fields.nth(2)?.parse().ok()?;
    let threads = fields.nth(14)?.parse().ok()?;
    (found == group).then_some(threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_the_group_are_read() {
        let line = "8 (a) 7 7 7) S 1 42 42 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 5 0 99 1000 20";
        assert_eq!(threads(line, 42), Some(5));
        assert_eq!(threads(line, 7), None);
        assert_eq!(threads("garbage", 7), None);
    }

    #[test]
    fn this_process_is_counted() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        assert!(count(group) >= 1);
    }
}
