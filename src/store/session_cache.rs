//! A cache of sessions, valid until the next commit.
//!
//! SQLite's wal-index, the file `-shm`, begins with a header that changes with every commit of every
//! process ([format](https://www.sqlite.org/walformat.html#the_wal_index_file_format)). An entry is
//! valid while the header is the one that was read before the session: then nothing was committed
//! since. To read 48 bytes takes a twentieth of the time of the query.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::files;
use super::sessions::{SessionKey, StoredSession};

/// The maximum number of cached sessions, of about 400 bytes each.
const MAX_SESSIONS: usize = 2048;

/// The first copy of the header: among others the number of the last commit and of its last frame.
type Header = [u8; 48];

/// A session, and the header before it was read.
struct Entry {
    header: Header,
    session: StoredSession,
}

/// The cache.
pub(super) struct SessionCache {
    wal_index: File,
    entries: Cache<SessionKey, Arc<Entry>>,
}

impl SessionCache {
    /// Creates the cache of the database at `path`, which a connection has open.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let wal_index = File::open(files::with_suffix(path, "-shm"))?;
        Ok(Self { wal_index, entries: Cache::new(MAX_SESSIONS) })
    }

    /// Returns the session of `key`, from the cache or by `read`.
    pub(super) fn get<E>(
        &self,
        key: SessionKey,
        read: impl FnOnce() -> Result<Option<StoredSession>, E>,
    ) -> Result<Option<StoredSession>, E> {
        let Ok(header) = self.header() else { return read() };
        if let Some(entry) = self.entries.get(&key)
            && entry.header == header
        {
            return Ok(Some(entry.session.clone()));
        }
        let session = read()?;
        match &session {
            Some(session) => {
                self.entries.insert(key, Arc::new(Entry { header, session: session.clone() }));
            }
            None => drop(self.entries.remove(&key)),
        }
        Ok(session)
    }

    fn header(&self) -> io::Result<Header> {
        let mut header = [0; 48];
        self.wal_index.read_exact_at(&mut header, 0)?;
        Ok(header)
    }
}
