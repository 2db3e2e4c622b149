//! A cache of sessions, valid until the next commit.
//!
//! An entry is valid while the header of the wal-index is the one that was read before the session:
//! then nothing was committed since. To read 48 bytes takes a twentieth of the time of the query.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::sessions::{SessionKey, StoredSession};
use super::wal_index::{Header, WalIndex};

/// The maximum number of cached sessions, of about 400 bytes each.
const MAX_SESSIONS: usize = 2048;

/// A session, and the header before it was read.
struct Entry {
    header: Header,
    session: StoredSession,
}

/// The cache.
pub(super) struct SessionCache {
    wal_index: Arc<WalIndex>,
    entries: Cache<SessionKey, Arc<Entry>>,
}

impl SessionCache {
    /// Creates an empty cache of the database with this wal-index.
    pub(super) fn new(wal_index: Arc<WalIndex>) -> Self {
        Self { wal_index, entries: Cache::new(MAX_SESSIONS) }
    }

    /// Returns the session of `key`, from the cache or by `read`.
    pub(super) fn get<E>(
        &self,
        key: SessionKey,
        read: impl FnOnce() -> Result<Option<StoredSession>, E>,
    ) -> Result<Option<StoredSession>, E> {
        let Ok(header) = self.wal_index.header() else { return read() };
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
}
