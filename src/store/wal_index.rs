//! The header of SQLite's wal-index, the file `-shm`. It changes with every commit of every process
//! ([format](https://www.sqlite.org/walformat.html#the_wal_index_file_format)).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::files;

/// The first copy of the header: among others the number of the last commit and of its last frame.
pub(super) type Header = [u8; 48];

/// The open wal-index.
pub(super) struct WalIndex(File);

impl WalIndex {
    /// Opens the wal-index of the database at `path`, which a connection has open.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        File::open(files::with_suffix(path, "-shm")).map(Self)
    }

    /// Reads the header. While it stays the same, nothing is committed. Half-written, it differs from
    /// the one before and the one after, because it contains their checksums.
    pub(super) fn header(&self) -> io::Result<Header> {
        let mut header = [0; 48];
        self.0.read_exact_at(&mut header, 0)?;
        Ok(header)
    }
}
