//! The policy decoder: what it takes is written again with the same digest, loads or is refused, and answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian::Engine;
use monstrum_guardian::decision::{Call, Facts, Verdict};
use monstrum_guardian::document::Document;

fuzz_target!(|data: &[u8]| {
    let Ok(document) = Document::from_bytes(data) else {
        return;
    };
    let bytes = document.to_bytes();
    let again =
        Document::from_bytes(&bytes).unwrap_or_else(|error| panic!("what was written is refused: {error}"));
    assert_eq!(again, document);
    assert_eq!(again.to_bytes(), bytes);
    assert_eq!(again.digest(), document.digest());
    let Ok(engine) = Engine::load(&document) else {
        return;
    };
    let visible = engine.tools();
    let names = visible.iter().map(|tool| tool.name.as_str()).chain(["act", ""]);
    for tool in names {
        let verdict = engine
            .check(
                &Call {
                    tool,
                    arguments: r#"{"value":"a/b"}"#,
                },
                &Facts::default(),
            )
            .verdict;
        assert!(visible.iter().any(|known| known.name == tool) || matches!(verdict, Verdict::Deny(_)));
    }
});
