//! The guard around CEL: no expression and no argument ends the process or takes long. libFuzzer's own limits on time and memory are
//! the test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, json_or_text};
use serde_json::json;

fuzz_target!(
    // The engine takes a panic of the library for an error, on a thread of its own; only one elsewhere is a finding.
    init: std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() == Some("main") {
            eprintln!("{panic}");
            std::process::abort();
        }
    })),
    |data: &[u8]| {
        let Some(question) = Question::read(data) else { return };
        let (rule, value) = (json!(question.pattern), json_or_text(question.value));
        let _ = monstrum_guardian_fuzz::permit(&json!({"cel": {}}), &rule, &value);
        // Never, whatever it looks at.
        let never = json!(format!("({}) && false", question.pattern));
        assert!(question.pattern.contains(['/', '#']) || monstrum_guardian_fuzz::permit(&json!({"cel": {}}), &never, &value).is_none());
    }
);
