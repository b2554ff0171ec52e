//! Output on its way to the gateway while the call still runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use monstrum_scrub::{End, ScrubStream, Scrubber, Tainted};
use monstrum_wire::runner::{FromRunner, OutputChunk, from_runner::Message};
use tokio::sync::mpsc;

use super::Call;

/// The largest chunk, well under what a gRPC message may hold.
const CHUNK_BYTES: usize = 256 * 1024;

/// Nobody takes output any more: the stream to the gateway broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is gone")]
pub struct Gone;

/// Where a call's output goes: through the scrubber, within the call's bound. A gateway that reads slowly makes the call wait, so
/// that memory stays bounded.
#[derive(Debug)]
pub struct Output {
    call_id: String,
    sender: mpsc::Sender<FromRunner>,
    passed: Mutex<Passed>,
}

/// What became of the output until now.
#[derive(Debug)]
struct Passed {
    stream: ScrubStream,
    room: usize,
    bytes: usize,
    cut: bool,
}

impl Output {
    /// Output of `call`, through `sender`.
    pub fn new(call: &Call, sender: mpsc::Sender<FromRunner>) -> Self {
        Self {
            call_id: call.id.clone(),
            sender,
            passed: Mutex::new(Passed {
                stream: call.scrubber.stream(),
                room: call.max_result_bytes,
                bytes: 0,
                cut: false,
            }),
        }
    }

    /// Sends the next piece of output. What is beyond the call's bound is dropped.
    pub async fn send(&self, data: &Tainted) -> Result<(), Gone> {
        let clean = self.passed().take(data);
        self.pass_on(&clean).await
    }

    /// How many bytes of output were sent, and whether there were more.
    pub fn kept(&self) -> (usize, bool) {
        let passed = self.passed();
        (passed.bytes, passed.cut)
    }

    /// What was held back, `end` saying whether the output got to its end.
    pub(crate) fn rest(&self, end: End) -> Vec<u8> {
        self.passed().rest(end)
    }

    /// Sends what has passed a scrubber.
    pub(crate) async fn pass_on(&self, clean: &[u8]) -> Result<(), Gone> {
        for piece in clean.chunks(CHUNK_BYTES) {
            let chunk = OutputChunk {
                call_id: self.call_id.clone(),
                data: piece.to_vec(),
            };
            let message = FromRunner {
                message: Some(Message::Chunk(chunk)),
            };
            self.sender.send(message).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends all but the last piece of a large result and leaves that in `content`.
    pub async fn send_ahead(&self, content: &mut Vec<u8>) -> Result<(), Gone> {
        if content.len() > CHUNK_BYTES {
            let last = content.split_off(content.len().saturating_sub(CHUNK_BYTES));
            self.pass_on(content).await?;
            *content = last;
        }
        Ok(())
    }
}

impl Passed {
    fn take(&mut self, data: &Tainted) -> Vec<u8> {
        if self.cut {
            return Vec::new();
        }
        let clean = data.through(&mut self.stream);
        self.fitting(clean)
    }

    fn rest(&mut self, end: End) -> Vec<u8> {
        let stream = std::mem::replace(&mut self.stream, Scrubber::default().stream());
        if self.cut {
            return Vec::new();
        }
        self.fitting(stream.finish(end))
    }

    fn fitting(&mut self, mut clean: Vec<u8>) -> Vec<u8> {
        self.cut |= clean.len() > self.room;
        clean.truncate(self.room);
        self.room = self.room.saturating_sub(clean.len());
        self.bytes = self.bytes.saturating_add(clean.len());
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::runner::{CredentialField, Execute};
    use tokio_util::sync::CancellationToken;

    fn output(most: u32, sender: mpsc::Sender<FromRunner>) -> Output {
        let execute = Execute {
            max_result_bytes: most,
            credential: vec![CredentialField {
                name: "token".to_owned(),
                value: b"hunter2-hunter2".to_vec(),
            }],
            ..Execute::default()
        };
        Output::new(&Call::new(execute, CancellationToken::new()).unwrap(), sender)
    }

    async fn sent(most: u32, pieces: &[&str], end: End) -> (String, bool) {
        let (sender, mut receiver) = mpsc::channel(64);
        let output = output(most, sender);
        for piece in pieces {
            output.send(&Tainted::from(*piece)).await.unwrap();
        }
        let rest = output.rest(end);
        output.pass_on(&rest).await.unwrap();
        let mut seen = Vec::new();
        while let Ok(FromRunner {
            message: Some(Message::Chunk(chunk)),
        }) = receiver.try_recv()
        {
            seen.extend(chunk.data);
        }
        (String::from_utf8(seen).unwrap(), output.kept().1)
    }

    #[tokio::test]
    async fn output_is_scrubbed_and_then_bounded() {
        let pieces = ["a hunter2-h", "unter2 b", " and more"];
        assert_eq!(
            sent(100, &pieces, End::Whole).await,
            ("a [secret] b and more".to_owned(), false)
        );
        assert_eq!(
            sent(12, &pieces, End::Whole).await,
            ("a [secret] b".to_owned(), true)
        );
        assert_eq!(
            sent(100, &["a hunter2-h"], End::Cut).await,
            ("a ".to_owned(), false)
        );
        assert_eq!(
            sent(100, &["a hunter2-h"], End::Whole).await,
            ("a hunter2-h".to_owned(), false)
        );
    }

    #[tokio::test]
    async fn a_large_result_goes_ahead_in_pieces_and_stays_whole() {
        let (sender, mut receiver) = mpsc::channel(64);
        let whole: Vec<u8> = (0..CHUNK_BYTES * 3 + 7)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();
        let mut content = whole.clone();
        output(0, sender).send_ahead(&mut content).await.unwrap();
        let mut seen = Vec::new();
        while let Ok(FromRunner {
            message: Some(Message::Chunk(chunk)),
        }) = receiver.try_recv()
        {
            assert!(chunk.data.len() <= CHUNK_BYTES);
            seen.extend(chunk.data);
        }
        seen.extend(content);
        assert_eq!(seen, whole);
    }

    #[tokio::test]
    async fn a_broken_stream_shows() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        assert_eq!(output(0, sender).send(&"x".into()).await, Err(Gone));
    }
}
