//! The strict reader of arguments: what it takes, another reader reads alike; what another refuses, it refuses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{anything, ask};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Some(permit) = ask(anything(), text) else {
        return;
    };
    let other: Value =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("another reader refuses: {error}"));
    assert!(
        alike(&other, &permit.arguments),
        "{other} is not {}",
        permit.arguments
    );
    let executed = permit.arguments.to_string();
    let again = ask(anything(), &executed).map(|again| again.arguments);
    assert_eq!(again.map(|again| again.to_string()), Some(executed));
});

/// Equal, but for the spelling of numbers.
fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| alike(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| alike(left, right)))
        }
        (left, right) => left == right,
    }
}
