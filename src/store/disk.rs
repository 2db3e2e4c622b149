//! The sizes of the files, and the free space of their disk.

use std::path::Path;

use super::{Store, files};

impl Store {
    /// Returns the sizes of the database and of its write-ahead log, in bytes.
    pub fn sizes(&self) -> std::io::Result<(i64, i64)> {
        let size =
            |path: &Path| path.metadata().map(|file| i64::try_from(file.len()).unwrap_or(i64::MAX));
        let log = files::with_suffix(&self.path, "-wal");
        Ok((size(&self.path)?, if log.exists() { size(&log)? } else { 0 }))
    }

    /// Returns the free space of the disk that holds the file, in bytes.
    pub fn room(&self) -> std::io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.path)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}
