//! Globs over plain text: what is permitted has no hidden characters and no more segments than the pattern says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, hidden, literal_start};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    for separator in [json!({"separator": "/"}), json!({})] {
        let Some(value) = question.permitted(&json!({"glob": separator})) else {
            continue;
        };
        assert_eq!(value, question.value, "a glob's value is what it was");
        assert!(!hidden(&value));
        assert!(value.starts_with(&literal_start(question.pattern)));
        if !question.pattern.contains(['*', '\\']) {
            assert_eq!(value, question.pattern);
        }
        if separator != json!({}) {
            let count = |text: &str| text.matches('/').count();
            assert!(
                value
                    .split('/')
                    .all(|segment| !matches!(segment, "" | "." | ".."))
            );
            assert!(question.pattern.contains("**") || count(&value) == count(question.pattern));
        }
    }
});
