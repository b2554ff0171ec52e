//! What YAML 1.2 takes and the clients' parser, which is of YAML 1.1, does not take, or takes otherwise.

use std::ops::Range;

use super::Refusal;
use crate::files::node::Place;

/// A plain scalar within brackets, and what follows it: a question mark begins a key there, a colon a value. A colon before a
/// comma or a bracket is a part of the text for some, and the end of a key for others.
pub(super) fn in_flow(raw: &str, rest: &str, at: Place) -> Result<(), Refusal> {
    let ends_a_key = rest
        .trim_start_matches(' ')
        .strip_prefix(':')
        .is_some_and(|rest| rest.starts_with([',', '[', ']', '{', '}']));
    if raw.contains('?') || raw.starts_with(':') || ends_a_key {
        return Err(Refusal::new(
            "a text with ? or : within brackets is not read alike everywhere",
            "put it in quotes",
            at,
        ));
    }
    Ok(())
}

/// Escapes that JSON has and YAML 1.1 does not.
pub(super) fn escapes(raw: &str, at: Place) -> Result<(), Refusal> {
    let mut rest = raw;
    while let Some((_, tail)) = rest.split_once('\\') {
        let mut characters = tail.chars();
        let escape = characters.next();
        let is_half = escape == Some('u')
            && tail.get(1..3).is_some_and(|digits| {
                let digits = digits.to_ascii_lowercase();
                digits.starts_with('d') && digits.ends_with(['8', '9', 'a', 'b', 'c', 'd', 'e', 'f'])
            });
        if escape == Some('/') || is_half {
            return Err(Refusal::new(
                "this escape is read in JSON alone",
                "write the character itself",
                at,
            ));
        }
        rest = characters.as_str();
    }
    Ok(())
}

/// A key stands on one line.
pub(super) fn key(raw: &str, at: Place) -> Result<(), Refusal> {
    if raw.trim_end().contains('\n') {
        return Err(Refusal::new(
            "the key does not end on its line",
            "write it on one line",
            at,
        ));
    }
    Ok(())
}

/// The name of an anchor.
pub(super) fn anchor(name: &str, at: Place) -> Result<(), Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{name:?} is no name for an anchor"),
        "use letters, digits, - and _",
        at,
    ))
}

/// Parts of a text in which a line may begin with a tab.
#[derive(Debug, Default)]
pub(super) struct Tabs {
    /// Brackets and quotes, where indentation means nothing.
    free: Vec<Range<usize>>,
    /// Block scalars, where a tab is content behind the indentation.
    blocks: Vec<Range<usize>>,
}

impl Tabs {
    /// Brackets or quotes.
    pub(super) fn free(&mut self, part: Range<usize>) {
        self.free.push(part);
    }

    /// A block scalar with its header.
    pub(super) fn block(&mut self, part: Range<usize>) {
        self.blocks.push(part);
    }

    /// Refuses a tab that indents.
    pub(super) fn check(&self, text: &str) -> Result<(), Refusal> {
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let blank = line
                .len()
                .saturating_sub(line.trim_start_matches([' ', '\t']).len());
            let tab = line.get(..blank).and_then(|blank| blank.find('\t'));
            if let Some(column) = tab
                && !self.permits(text, offset, column)
            {
                let place = Place {
                    offset: offset.saturating_add(column),
                    length: 1,
                };
                return Err(Refusal::new(
                    "a tab indents the line",
                    "indent with spaces",
                    place,
                ));
            }
            offset = offset.saturating_add(line.len());
        }
        Ok(())
    }

    fn permits(&self, text: &str, offset: usize, column: usize) -> bool {
        let holds = |part: &&Range<usize>| part.start < offset && offset < part.end;
        if self.free.iter().any(|part| holds(&part)) {
            return true;
        }
        let block = self.blocks.iter().find(holds);
        block.is_some_and(|block| indentation(text.get(block.clone()).unwrap_or_default()) <= column)
    }
}

/// How far the first line of a block scalar is indented that says something.
fn indentation(block: &str) -> usize {
    let mut lines = block.lines().skip(1).filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let spaces = first.len().saturating_sub(first.trim_start_matches(' ').len());
    // A tab right behind the spaces that are to tell the indentation is none of it.
    if first.get(spaces..).is_some_and(|rest| rest.starts_with('\t')) {
        usize::MAX
    } else {
        spaces
    }
}
