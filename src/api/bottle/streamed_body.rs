//! Bodies that are sent in chunks, so that little of them is in memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocket::tokio::io::{AsyncRead, ReadBuf};
use rocket::tokio::time::Instant;

use crate::domain::transfer::Chunks;
use crate::http::ClientConnection;

/// The time in which a client must read the whole body. Meanwhile its snapshot keeps SQLite from
/// truncating the write-ahead log.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The time, besides the request timeout, in which a client must read a chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);

/// The size of a chunk.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// The body of a response whose chunks the store streams. It is dropped, with its snapshot, when the
/// connection ends.
pub(super) struct StreamedBody {
    ready: Vec<u8>,
    /// The number of bytes of `ready` that were sent.
    sent: usize,
    /// `None` once the last chunk is in `ready`.
    chunks: Option<Chunks>,
    /// The bytes after the last chunk.
    tail: &'static [u8],
    connection: ClientConnection,
    deadline: Instant,
}

impl StreamedBody {
    /// Creates the body that begins with `start` and ends with `tail`.
    pub(super) fn new(
        start: Vec<u8>,
        chunks: Chunks,
        tail: &'static [u8],
        connection: ClientConnection,
    ) -> Self {
        let deadline = Instant::now() + TIMEOUT;
        Self { ready: start, sent: 0, chunks: Some(chunks), tail, connection, deadline }
    }

    /// Reads the next chunk into `ready`, unless that was the last.
    fn poll_refill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(chunks) = &mut self.chunks else { return Poll::Ready(Ok(())) };
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let chunk = ready!(chunks.poll_next(context)).map_err(|e| {
            tracing::error!("an export was cut off: {e}");
            io::Error::other(e)
        })?;
        // A client that does not read the chunk does not cause another poll, and is disconnected.
        self.connection.expect_read(CHUNK_TIMEOUT.min(left));
        self.sent = 0;
        self.ready = chunk.unwrap_or_else(|| {
            self.chunks = None;
            self.tail.to_vec()
        });
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for StreamedBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.sent == self.ready.len() {
            ready!(self.poll_refill(context))?;
        }
        let end = self.ready.len().min(self.sent + out.remaining());
        out.put_slice(&self.ready[self.sent..end]);
        self.sent = end;
        Poll::Ready(Ok(()))
    }
}
