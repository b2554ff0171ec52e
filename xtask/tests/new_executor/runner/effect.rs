//! One word said.

use monstrum_runner::call::{Call, Facts, Failure, Outcome, Success};
use serde_json::Value;

use crate::contract::{Config, WORD};

/// Performs `call`, with the value that was judged.
pub(super) fn perform(call: &Call) -> Outcome {
    let config: Config = call.config()?;
    let judged = call.canonical.get(WORD).and_then(Value::as_array);
    let Some([Value::String(word)]) = judged.map(Vec::as_slice) else {
        return Err(Failure::invalid("the tool must feed exactly one word"));
    };
    Ok(Success {
        content: format!("{} {word}", config.greeting).into_bytes(),
        truncated: false,
        facts: Facts::new(),
        media_type: String::new(),
    })
}
