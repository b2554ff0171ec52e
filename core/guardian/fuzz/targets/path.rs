//! Paths: what is permitted never climbs, and is where the pattern says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, hidden, literal_start};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let matching = json!({"path": {}});
    let widest = ["**", "/**", ".", "/"].map(|pattern| question.widely(&matching, pattern));
    for path in widest.into_iter().flatten().chain(question.permitted(&matching)) {
        assert!(!hidden(&path) && !path.contains('\\'));
        let inner = path.strip_prefix('/').unwrap_or(&path);
        assert!(
            inner.is_empty()
                || inner == "."
                || inner
                    .split('/')
                    .all(|segment| !segment.is_empty() && !segment.ends_with('.'))
        );
    }
    if let Some(path) = question.permitted(&matching) {
        assert_eq!(path.starts_with('/'), question.pattern.starts_with('/'));
        assert!(path.starts_with(&literal_start(question.pattern)));
    }
});
