//! Commands: what is permitted holds no operator, is one line, and has no option that the pattern does not name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, hidden};
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let matching = json!({"command": {}});
    let program = question
        .value
        .split(' ')
        .find(|word| !word.is_empty())
        .unwrap_or("a");
    let quoted = format!("'{}'", program.replace(['\'', '"', '\\'], ""));
    let _ = words(
        &Question {
            pattern: &format!("{quoted} ** --*"),
            ..question
        },
        &matching,
    );
    let Some(words) = words(&question, &matching) else {
        return;
    };
    if !question.pattern.contains('-') {
        assert!(words.iter().all(|word| !word.starts_with('-')), "{words:?}");
    }
    if !question.pattern.contains(['*', '\'', '"', '\\', '-']) {
        assert!(
            words
                .iter()
                .map(String::as_str)
                .eq(question.pattern.split(' ').filter(|word| !word.is_empty()))
        );
    }
});

/// The words of what is permitted, by the engine; the line has nothing that a shell would act on.
fn words(question: &Question<'_>, matching: &Value) -> Option<Vec<String>> {
    let permit = question.permit(matching)?;
    let line = question.value;
    assert!(!hidden(line) && !line.contains(['\n', '\r', '\t']));
    assert_eq!(active(line), None, "{line:?}");
    let words: Vec<String> = serde_json::from_value(permit.canonical.get("value")?.first()?.clone()).ok()?;
    assert!(!words.is_empty() && words.iter().all(|word| !word.contains('\0')));
    // Quoting each word again is the same command.
    let quoted: Vec<_> = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    let (pattern, quoted) = (question.pattern, quoted.join(" "));
    let again = Question {
        pattern,
        value: &quoted,
    }
    .permit(matching);
    assert_eq!(
        again.map(|again| again.canonical),
        Some(permit.canonical),
        "{quoted}"
    );
    Some(words)
}

/// A character that is neither quoted nor plain, by the simplest reading of quotes.
fn active(line: &str) -> Option<char> {
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some('\'') if c == '\'' => quote = None,
            Some('\'') => {}
            _ if c == '\\' => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            Some(_) if "$`".contains(c) => return Some(c),
            Some(_) => {}
            None if "'\"".contains(c) => quote = Some(c),
            None if ";&|<>()$`*?[]{}~!#^".contains(c) => return Some(c),
            None => {}
        }
    }
    quote
}
