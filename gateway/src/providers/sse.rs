//! Server-sent events (WHATWG HTML, section 9.2) over any chunking, bounded. Only `data` matters to the dialects.

use super::ModelError;

/// The longest event that is read.
const MAX_EVENT: usize = 1 << 20;

/// Cuts a byte stream into the data of its events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: String,
    has_data: bool,
    after_return: bool,
}

impl Events {
    /// Takes the next bytes, hands each finished event's data to `each`.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&str) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        for &byte in bytes {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line(&mut each)?;
                }
                _ => {
                    self.line.push(byte);
                    self.check_size()?;
                }
            }
        }
        Ok(())
    }

    /// The end of the stream: an event that no blank line closed is given all the same, since some servers forget the last one.
    pub(super) fn finish(
        mut self,
        mut each: impl FnMut(&str) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        if !self.line.is_empty() {
            self.end_line(&mut each)?;
        }
        if self.has_data { each(&self.data) } else { Ok(()) }
    }

    fn check_size(&self) -> Result<(), ModelError> {
        if self.line.len().saturating_add(self.data.len()) > MAX_EVENT {
            return Err(ModelError::TooLarge(MAX_EVENT));
        }
        Ok(())
    }

    fn end_line(&mut self, each: &mut impl FnMut(&str) -> Result<(), ModelError>) -> Result<(), ModelError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                each(&std::mem::take(&mut self.data))?;
            }
            return Ok(());
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        if let Some(value) = line.strip_prefix("data:") {
            if self.has_data {
                self.data.push('\n');
            }
            self.data.push_str(value.strip_prefix(' ').unwrap_or(value));
            self.has_data = true;
        }
        self.check_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for chunk in chunks {
            events
                .push(chunk, |data| {
                    found.push(data.to_owned());
                    Ok(())
                })
                .unwrap();
        }
        let mut last = Vec::new();
        events
            .finish(|data| {
                last.push(data.to_owned());
                Ok(())
            })
            .unwrap();
        found.extend(last);
        found
    }

    #[rstest]
    #[case::plain("data: a\n\ndata: b\n\n", &["a", "b"])]
    #[case::windows("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"])]
    #[case::old_mac("data: a\r\rdata: b\r\r", &["a", "b"])]
    #[case::two_lines("data: a\ndata: b\n\n", &["a\nb"])]
    #[case::comments_and_names(": ping\nevent: x\nid: 1\ndata:a\n\n", &["a"])]
    #[case::nothing("event: x\n\n", &[])]
    #[case::unclosed("data: a", &["a"])]
    #[case::unicode("data: grüße\n\n", &["grüße"])]
    fn every_cut_gives_the_same_events(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(read(&[text.as_bytes()]), expected);
        for cut in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(read(&[head, tail]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut events = Events::default();
        let chunk = vec![b'x'; MAX_EVENT];
        events.push(&chunk, |_| Ok(())).unwrap();
        assert_eq!(
            events.push(b"x", |_| Ok(())),
            Err(ModelError::TooLarge(MAX_EVENT))
        );
    }
}
