//! The guard around CEL: no expression and no argument ends the process or takes long. libFuzzer's own limits on time and memory are
//! the test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, json_or_text, permit, policy};
use serde_json::json;

fuzz_target!(
    // The engine takes a panic of the library for an error, on a thread of its own; only one elsewhere is a finding.
    // The engine takes a panic of the library for an error, on a thread of its own; only one on this thread is a finding.
    init: {
        let own = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == own {
                eprintln!("{panic}");
                std::process::abort();
            }
        }));
    },
    |data: &[u8]| {
        let Some(question) = Question::read(data) else { return };
        let matching = json!({"cel": {}});
        // What is an expression alone is one in brackets, unless it ends with a comment.
        if policy(&matching, &json!(question.pattern)).is_none() || question.pattern.contains('/') {
            return;
        }
        let value = json_or_text(question.value);
        let holds = |rule: String| permit(&matching, &json!(rule), &value).is_some();
        let (plain, negated) = (holds(question.pattern.to_owned()), holds(format!("!({})", question.pattern)));
        assert!(!(plain && negated), "a rule and its opposite hold");
        assert!(!holds(format!("({}) && false", question.pattern)), "false holds");
    }
);
