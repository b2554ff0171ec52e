//! A connection that keeps its own deadlines.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::lobby::Guest;

/// A connection that ends when its guest has to go, whatever is read from it or written to it.
#[derive(Debug)]
pub struct Guarded {
    stream: TcpStream,
    guest: Guest,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until when it may go on as it stands.
    patience: Pin<Box<Sleep>>,
    /// Since when the peer takes none of our bytes.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Whoever reaches the port is known by that.
    known_when_heard: bool,
}

impl Guarded {
    pub(super) fn new(stream: TcpStream, guest: Guest, known_when_heard: bool) -> Self {
        let closed: CancellationToken = guest.closed();
        let deadline = guest.deadline().unwrap_or_else(Instant::now);
        Self {
            stream,
            guest,
            closed: Box::pin(closed.cancelled_owned()),
            patience: Box::pin(sleep_until(deadline)),
            stalled: None,
            known_when_heard,
        }
    }

    /// An error when the connection has to end; wakes the task when that comes about.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection gave way to another",
            ));
        }
        while let Some(deadline) = self.guest.deadline() {
            if self.patience.as_mut().poll(context).is_pending() {
                break;
            }
            if deadline <= Instant::now() {
                return Err(late("nothing showed in time who the peer is"));
            }
            // It was given more time since.
            self.patience.as_mut().reset(deadline);
        }
        Ok(())
    }

    /// Keeps the time since when nothing goes out.
    fn progress<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let idle = self.guest.limits().idle;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(late("the peer takes nothing"))),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn late(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, message)
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.known_when_heard && buffer.filled().len() > before {
            self.known_when_heard = false;
            self.guest.make_known();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.progress(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.progress(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
