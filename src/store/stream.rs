//! Streams: bytes sent in chunks from one snapshot, at the pace of their reader.

use std::future::poll_fn;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::connect::{self, Mode};
use super::queue::{Admission, AdmissionQueue};
use crate::model::error::{Error, Result};

/// The maximum number of streams at once. Each has a connection, a thread and some 200 KiB of
/// memory, and keeps the write-ahead log from being checkpointed completely.
const MAX_STREAMS: usize = 4;

/// The minimum size of a chunk in bytes, except for the last.
const CHUNK_BYTES: usize = 64 * 1024;

/// The number of chunks of a stream that wait for their reader. A standby's stream keeps the follower
/// from writing until its last row is read, so there up to 16 MiB do not wait for a slow reader.
const WAITING_CHUNKS: usize = 1;
const WAITING_CHUNKS_OF_STANDBY: usize = 256;

/// The page cache of a stream's connection, in KiB.
const CACHE_KIB: i64 = 512;

/// Starts streams, within the limit.
pub(super) struct Streams {
    path: PathBuf,
    busy_timeout: Duration,
    waiting_chunks: usize,
    queue: AdmissionQueue,
}

/// A message of a stream's thread. A channel that closes without `End` marks a stream that broke
/// off.
enum Message {
    Chunk(Vec<u8>),
    End,
    Failed(Error),
}

/// The chunks of a stream. Dropping it ends the stream, its thread and its snapshot.
pub struct Chunks(mpsc::Receiver<Message>);

/// A writer that sends its bytes in chunks. A write waits while as many chunks as allowed wait for the
/// reader, and fails once the reader is dropped.
pub struct ChunkWriter {
    sender: mpsc::Sender<Message>,
    chunk: Vec<u8>,
}

impl Streams {
    pub(super) fn new(path: &Path, busy_timeout: Duration, is_standby: bool) -> Self {
        let queue = AdmissionQueue::new(MAX_STREAMS, busy_timeout);
        let waiting_chunks = if is_standby { WAITING_CHUNKS_OF_STANDBY } else { WAITING_CHUNKS };
        Self { path: path.to_owned(), busy_timeout, waiting_chunks, queue }
    }

    /// Starts a stream of the bytes that `query` writes.
    pub(super) async fn start(
        &self,
        query: impl FnOnce(&Connection, &mut ChunkWriter) -> Result<()> + Send + 'static,
    ) -> Result<Chunks> {
        let admission = self.queue.enter().await?;
        let (path, busy_timeout) = (self.path.clone(), self.busy_timeout);
        let (sender, receiver) = mpsc::channel(self.waiting_chunks);
        spawn_blocking(move || {
            let _admission: Admission = admission;
            let mut out = ChunkWriter { sender, chunk: Vec::new() };
            let written = open_snapshot(&path, busy_timeout)
                .map_err(Error::from)
                .and_then(|db| query(&db, &mut out))
                .and_then(|()| out.flush().map_err(|e| Error::Internal(e.to_string())));
            // The reader may have been dropped.
            let _ = out.sender.blocking_send(match written {
                Ok(()) => Message::End,
                Err(error) => Message::Failed(error),
            });
        });
        Ok(Chunks(receiver))
    }
}

/// Opens a connection of the stream's own, and its snapshot.
fn open_snapshot(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let db = connect::open(path, Mode::Reader)?;
    db.busy_timeout(busy_timeout)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.execute_batch("BEGIN")?;
    Ok(db)
}

impl Chunks {
    /// Waits for the next chunk; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next chunk. It must not be called again after the end.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>>> {
        self.0.poll_recv(context).map(|message| match message {
            Some(Message::Chunk(chunk)) => Ok(Some(chunk)),
            Some(Message::End) => Ok(None),
            Some(Message::Failed(error)) => Err(error),
            None => Err(Error::Internal("a stream's thread panicked".into())),
        })
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = Message::Chunk(mem::take(&mut self.chunk));
        self.sender.blocking_send(chunk).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
