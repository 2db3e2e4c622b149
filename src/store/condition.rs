//! The known faults of the files that the server has open.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::files::with_suffix;
use super::open_error::OpenError;
use crate::model::error::{Error, Result};

/// A reason why the files need the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// A name of the database or its log leads to another file, or to none. Changes are rejected,
    /// because the next start would not find them.
    Replaced,
    /// A read, a change, a backup or a check has met damage. What is not damaged is served.
    Damaged,
}

/// The condition of the files. Logs each fault once.
pub(super) struct Condition {
    path: PathBuf,
    /// The names of the database and its other files, with their devices and inodes.
    held: Vec<(PathBuf, (u64, u64))>,
    is_replaced: AtomicBool,
    is_damaged: AtomicBool,
}

impl Condition {
    /// Creates the condition of the files named `path` with each suffix, which a connection has
    /// open.
    pub(super) fn of(path: &Path, suffixes: &[&str]) -> io::Result<Self> {
        let held = suffixes.iter().map(|suffix| with_suffix(path, suffix));
        let held = held.map(|path| Ok((path.clone(), inode(&path)?))).collect::<io::Result<_>>()?;
        let path = path.to_owned();
        Ok(Self { path, held, is_replaced: false.into(), is_damaged: false.into() })
    }

    /// Returns [`OpenError::Replaced`] if a name does not lead to the open file any more.
    pub(super) fn check_names(&self) -> Result<(), OpenError> {
        let is_elsewhere =
            |(path, held): &&(PathBuf, _)| inode(path).map_or(true, |inode| inode != *held);
        let Some((path, _)) = self.held.iter().find(is_elsewhere) else {
            self.is_replaced.store(false, Ordering::Relaxed);
            return Ok(());
        };
        let error = OpenError::Replaced(path.clone());
        if !self.is_replaced.swap(true, Ordering::Relaxed) {
            tracing::error!("{error}");
        }
        Err(error)
    }

    /// Returns `result`, and remembers that the file is damaged if it says so.
    pub(super) fn note<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(Error::Damaged(why)) = &result {
            self.note_damage(why);
        }
        result
    }

    /// Remembers that the file is damaged.
    pub(super) fn note_damage(&self, why: &str) {
        if !self.is_damaged.swap(true, Ordering::Relaxed) {
            let path = self.path.display();
            tracing::error!(
                "{path} is damaged: {why}. Run `bottle check --db {path}`, which prints the repair. Until a \
                 check finds nothing wrong, further damage is not logged."
            );
        }
    }

    /// Remembers that a check has found nothing wrong.
    pub(super) fn note_sound(&self) {
        self.is_damaged.store(false, Ordering::Relaxed);
    }

    /// Returns what is wrong now.
    pub(super) fn fault(&self) -> Option<FileFault> {
        match self.check_names() {
            Err(_) => Some(FileFault::Replaced),
            Ok(()) => self.is_damaged.load(Ordering::Relaxed).then_some(FileFault::Damaged),
        }
    }
}

/// Returns the device and the inode of the file at `path`.
fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}
