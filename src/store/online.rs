//! Backups and checks of the database that this process serves.
//!
//! They never open the file themselves: closing it again would end the locks that SQLite holds on
//! it, which belong to the process. SQLite knows that and opens it for them.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::backup::{Contents, CopyError, Stop, copy_checked, place};
use super::check::{self, Finding, Remedy};
use super::connect::{self, Mode};
use super::disk::{self, MIN_FREE_BYTES};
use super::open::{self, OpenError};
use super::{Store, backup_folder, files, wal};

/// A folder for the backups that the server makes.
#[derive(Clone, Debug)]
pub struct BackupFolder {
    /// The absolute path.
    pub path: PathBuf,
    /// True if the server creates it: a folder that somebody has named may be on a disk that is not
    /// mounted now.
    pub is_created: bool,
}

impl Store {
    /// Copies one snapshot to a new file `name` in `folder`, and checks the copy before it gets its
    /// name. `progress` receives the pages copied and the pages in all. Returns the size of the copy
    /// in bytes.
    ///
    /// A request to `stop` ends it within milliseconds, and leaves no file.
    pub fn back_up(
        &self,
        folder: &BackupFolder,
        name: &str,
        mut progress: impl FnMut(u64, u64),
        stop: &Stop,
    ) -> Result<u64, CopyError> {
        let to = folder.path.join(name);
        let io = |source| CopyError::Io { path: to.clone(), source };
        if folder.is_created && !folder.path.exists() {
            fs::DirBuilder::new().mode(0o700).create(&folder.path).map_err(io)?;
            files::sync_folder(&folder.path).map_err(io)?;
        }
        self.check_room(&folder.path)?;
        let copied = self
            .open_snapshot()
            .map_err(CopyError::from)
            .and_then(|db| copy_checked(&db, &to, &mut progress, stop));
        match &copied {
            Ok(_) => self.condition.note_sound(),
            Err(CopyError::Unsound { findings, .. }) => self.note_findings(findings),
            Err(CopyError::Open(OpenError::Damaged { detail, .. })) => {
                self.condition.note_damage(detail);
            }
            Err(_) => {}
        }
        let (copy, _): (_, Contents) = copied?;
        let bytes = copy.as_file().metadata().map_err(io)?.len();
        place(copy, &to)?;
        Ok(bytes)
    }

    /// Returns [`CopyError::NoRoom`] if a copy would not fit into `folder`, or would leave the
    /// server too little on the disk of its database.
    fn check_room(&self, folder: &Path) -> Result<(), CopyError> {
        let io = |source| CopyError::Io { path: folder.to_owned(), source };
        let (database, log) = self.sizes().map_err(io)?;
        let device = |path: &Path| fs::metadata(path).map(|file| file.dev());
        let is_same = device(folder).map_err(io)? == device(&self.path).map_err(io)?;
        let reserve = if is_same { MIN_FREE_BYTES } else { 0 };
        let needed = u64::try_from(database.saturating_add(log)).unwrap_or_default() + reserve;
        let free = disk::room(folder).map_err(io)?;
        let no_room = || CopyError::NoRoom { folder: folder.to_owned(), free, needed };
        if free < needed { Err(no_room()) } else { Ok(()) }
    }

    /// Returns all problems of the database, as [`check::check`] does, or `None` if `stop` was
    /// requested meanwhile.
    pub fn check(&self, stop: &Stop) -> Result<Option<Vec<Finding>>, OpenError> {
        let found = check::or_finding(self.open_snapshot().and_then(|db| {
            stop.watch(&db).map_err(|e| open::refusal(&self.path, e))?;
            check::problems(&self.path, &db)
        }));
        if stop.is_requested() {
            return Ok(None);
        }
        let found = found?;
        self.note_findings(&found);
        Ok(Some(found))
    }

    /// Remembers whether a check has found damage that no rebuild repairs.
    fn note_findings(&self, findings: &[Finding]) {
        match findings.iter().find(|finding| finding.remedy == Remedy::Restore) {
            Some(finding) => self.condition.note_damage(&finding.description),
            None if findings.is_empty() => self.condition.note_sound(),
            None => {}
        }
    }

    /// Opens a connection for one long read, and its snapshot.
    fn open_snapshot(&self) -> Result<Connection, OpenError> {
        let sqlite = |e| open::refusal(&self.path, e);
        self.condition.check_names()?;
        wal::check(&self.path)?;
        let db = connect::open(&self.path, Mode::Shared).map_err(sqlite)?;
        db.execute_batch("BEGIN").map_err(sqlite)?;
        Ok(db)
    }

    /// Returns the backups of this database in `folder`, the newest first; none if there is no such
    /// folder.
    pub fn backups(&self, folder: &Path) -> std::io::Result<Vec<backup_folder::BackupFile>> {
        match folder.try_exists() {
            Ok(true) => backup_folder::list(folder, &self.path, &self.identity),
            Ok(false) => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    /// Opens a backup of this database for reading, and returns its size in bytes. Returns `None`
    /// unless [`Store::backups`] has this name.
    pub fn open_backup(
        &self,
        folder: &Path,
        name: &str,
    ) -> std::io::Result<Option<(fs::File, u64)>> {
        match self.backups(folder)?.iter().any(|backup| backup.name == name) {
            true => backup_folder::open(&folder.join(name)),
            false => Ok(None),
        }
    }

    /// Deletes the unfinished backups of a killed server.
    pub fn delete_unfinished(folder: &Path) -> std::io::Result<()> {
        if folder.try_exists()? { files::delete_abandoned(folder) } else { Ok(()) }
    }
}
