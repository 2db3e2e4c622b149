//! The options of a store.

use std::time::Duration;

/// The options of a [`Store`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of connections for short reads.
    pub readers: u32,
    /// The number of additional connections for long reads.
    pub long_readers: u32,
    /// The time that a change waits for a lock of another process, and a read for a connection.
    pub busy_timeout: Duration,
    /// The duration from which a read or change is logged as slow; `None` logs none.
    pub slow: Option<Duration>,
    /// The maximum size of the cache of what the map shows, in bytes; 0 for none.
    pub map_cache_bytes: u64,
}
