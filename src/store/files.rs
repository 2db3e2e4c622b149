//! The files of a database: their paths, their permissions, and how a new one gets its name.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::open_error::OpenError;

/// The names of unfinished files begin with this.
const PREFIX: &str = ".bottle-copy-";

/// The absolute path of the file that `path` leads to. SQLite keeps the log beside that file, not beside a
/// symbolic link to it, and an absolute path is never taken for a URI or for `:memory:`.
pub(super) fn located(path: &Path) -> Result<PathBuf, OpenError> {
    if path.as_os_str().is_empty() {
        return Err(OpenError::Unnamed);
    }
    // A file that is not there yet has only its name.
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// The folder that the file at `path` is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in the folder of `path` survive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)).and_then(|folder| folder.sync_all())
}

/// The file beside the database whose name ends in `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The ends of the names of SQLite's logs: the write-ahead log, and the journal of a file that is not in
/// WAL mode.
pub(super) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// The log beside the database at `path` that may hold changes or undo some, if there is one.
pub(super) fn log_of(path: &Path) -> Option<PathBuf> {
    let has_content = |log: &PathBuf| fs::metadata(log).is_ok_and(|log| log.len() > 0);
    LOGS.iter().map(|suffix| beside(path, suffix)).find(has_content)
}

/// Whether both paths lead to one file.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((inode(one), inode(other)), (Ok(one), Ok(other)) if one == other)
}

/// Removes all permissions of group and others from the database and its log, which hold the keys. A file
/// that was copied by hand may have them.
pub(super) fn keep_private(path: &Path) -> Result<(), OpenError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let mode = match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => meta.permissions().mode(),
            _ => continue,
        };
        if mode & 0o077 != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o700))
                .map_err(|source| OpenError::Io { path, source })?;
        }
    }
    Ok(())
}

/// Creates an empty file in the folder of `to`, to be given that name when it is whole. Only its owner may
/// read it. The next call in this folder deletes it if this program is killed before.
pub fn unfinished(to: &Path) -> io::Result<NamedTempFile> {
    clear(folder_of(to))?;
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder_of(to))?;
    file.as_file().lock()?;
    Ok(file)
}

/// Deletes the unfinished files of killed programs.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // One that is being written is locked.
        if is_unfinished && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
