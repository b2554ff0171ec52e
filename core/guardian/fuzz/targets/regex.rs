//! Expressions: what is permitted is matched as a whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::Question;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let Some(value) = question.permitted(&json!({"regex": {}})) else {
        return;
    };
    assert_eq!(value, question.value);
    // Anchored in another way: nothing before and nothing after can be left over.
    let whole = regex::Regex::new(&format!("^(?:{})$", question.pattern));
    assert!(whole.is_ok_and(|whole| whole.is_match(&value)));
});
