//! Hosts: every spelling of an inner address stays outside of the widest patterns, and a literal pattern permits itself alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, assert_public, literal_host};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let matching = json!({"host": {}});
    for pattern in ["**", "0.0.0.0/0", "::/0"] {
        if let Some(host) = question.widely(&matching, pattern) {
            assert_public(&host);
        }
    }
    if let (Some(host), Some(name)) = (question.permitted(&matching), literal_host(question.pattern)) {
        assert_eq!(host, name);
    }
});
