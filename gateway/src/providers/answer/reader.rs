//! The bytes of one answer, whatever they turn out to be.

use monstrum_scrub::Tainted;

use super::assembler::Assembler;
use super::fault::{self, Fault};
use super::json::{Document, Json};
use super::sse::{self, Events, Piece};
use crate::providers::conversation::Answer;
use crate::providers::{ModelError, ModelProvider};

/// The largest answer that is read.
const MAX_ANSWER: usize = 16 << 20;
/// The mark of a stream's end.
const END: &str = "[DONE]";
/// Lines of a stream that belong to no event are kept up to this.
const MAX_STRAY: usize = 16 << 10;
/// What some servers put before everything.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// What servers say to keep a connection open, where they should have sent a comment.
const KEEP_ALIVE: [&str; 4] = ["ping", "keepalive", "keep-alive", "heartbeat"];

/// Why an answer is none whose calls another choice holds.
const CALLS_ELSEWHERE: &str = "its calls stand in another choice than the first, though one choice was asked for; none of them was made";

type Error = ModelError<Tainted>;

/// What a dialect makes of a piece of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::providers) enum Seen {
    /// Nothing.
    Unknown,
    /// A part of an answer, or the whole of it.
    Part,
    /// That nothing more comes.
    Last,
}

/// Reads one answer.
pub(in crate::providers) struct Reader {
    body: Body,
    size: usize,
    parts: Parts,
}

/// What the bytes are.
enum Body {
    /// Too few of them came.
    Unknown(Vec<u8>),
    /// A stream of events.
    Events(Events),
    /// One document: JSON, a page, words.
    Document(Vec<u8>),
}

/// What was read of it.
struct Parts {
    provider: &'static dyn ModelProvider,
    assembler: Assembler,
    stray: String,
    /// The last event came.
    ended: bool,
}

impl Reader {
    pub(in crate::providers) fn new(provider: &'static dyn ModelProvider) -> Self {
        Self {
            body: Body::Unknown(Vec::new()),
            size: 0,
            parts: Parts {
                provider,
                assembler: Assembler::default(),
                stray: String::new(),
                ended: false,
            },
        }
    }

    /// Takes the next bytes; gives text for the user.
    pub(in crate::providers) fn push(&mut self, bytes: &[u8]) -> Result<String, Error> {
        self.size = self.size.saturating_add(bytes.len());
        if self.size > MAX_ANSWER {
            return Err(ModelError::TooLarge(MAX_ANSWER));
        }
        match &mut self.body {
            Body::Events(events) => events.push(bytes, |piece| self.parts.piece(piece))?,
            Body::Document(body) => body.extend_from_slice(bytes),
            Body::Unknown(body) => {
                body.extend_from_slice(bytes);
                self.look()?;
            }
        }
        Ok(self.parts.assembler.take_text())
    }

    /// Whether there is a reason to stop, so that the rest need not be waited for.
    pub(in crate::providers) fn is_settled(&self) -> bool {
        self.parts.assembler.is_settled()
    }

    /// Whether the last event came.
    pub(in crate::providers) fn has_ended(&self) -> bool {
        self.parts.ended
    }

    /// The end of the connection: the answer, or why it is none; and text for the user, in either case.
    pub(in crate::providers) fn finish(mut self) -> (String, Result<Answer, Error>) {
        let outcome = match std::mem::replace(&mut self.body, Body::Unknown(Vec::new())) {
            Body::Events(events) => self.parts.last_events(events),
            Body::Unknown(body) | Body::Document(body) => self.parts.document(&body),
        };
        let settled = self.is_settled();
        let elsewhere = self.parts.assembler.has_calls_only_elsewhere();
        let (rest, answer) = self.parts.assembler.finish();
        match outcome {
            Err(error) if !settled => (rest, Err(error)),
            Ok(()) | Err(_) if elsewhere => (rest, Err(ModelError::Unreadable(CALLS_ELSEWHERE.into()))),
            Ok(()) | Err(_) => (rest, answer.ok_or(ModelError::Cut)),
        }
    }

    /// Decides what the bytes are, once enough of them are there.
    fn look(&mut self) -> Result<(), Error> {
        let Body::Unknown(body) = &mut self.body else {
            return Ok(());
        };
        // Some servers send blanks while they think.
        let blank = body.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        body.drain(..blank);
        let text = body.strip_prefix(MARK).unwrap_or(body);
        if MARK.starts_with(text) && !text.is_empty() {
            return Ok(());
        }
        match sse::begins(text.trim_ascii_start()) {
            None => {}
            Some(false) => self.body = Body::Document(std::mem::take(body)),
            Some(true) => {
                let text = text.trim_ascii_start().to_vec();
                let mut events = Events::default();
                let outcome = events.push(&text, |piece| self.parts.piece(piece));
                self.body = Body::Events(events);
                outcome?;
            }
        }
        Ok(())
    }
}

impl Parts {
    fn piece(&mut self, piece: Piece<'_>) -> Result<(), Error> {
        match piece {
            _ if self.ended => Ok(()),
            Piece::Event { name, data } => self.event(name, data, false),
            Piece::Stray(line) => self.stray(line),
        }
    }

    /// An event. At the end of a stream, one of which a part is missing is no event.
    fn event(&mut self, name: &str, data: &str, last: bool) -> Result<(), Error> {
        let text = unwrapped(data);
        if text.trim_matches('"') == END {
            self.ended = true;
            self.assembler.end_stream();
            return Ok(());
        }
        let is_silent = text.is_empty() || text.starts_with(':');
        if is_silent || KEEP_ALIVE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Ok(());
        }
        let document = Document::of(text);
        match document.root() {
            Ok(json) if name.eq_ignore_ascii_case("error") => self.fault(Fault::of_json(json)),
            Ok(json) => self.json(json).map(drop),
            Err(_) if self.assembler.is_settled() => Ok(()),
            Err(true) if last => Ok(()),
            // Events that no blank line parts.
            Err(_) if text.contains('\n') && text.lines().all(is_event) => {
                text.lines().try_for_each(|line| self.event(name, line, last))
            }
            Err(_) if text.starts_with(['{', '[']) => Err(unreadable("an event is no JSON", text)),
            Err(_) => self.fault(Fault::of_text(text)),
        }
    }

    /// A line that is no field. Some servers write their last words so, or all of their events.
    fn stray(&mut self, line: &str) -> Result<(), Error> {
        if line.starts_with('{') && Document::of(line).root().is_ok() {
            return self.event("", line, false);
        }
        if self.stray.len().saturating_add(line.len()) < MAX_STRAY {
            self.stray.push_str(line);
            self.stray.push('\n');
        }
        Ok(())
    }

    /// Whether it was something that is known.
    fn json(&mut self, json: Json<'_>) -> Result<bool, Error> {
        if let Some(fault) = fault::certain(json) {
            return self.fault(fault).map(|()| true);
        }
        let seen = self.provider.read(json, &mut self.assembler);
        if self.assembler.has_too_many_calls() {
            return Err(ModelError::Unreadable(
                "there are more tool calls in it than are read".into(),
            ));
        }
        match seen {
            Seen::Part => Ok(true),
            Seen::Last => {
                self.ended = true;
                self.assembler.end_stream();
                Ok(true)
            }
            Seen::Unknown => match fault::likely(json) {
                Some(fault) => self.fault(fault).map(|()| true),
                None => Ok(false),
            },
        }
    }

    /// An error after the reason to stop takes nothing back.
    fn fault(&mut self, fault: Fault) -> Result<(), Error> {
        if self.assembler.is_settled() {
            return Ok(());
        }
        let began = self.assembler.has_begun();
        Err(ModelError::Provider(fault.inside(began).into_error()))
    }

    fn last_events(&mut self, events: Events) -> Result<(), Error> {
        events.finish(|piece| match piece {
            Piece::Event { name, data } if !self.ended => self.event(name, data, true),
            piece => self.piece(piece),
        })?;
        let stray = std::mem::take(&mut self.stray);
        if self.ended || stray.trim().is_empty() {
            return Ok(());
        }
        self.fault(Fault::of_text(&stray))
    }

    /// All of it at once.
    fn document(&mut self, body: &[u8]) -> Result<(), Error> {
        let body = String::from_utf8_lossy(body);
        let text = body.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(());
        }
        if !text.starts_with(['{', '[', '"']) {
            return self.words(text);
        }
        let document = Document::of(text);
        match document.root() {
            Ok(json) => self.whole(json, text),
            Err(_) if text.lines().next().is_some_and(is_event) => {
                // One event a line.
                text.lines()
                    .filter(|line| !line.trim().is_empty())
                    .try_for_each(|line| self.event("", line, true))
            }
            Err(true) => Ok(()),
            Err(false) => Err(unreadable("it is no JSON", text)),
        }
    }

    fn whole(&mut self, json: Json<'_>, text: &str) -> Result<(), Error> {
        let mut known = false;
        if json.is_list() {
            json.each(|item| {
                known |= self.json(item)?;
                Ok(())
            })?;
        }
        if !known && !self.json(json)? {
            return Err(unreadable("it is no answer", text));
        }
        self.assembler.end_document();
        Ok(())
    }

    fn words(&mut self, text: &str) -> Result<(), Error> {
        let foul = |character: char| character == char::REPLACEMENT_CHARACTER || character == '\0';
        if text.chars().take(64).filter(|character| foul(*character)).count() > 4 {
            return Err(ModelError::Unreadable(
                "it is no text; it may be compressed, which nobody asked for".into(),
            ));
        }
        // Events behind lines that are none.
        if !fault::is_page(text) && text.contains("\ndata:") {
            let mut events = Events::default();
            events.push(text.as_bytes(), |piece| self.piece(piece))?;
            return self.last_events(events);
        }
        self.fault(if fault::is_page(text) {
            Fault::of_page(text)
        } else {
            Fault::of_text(text)
        })
    }
}

/// What an event says, though a relay made an event of a line that was one already: `data: data: {…}`.
fn unwrapped(data: &str) -> &str {
    let mut text = data.trim();
    while let Some(inner) = text.strip_prefix("data:") {
        text = inner.trim_start();
    }
    text
}

/// Whether a line is an event by itself.
fn is_event(line: &str) -> bool {
    line.trim() == END || Document::of(line).root().is_ok()
}

fn unreadable(why: &str, text: &str) -> Error {
    ModelError::Unreadable(format!("{why}: {text}").into())
}
