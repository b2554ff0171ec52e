//! What of a text decides where documents begin and end, and which characters it may have.
//!
//! The API server's clients cut a stream at lines that begin with `---` and read one document of each piece.

use serde::de::IgnoredAny;

use super::Refusal;
use crate::files::node::Place;

/// Refuses a text that would be cut otherwise there, or whose characters are not all read alike.
pub(super) fn check(text: &str) -> Result<(), Refusal> {
    characters(text)?;
    let mut ended = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let place = Place {
            offset,
            length: line.trim_end().len(),
        };
        offset = offset.saturating_add(line.len());
        let line = line.trim_start_matches('\u{feff}');
        if let Some(rest) = line.strip_prefix("---") {
            if !is_empty(rest) {
                return Err(Refusal::new(
                    "something follows --- on its line",
                    "begin the document on the next line",
                    place,
                ));
            }
            ended = false;
        } else if line.strip_prefix("...").is_some_and(is_empty) {
            ended = true;
        } else if ended && !is_empty(line) {
            return Err(Refusal::new(
                "what follows ... is not read by Kubernetes' clients",
                "begin another document with ---",
                place,
            ));
        }
    }
    Ok(())
}

/// Whether a text is nothing but JSON, which clients read as such.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && serde_json::Deserializer::from_str(text)
            .into_iter::<IgnoredAny>()
            .all(|value| value.is_ok())
}

/// Whether the rest of a line says nothing.
fn is_empty(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}

fn characters(text: &str) -> Result<(), Refusal> {
    let ends_a_line = |offset: usize| text.get(offset..).is_some_and(|rest| rest.starts_with("\r\n"));
    let wrong = text.char_indices().find(|(offset, c)| match c {
        '\u{feff}' => *offset != 0,
        '\r' => !ends_a_line(*offset),
        c => !is_plain(*c),
    });
    let Some((offset, c)) = wrong else {
        return Ok(());
    };
    let place = Place {
        offset,
        length: c.len_utf8(),
    };
    Err(Refusal::new(
        format!(
            "the character U+{:04X} is not read alike everywhere",
            u32::from(c)
        ),
        format!(
            "remove it, or write it as \"\\u{:04x}\" in double quotes",
            u32::from(c)
        ),
        place,
    ))
}

/// Characters that YAML 1.1 takes as they are. The line breaks of Unicode are none: they would break lines there.
fn is_plain(c: char) -> bool {
    match c {
        '\u{2028}' | '\u{2029}' => false,
        '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("a: 1\n---\nb: 2\n--- # more\nc: 3\n")]
    #[case::ended("a: 1\n...\n")]
    #[case::ended_and_begun("a: 1\n...\n# so\n\n---\nb: 1\n")]
    #[case::mark_at_the_start("\u{feff}a: 1\n")]
    #[case::windows("a: 1\r\n---\r\nb: 2\r\n")]
    #[case::characters("a: äöü 漢字 🙂\n")]
    fn takes(#[case] text: &str) {
        assert_eq!(check(text), Ok(()));
    }

    #[rstest]
    #[case::content("a: 1\n--- {b: 2}\n", "--- {b: 2}")]
    #[case::text("--- |\n  a\n", "--- |")]
    #[case::unread("a: 1\n...\nb: 2\n", "b: 2")]
    #[case::line_separator("a: x\u{2028}y\n", "\u{2028}")]
    #[case::next_line("a: x\u{85}y\n", "\u{85}")]
    #[case::control("a: \u{1b}[0m\n", "\u{1b}")]
    #[case::carriage_return("a: 1\rb: 2\r", "\r")]
    #[case::second_mark("a: 1\n---\n\u{feff}b: 1\n", "\u{feff}")]
    fn refuses(#[case] text: &str, #[case] at: &str) {
        let refusal = check(text).unwrap_err();
        assert_eq!(&text[refusal.place.range()], at);
        assert!(!refusal.help.is_empty());
    }
}
