//! Paths and permissions of database files, and temporary files that get their name when complete.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::open_error::OpenError;

/// The prefix of the names of unfinished files.
const PREFIX: &str = ".bottle-copy-";

/// Returns the absolute path of the file, with symbolic links resolved.
///
/// SQLite keeps the log beside the file itself and not beside a symbolic link to it, and an
/// absolute path is never interpreted as a URI or as `:memory:`.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    if path.as_os_str().is_empty() {
        return Err(OpenError::Unnamed);
    }
    // A missing file cannot be canonicalized.
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// Returns the folder of the file at `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Syncs the folder of `path` to disk, so that new names survive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)).and_then(|folder| folder.sync_all())
}

/// Appends `suffix` to the file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The suffixes of SQLite's logs: the write-ahead log, and the rollback journal of a file that is
/// not in WAL mode.
pub(super) const LOG_SUFFIXES: [&str; 2] = ["-wal", "-journal"];

/// Returns the log of the database at `path` if it exists and is not empty.
pub(super) fn nonempty_log(path: &Path) -> Option<PathBuf> {
    let has_content = |log: &PathBuf| fs::metadata(log).is_ok_and(|log| log.len() > 0);
    LOG_SUFFIXES.iter().map(|suffix| with_suffix(path, suffix)).find(has_content)
}

/// Returns true if both paths lead to the same inode.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((inode(one), inode(other)), (Ok(one), Ok(other)) if one == other)
}

/// Removes all permissions of group and others from the database and its log, which contain the
/// keys.
pub(super) fn restrict_permissions(path: &Path) -> Result<(), OpenError> {
    for path in [path.to_owned(), with_suffix(path, "-wal"), with_suffix(path, "-shm")] {
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

/// Creates an empty temporary file in the folder of `to`, to be renamed when it is complete.
///
/// Only its owner may read it. If this program is killed before the rename, the next call in the
/// same folder deletes the file.
pub fn create_temporary(to: &Path) -> io::Result<NamedTempFile> {
    delete_abandoned(folder_of(to))?;
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder_of(to))?;
    file.as_file().lock()?;
    Ok(file)
}

/// Syncs a complete temporary file and gives it its name, which must be free.
pub fn place_new(file: NamedTempFile, to: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    let _locked = file.persist_noclobber(to)?;
    sync_folder(to)
}

/// Deletes the unfinished files of killed programs.
pub(super) fn delete_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // A file that a running program writes is locked.
        if is_unfinished && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
