//! The way of an answer's text to the user: through the scrubber, in whole characters.

use monstrum_scrub::{End, ScrubStream, Scrubber};

use super::answer::own_id;
use super::conversation::{Answer, Opaque, ToolCall};

/// Takes text as the model says it.
pub trait TextSink: Send {
    /// Called in order; may wait for a slow reader.
    fn text(&mut self, text: &str) -> impl Future<Output = ()> + Send;
}

/// Hands on the text of one attempt.
pub(super) struct Speaker<'a, S> {
    scrub: ScrubStream,
    /// Clean bytes that are not yet a whole character.
    bytes: Vec<u8>,
    said: &'a mut String,
    sink: &'a mut S,
}

impl<'a, S: TextSink> Speaker<'a, S> {
    pub(super) fn new(scrubber: &Scrubber, said: &'a mut String, sink: &'a mut S) -> Self {
        Self {
            scrub: scrubber.stream(),
            bytes: Vec::new(),
            said,
            sink,
        }
    }

    /// Says what is certainly clean of it.
    pub(super) async fn say(&mut self, text: &str) {
        self.bytes.extend(self.scrub.push(text.as_bytes()));
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.bytes.split_off(whole);
        let clean = std::mem::replace(&mut self.bytes, rest);
        hand_on(&clean, self.said, self.sink).await;
    }

    /// Says the rest; of a text that broke off, without what could begin a secret.
    pub(super) async fn end(self, end: End) {
        let Self {
            scrub,
            mut bytes,
            said,
            sink,
        } = self;
        bytes.extend(scrub.finish(end));
        hand_on(&bytes, said, sink).await;
    }
}

async fn hand_on<S: TextSink>(clean: &[u8], said: &mut String, sink: &mut S) {
    let clean = String::from_utf8_lossy(clean);
    if !clean.is_empty() {
        said.push_str(&clean);
        sink.text(&clean).await;
    }
}

impl Answer {
    /// With the text as it was `said`, and no secret in names and ids. The arguments are the Guardian's, who sees them as they are.
    pub(super) fn clean(mut self, said: &str, scrubber: &Scrubber) -> Self {
        if said != self.text {
            // It counts the bytes of the text that was.
            self.state = Opaque::default();
            said.clone_into(&mut self.text);
        }
        let clean = |call: &mut ToolCall| {
            call.name = scrubber.text(&call.name);
            if scrubber.text(&call.id) != call.id {
                call.id = own_id();
            }
        };
        self.calls.iter_mut().chain(&mut self.unmade).for_each(clean);
        self
    }
}
