//! Control of `recorder.c`, and the journal that it writes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::disk::Disk;
use crate::shim;

/// The variable that names the journal to a recorded program.
pub(crate) const JOURNAL: &str = "BOTTLE_JOURNAL";

/// The variable that names the folder.
pub(crate) const FOLDER: &str = "BOTTLE_JOURNAL_FOLDER";

/// Records what programs change in one folder.
pub(crate) struct Recorder {
    journal: PathBuf,
    folder: PathBuf,
    start: Disk,
    own: Option<TempDir>,
}

impl Recorder {
    /// Prepares to record changes in `folder`, all of which is on disk now.
    pub(crate) fn new(folder: &Path) -> Self {
        let own = tempfile::tempdir().unwrap();
        shim::compile("power/recorder.c", &own.path().join("recorder.so"));
        let (journal, folder) = (own.path().join("journal"), folder.canonicalize().unwrap());
        fs::write(&journal, "").unwrap();
        Self { journal, start: Disk::of(&folder), folder, own: Some(own) }
    }

    /// Returns the recorder that this process runs under, of a folder that does not exist yet.
    pub(crate) fn of_this_process() -> Self {
        let [journal, folder] = [JOURNAL, FOLDER].map(|name| env::var_os(name).unwrap().into());
        Self { journal, start: Disk::default(), folder, own: None }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts it under the program that `command` starts, and under those which that one starts.
    pub(crate) fn under(&self, mut command: Command) -> Command {
        if let Some(own) = &self.own {
            command.env("LD_PRELOAD", own.path().join("recorder.so"));
        }
        command.env(JOURNAL, &self.journal).env(FOLDER, &self.folder);
        command
    }

    /// Returns the length of the journal: what a client learns now was done by the changes before it.
    pub(crate) fn position(&self) -> u64 {
        fs::metadata(&self.journal).unwrap().len()
    }

    /// Makes the disk full, or gives it room again.
    pub(crate) fn fill_disk(&self, is_full: bool) {
        let file = self.journal.with_extension("full");
        if is_full { fs::write(file, "") } else { fs::remove_file(file) }.unwrap();
    }

    /// Hands the result of the recorded process to the one that started it.
    pub(crate) fn report(&self, result: &str) {
        fs::write(self.journal.with_extension("result"), result).unwrap();
    }

    pub(crate) fn reported(&self) -> String {
        fs::read_to_string(self.journal.with_extension("result")).unwrap()
    }

    /// Returns the changes so far.
    pub(crate) fn journal(&self) -> Journal {
        let bytes = fs::read(&self.journal).unwrap();
        let (mut records, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let change = Change::read(&mut rest);
            records.push(Record { end: (bytes.len() - rest.len()) as u64, change });
        }
        Journal { start: self.start.clone(), records }
    }
}

/// All changes of some programs, in the order of their calls.
pub(crate) struct Journal {
    start: Disk,
    pub(crate) records: Vec<Record>,
}

/// A change, and where it ends in the journal.
pub(crate) struct Record {
    pub(crate) end: u64,
    change: Change,
}

impl Record {
    /// Returns the kind of the change, for the table.
    pub(crate) fn kind(&self) -> &'static str {
        match self.change {
            Change::Create { .. } => "creation",
            Change::Write { .. } => "write",
            Change::Truncate { .. } => "truncation",
            Change::Sync { .. } => "sync",
            Change::Rename { .. } => "rename",
            Change::Unlink { .. } => "deletion",
            Change::Link { .. } => "link",
            Change::MakeFolder { .. } => "new folder",
            Change::SyncFolder { .. } => "sync of a folder",
        }
    }
}

impl Journal {
    /// Returns the disk after the first `count` changes.
    pub(crate) fn disk_after(&self, count: usize) -> Disk {
        let mut disk = self.start.clone();
        for record in &self.records[..count] {
            disk.apply(&record.change);
        }
        disk
    }

    /// Returns the number of checkpoints into the file, which was there at the start: each syncs it.
    pub(crate) fn checkpoints(&self) -> usize {
        let file = self.start.inode(Path::new("bottle.db"));
        let syncs_it = |record: &&Record| match record.change {
            Change::Sync { inode } => Some(inode) == file,
            _ => false,
        };
        self.records.iter().filter(syncs_it).count()
    }

    /// Returns the same journal of a disk that ignores syncs of files whose names end with `suffix`.
    pub(crate) fn ignoring_syncs_of(mut self, suffix: &'static str) -> Self {
        self.start.ignored_syncs = Some(suffix);
        self
    }
}

/// A change of a file, named by its inode, or of a name in the folder.
pub(super) enum Change {
    Create { path: PathBuf, inode: u64 },
    Write { inode: u64, at: usize, data: Vec<u8> },
    Truncate { inode: u64, length: usize },
    Sync { inode: u64 },
    Rename { path: PathBuf, to: PathBuf },
    Unlink { path: PathBuf },
    Link { path: PathBuf, to: PathBuf },
    MakeFolder { path: PathBuf },
    SyncFolder { path: PathBuf },
}

impl Change {
    /// Reads a record: its `struct header`, its paths and its data.
    fn read(rest: &mut &[u8]) -> Self {
        let mut number = || {
            let (bytes, after) = rest.split_first_chunk().unwrap();
            *rest = after;
            u64::from_ne_bytes(*bytes)
        };
        let [kind, inode, at, path, to, data] = std::array::from_fn(|_| number());
        let mut part = |length: u64| rest.split_off(..length as usize).unwrap().to_vec();
        let [path, to, data] = [path, to, data].map(&mut part);
        let [path, to] = [path, to].map(|path| PathBuf::from(String::from_utf8(path).unwrap()));
        let at = at as usize;
        match kind {
            1 => Self::Create { path, inode },
            2 => Self::Write { inode, at, data },
            3 => Self::Truncate { inode, length: at },
            4 => Self::Sync { inode },
            5 => Self::Rename { path, to },
            6 => Self::Unlink { path },
            7 => Self::Link { path, to },
            8 => Self::MakeFolder { path },
            9 => Self::SyncFolder { path },
            _ => panic!("the journal is damaged"),
        }
    }
}
