//! Server-sent events (WHATWG HTML, section 9.2) over any chunking. The size of a stream is bounded by whoever reads it.

/// A piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// An event.
    Event {
        /// Its `event` field; empty when there is none.
        name: &'a str,
        /// Its data, never blank.
        data: &'a str,
    },
    /// A line that is no field: no event stream has one, and servers send their last words so.
    Stray(&'a str),
}

/// The fields that may stand at the beginning of a line, before a colon.
const FIELDS: [&str; 4] = ["data", "event", "id", "retry"];

/// Cuts a byte stream into its pieces.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
    after_return: bool,
}

/// Whether a text begins as a stream of events does; nothing while too little of it is there.
pub(super) fn begins(text: &[u8]) -> Option<bool> {
    if text.first().is_none_or(|byte| *byte == b':') {
        return text.first().map(|_| true);
    }
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r' | b':')).next();
    let line = line.unwrap_or_default();
    if line.len() < text.len() {
        return Some(FIELDS.iter().any(|field| field.as_bytes() == line));
    }
    let open = FIELDS.iter().any(|field| field.as_bytes().starts_with(line));
    (!open).then_some(false)
}

impl Events {
    /// Takes the next bytes, hands each finished piece to `each`.
    pub(super) fn push<E>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (line, tail) = rest.split_at(end.unwrap_or(rest.len()));
            self.line.extend_from_slice(line);
            if let Some(ended_by) = tail.first() {
                self.after_return = *ended_by == b'\r';
                self.end_line(&mut each)?;
            }
            rest = tail.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// The end of the stream: an event that no blank line closed is given all the same, since some servers forget the last one.
    pub(super) fn finish<E>(mut self, mut each: impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        // A line that broke off before its colon says nothing.
        let says = |line: &[u8]| !FIELDS.iter().any(|field| field.as_bytes().starts_with(line));
        if says(&self.line) {
            self.end_line(&mut each)?;
        }
        self.dispatch(&mut each)
    }

    fn end_line<E>(&mut self, each: &mut impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.dispatch(each);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "event" => value.clone_into(&mut self.name),
            "" | "id" | "retry" => {}
            _ if line.trim().is_empty() => {}
            _ => return each(Piece::Stray(line)),
        }
        Ok(())
    }

    /// An event without data, or with nothing in it, is none: servers send such to keep a connection open.
    fn dispatch<E>(&mut self, each: &mut impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if std::mem::take(&mut self.has_data) && !data.trim().is_empty() {
            let (name, data) = (name.trim(), data.as_str());
            return each(Piece::Event { name, data });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(chunks: &[&[u8]]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        let mut note = |piece: Piece<'_>| {
            found.push(match piece {
                Piece::Event { name: "", data } => data.to_owned(),
                Piece::Event { name, data } => format!("{name}={data}"),
                Piece::Stray(line) => format!("?{line}"),
            });
            Ok::<(), ()>(())
        };
        for chunk in chunks {
            events.push(chunk, &mut note).unwrap();
        }
        events.finish(&mut note).unwrap();
        found
    }

    #[rstest]
    #[case::plain("data: a\n\ndata: b\n\n", &["a", "b"])]
    #[case::windows("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"])]
    #[case::old_mac("data: a\r\rdata: b\r\r", &["a", "b"])]
    #[case::two_lines("data: a\ndata: b\n\n", &["a\nb"])]
    #[case::comments_and_names(": ping\nevent: x\nid: 1\nretry: 5\ndata:a\n\n", &["x=a"])]
    #[case::a_name_holds_for_one_event("event: x\ndata: a\n\ndata: b\n\n", &["x=a", "b"])]
    #[case::nothing("event: x\n\n", &[])]
    #[case::empty_data("data:\n\ndata: a\n\ndata\n\ndata: \n\n", &["a"])]
    #[case::unclosed("data: a", &["a"])]
    #[case::unicode("data: grüße\n\n", &["grüße"])]
    #[case::byte_order_mark("\u{feff}data: a\n\n", &["a"])]
    #[case::last_words("data: a\n\n{\"error\":1}\n", &["a", "?{\"error\":1}"])]
    fn every_cut_gives_the_same_events(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(read(&[text.as_bytes()]), expected);
        for cut in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(cut);
            assert_eq!(read(&[head, tail]), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(read(&single), expected);
    }

    #[rstest]
    #[case("data: x", Some(true))]
    #[case(": ping", Some(true))]
    #[case("event:", Some(true))]
    #[case("retry\n", Some(true))]
    #[case("dat", None)]
    #[case("", None)]
    #[case("data", None)]
    #[case("database is down", Some(false))]
    #[case("{\"data\":1}", Some(false))]
    #[case("<html>", Some(false))]
    #[case("upstream: down", Some(false))]
    fn a_stream_is_known_by_its_first_bytes(#[case] text: &str, #[case] expected: Option<bool>) {
        assert_eq!(begins(text.as_bytes()), expected);
    }
}
