//! Ranges: what is permitted is a number within the interval, in the base unit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, json_or_text};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    for unit in ["number", "duration", "bytes"] {
        let matching = json!({"range": {"unit": unit}});
        let (pattern, value) = (json_or_text(question.pattern), json_or_text(question.value));
        let Some(permit) = monstrum_guardian_fuzz::permit(&matching, &pattern, &value) else {
            continue;
        };
        for number in permit.canonical.get("value").into_iter().flatten() {
            let number = number.as_f64().unwrap_or(f64::NAN);
            assert!(number.is_finite());
            let Some((min, max)) = question.pattern.split_once("..") else {
                continue;
            };
            // Bounds that are plain numbers mean the same to everyone.
            assert!(
                !min.trim().parse::<f64>().is_ok_and(|min| number < min),
                "{number} {min}"
            );
            assert!(
                !max.trim().parse::<f64>().is_ok_and(|max| number > max),
                "{number} {max}"
            );
        }
    }
});
