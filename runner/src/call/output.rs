//! Output on its way to the gateway while the call still runs.

use monstrum_wire::runner::{FromRunner, OutputChunk, from_runner::Message};
use tokio::sync::mpsc;

/// The largest chunk, well under what a gRPC message may hold.
const CHUNK_BYTES: usize = 256 * 1024;

/// Nobody takes output any more: the stream to the gateway broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is gone")]
pub struct Gone;

/// Where a call's output goes. A gateway that reads slowly makes the call wait, so that memory stays bounded.
#[derive(Debug, Clone)]
pub struct Output {
    call_id: String,
    sender: mpsc::Sender<FromRunner>,
}

impl Output {
    /// Output of the call `call_id`, through `sender`.
    pub fn new(call_id: String, sender: mpsc::Sender<FromRunner>) -> Self {
        Self { call_id, sender }
    }

    /// Sends the next piece of output.
    pub async fn send(&self, data: &[u8]) -> Result<(), Gone> {
        for piece in data.chunks(CHUNK_BYTES) {
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

    /// Sends all but the last piece of a large result and leaves that in `content`.
    pub async fn send_ahead(&self, content: &mut Vec<u8>) -> Result<(), Gone> {
        if content.len() > CHUNK_BYTES {
            let last = content.split_off(content.len().saturating_sub(CHUNK_BYTES));
            self.send(content).await?;
            *content = last;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_large_result_goes_ahead_in_pieces_and_stays_whole() {
        let (sender, mut receiver) = mpsc::channel(64);
        let whole: Vec<u8> = (0..CHUNK_BYTES * 3 + 7)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();
        let mut content = whole.clone();
        Output::new("c".to_owned(), sender)
            .send_ahead(&mut content)
            .await
            .unwrap();
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
        assert_eq!(Output::new("c".to_owned(), sender).send(b"x").await, Err(Gone));
    }
}
