//! The lines around a spot, as a report shows them: few, and none of them long.
//!
//! A file can be one line of JSON, of which nobody wants to see all, and which the library that draws reports can't draw.

use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::error::Spot;

/// The longest line that is shown whole, in bytes; of a longer one so much is.
const WIDTH: usize = 400;
/// How much of a long line is shown before the spot.
const BEFORE: usize = 120;
/// How many lines of what is at the spot are shown.
const LINES: usize = 16;
/// Stands for what is left out.
const CUT: &str = "…";

/// The lines around a spot.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    /// The file's name.
    name: String,
    /// What is shown.
    text: String,
    /// What of it is the spot.
    spot: Range<usize>,
    /// Which line of the file it begins with, from 0.
    first: usize,
    /// The spot's column, from 0, where its line is cut.
    column: Option<usize>,
}

impl Excerpt {
    /// The lines around the spot.
    pub(super) fn of(spot: &Spot) -> Self {
        let text = spot.source.text.as_str();
        let start = floor(text, spot.place.offset);
        let end = floor(text, start.saturating_add(spot.place.length)).max(start);
        let (line, column) = spot.line_and_column();
        let own = line_around(text, start);
        let before = own.start.checked_sub(1).map(|end| line_around(text, end));

        let mut shown = String::new();
        let first = line
            .saturating_sub(1)
            .saturating_sub(usize::from(before.is_some()));
        if let Some(before) = before {
            append(&mut shown, text, before.clone(), before.start);
        }
        let kept = append(&mut shown, text, own.clone(), start);
        let mut place = kept.position(start)..kept.position(end.min(own.end));
        let mut last = own.clone();
        for _ in 1..LINES {
            if end <= last.end || last.end >= text.len() {
                break;
            }
            last = line_around(text, last.end.saturating_add(1));
            let kept = append(&mut shown, text, last.clone(), last.start);
            place.end = kept.position(end.min(last.end));
        }
        if last.end < text.len() {
            let after = line_around(text, last.end.saturating_add(1));
            append(&mut shown, text, after.clone(), after.start);
        }
        Self {
            name: spot.source.name.clone(),
            text: shown,
            spot: place,
            first,
            column: kept.is_cut.then(|| column.saturating_sub(1)),
        }
    }

    /// Says something of the spot.
    pub(crate) fn label(&self, text: impl Into<String>) -> LabeledSpan {
        let Range { start, end } = self.spot;
        // Something must be pointed at, unless the text is at its end.
        let least = usize::from(start < self.text.len());
        let length = end.saturating_sub(start).max(least);
        LabeledSpan::new_primary_with_span(Some(text.into()), SourceSpan::new(start.into(), length))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, lines_before, lines_after)?;
        let is_spot = lines_before == 0 && span.offset() == self.spot.start;
        let column = self.column.filter(|_| is_spot).unwrap_or_else(|| read.column());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            read.data(),
            *read.span(),
            read.line().saturating_add(self.first),
            column,
            read.line_count(),
        )))
    }
}

/// Where the bytes of a line stand in the excerpt.
struct Kept {
    /// Which bytes of the text are shown.
    bytes: Range<usize>,
    /// Where they begin in the excerpt.
    at: usize,
    is_cut: bool,
}

impl Kept {
    fn position(&self, offset: usize) -> usize {
        let within = offset.clamp(self.bytes.start, self.bytes.end);
        self.at.saturating_add(within.saturating_sub(self.bytes.start))
    }
}

/// Appends a line with its end; of a long one what is around `focus`.
fn append(shown: &mut String, text: &str, line: Range<usize>, focus: usize) -> Kept {
    let is_cut = line.len() > WIDTH;
    let bytes = if is_cut {
        let start = floor(text, focus.saturating_sub(BEFORE)).max(line.start);
        start..floor(text, start.saturating_add(WIDTH)).min(line.end)
    } else {
        line.clone()
    };
    if bytes.start > line.start {
        shown.push_str(CUT);
    }
    let at = shown.len();
    shown.push_str(text.get(bytes.clone()).unwrap_or_default());
    if bytes.end < line.end {
        shown.push_str(CUT);
    }
    if line.end < text.len() {
        shown.push('\n');
    }
    Kept { bytes, at, is_cut }
}

/// The line that a byte is on, without its end.
fn line_around(text: &str, offset: usize) -> Range<usize> {
    let (before, after) = text.split_at(floor(text, offset));
    let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let length = after.find('\n').unwrap_or(after.len());
    start..before.len().saturating_add(length)
}

/// The last border of a character that is not behind `offset`.
fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::files::Source;
    use crate::files::node::Place;
    use rstest::rstest;

    fn excerpt(text: &str, offset: usize, length: usize) -> Excerpt {
        let source = Arc::new(Source {
            name: "t".to_owned(),
            text: text.to_owned(),
        });
        Excerpt::of(&Spot {
            source,
            place: Place { offset, length },
        })
    }

    #[rstest]
    #[case::first("ab\ncd\nef\ngh\n", "ab", "ab\ncd\n", 0)]
    #[case::middle("ab\ncd\nef\ngh\n", "ef", "cd\nef\ngh\n", 1)]
    #[case::last("ab\ncd\nef\ngh", "gh", "ef\ngh", 2)]
    #[case::several("ab\ncd\nef\ngh\nij\n", "cd\nef", "ab\ncd\nef\ngh\n", 0)]
    fn the_lines_around_are_kept(
        #[case] text: &str,
        #[case] at: &str,
        #[case] shown: &str,
        #[case] first: usize,
    ) {
        let found = excerpt(text, text.find(at).unwrap(), at.len());
        assert_eq!((found.text.as_str(), found.first), (shown, first));
        assert_eq!(&found.text[found.spot.clone()], at);
    }

    #[test]
    fn a_long_line_is_cut_around_the_spot() {
        let text = format!("{}WRONG{}\nnext\n", "ä".repeat(40_000), "x".repeat(70_000));
        let found = excerpt(&text, text.find("WRONG").unwrap(), 5);
        assert_eq!(&found.text[found.spot.clone()], "WRONG");
        assert!(found.text.len() < 2 * WIDTH, "{}", found.text.len());
        assert!(found.text.starts_with("…ä") && found.text.ends_with("x…\nnext\n"));
        let span = *found.label("here").inner();
        let read = found.read_span(&span, 0, 0).unwrap();
        assert_eq!((read.line(), read.column()), (0, 40_000));
    }

    #[test]
    fn a_long_block_is_cut() {
        let text = "word\n".repeat(1_000);
        let found = excerpt(&text, 10, 4_000);
        assert!(found.text.len() < 100, "{}", found.text);
    }

    #[rstest]
    #[case::end("ab\n", 3, 0)]
    #[case::beyond("ab", 9, 9)]
    #[case::within_a_character("ä", 1, 1)]
    #[case::empty("", 0, 0)]
    fn what_is_nowhere_is_no_matter(#[case] text: &str, #[case] offset: usize, #[case] length: usize) {
        let found = excerpt(text, offset, length);
        let span = *found.label("here").inner();
        assert!(found.read_span(&span, 1, 1).is_ok());
    }
}
