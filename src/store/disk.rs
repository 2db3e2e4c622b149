//! The state of the files and of their disk, for health checks and metrics.

use std::path::Path;

use super::condition::FileFault;
use super::{Store, files};
use crate::model::error::Result;

/// The free space on the disk below which the server is not ready, because writes may soon fail.
pub const MIN_FREE_BYTES: u64 = 32 * 1024 * 1024;

impl Store {
    /// Returns the sizes of the database and of its write-ahead log, in bytes; 0 for a file that is gone.
    pub fn sizes(&self) -> std::io::Result<(i64, i64)> {
        let size = |path: &Path| match path.metadata() {
            Ok(file) => Ok(i64::try_from(file.len()).unwrap_or(i64::MAX)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(e),
        };
        Ok((size(&self.path)?, size(&files::with_suffix(&self.path, "-wal"))?))
    }

    /// Returns the free space of the disk that holds the file, in bytes.
    pub fn room(&self) -> std::io::Result<u64> {
        room(files::folder_of(&self.path))
    }

    /// Returns what is wrong with the files now, as far as it is known.
    pub fn file_fault(&self) -> Option<FileFault> {
        self.condition.fault()
    }

    /// Reads one row. Returns [`Error::Unavailable`] or [`Error::Internal`] if the database cannot
    /// be read.
    ///
    /// [`Error::Unavailable`]: crate::model::error::Error::Unavailable
    /// [`Error::Internal`]: crate::model::error::Error::Internal
    pub fn ping(&self) -> Result<()> {
        self.read(|db| Ok(db.query_row("SELECT 1 FROM meta", [], |_| Ok(()))?))
    }
}

/// Returns the free space of the disk that holds `path`, in bytes.
pub(super) fn room(path: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
