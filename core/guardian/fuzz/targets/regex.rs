//! Expressions: what is permitted is matched as a whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, permit, policy};
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let matching = json!({"regex": {}});
    let Some(value) = question.permitted(&matching) else {
        return;
    };
    assert_eq!(value, question.value);
    // Anchored in another way: nothing before and nothing after can be left over.
    let whole = json!(anchored(question.pattern));
    // What is written out is longer, and may be longer than an expression may be.
    if policy(&matching, &whole).is_some() {
        assert!(permit(&matching, &whole, &json!(value)).is_some(), "{whole}");
    }
});

/// The expression with anchors of its own. Flags stay at the beginning, where alone the dialect has them.
fn anchored(pattern: &str) -> String {
    let end = match pattern.split_once(')') {
        Some((flags, _)) if is_flags(flags) => flags.len() + 1,
        _ => 0,
    };
    let (flags, pattern) = pattern.split_at(end);
    // Under `x` a comment goes on to the end of the line.
    let end = if flags.contains('x') { "\n" } else { "" };
    format!("{flags}^(?:{pattern}{end})$")
}

fn is_flags(text: &str) -> bool {
    let flags = text.strip_prefix("(?");
    flags.is_some_and(|flags| {
        !flags.is_empty()
            && flags
                .bytes()
                .all(|flag| flag == b'-' || flag.is_ascii_alphabetic())
    })
}
