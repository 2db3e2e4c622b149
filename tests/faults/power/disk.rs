//! A disk on which the power goes: what was synced stays, and any part of the rest.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bottle_test_support::Random;

use super::recorder::Change;

/// The bytes that a disk writes all or none of.
const SECTOR: usize = 512;

/// The files of one folder, and what of them is on disk.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    files: Vec<Contents>,
    /// The file that has an inode now. The number of a deleted file is given to a new one.
    inodes: HashMap<u64, usize>,
    /// The names that programs see.
    names: Names,
    /// The names that are on disk.
    synced: Names,
    unsynced: Vec<NameChange>,
    /// Syncs of files whose names end with this do nothing.
    pub(super) ignored_syncs: Option<&'static str>,
}

type Names = BTreeMap<PathBuf, Node>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder,
}

#[derive(Clone)]
struct NameChange {
    removed: Option<PathBuf>,
    added: Option<(PathBuf, Node)>,
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        if let Some((path, node)) = &self.added {
            names.insert(path.clone(), *node);
        }
        if let Some(path) = &self.removed {
            names.remove(path);
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let added = self.added.as_ref().map(|(path, _)| path);
        self.removed.iter().chain(added).any(|path| path.parent() == Some(folder))
    }
}

#[derive(Clone, Default)]
struct Contents {
    /// The name with which it was created.
    name: PathBuf,
    synced: Vec<u8>,
    unsynced: Vec<Edit>,
}

#[derive(Clone)]
enum Edit {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// The part of what was not synced that survives.
struct Luck<'a> {
    random: &'a mut Random,
    share: f64,
    /// The byte in the part of a file that was added to it without its contents.
    filler: u8,
}

impl<'a> Luck<'a> {
    fn new(random: &'a mut Random) -> Self {
        let share = [0.0, 0.1, 0.5, 0.9, 1.0][random.between(0.0, 5.0) as usize];
        let filler = [0, 0xA5][random.between(0.0, 2.0) as usize];
        Self { random, share, filler }
    }

    fn survives(&mut self) -> bool {
        self.random.between(0.0, 1.0) < self.share
    }
}

impl Contents {
    /// Returns what survives, sector by sector. The size may be that before or after any write.
    fn survivors(&self, luck: &mut Luck<'_>) -> Vec<u8> {
        let (mut bytes, mut size) = (self.synced.clone(), self.synced.len());
        for edit in &self.unsynced {
            match edit {
                Edit::Write(at, data) => {
                    let end = at + data.len();
                    let mut from = *at;
                    while from < end {
                        let to = end.min((from / SECTOR + 1) * SECTOR);
                        if luck.survives() {
                            bytes.resize(bytes.len().max(to), luck.filler);
                            bytes[from..to].copy_from_slice(&data[from - at..to - at]);
                        }
                        from = to;
                    }
                    if luck.survives() {
                        size = size.max(end);
                    }
                }
                Edit::Truncate(length) if luck.survives() => {
                    bytes.truncate(*length);
                    size = *length;
                }
                Edit::Truncate(_) => {}
            }
        }
        bytes.resize(size, luck.filler);
        bytes
    }

    fn sync(&mut self) {
        for edit in std::mem::take(&mut self.unsynced) {
            match edit {
                Edit::Write(at, data) => {
                    let end = at + data.len();
                    self.synced.resize(self.synced.len().max(end), 0);
                    self.synced[at..end].copy_from_slice(&data);
                }
                Edit::Truncate(length) => self.synced.resize(length, 0),
            }
        }
    }
}

impl Disk {
    /// Returns the disk with all that is in `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (name, metadata) = (PathBuf::from(entry.file_name()), entry.metadata().unwrap());
            assert!(metadata.is_file(), "{name:?} is not a file");
            let synced = fs::read(entry.path()).unwrap();
            let file =
                disk.add(metadata.ino(), Contents { name: name.clone(), synced, unsynced: vec![] });
            disk.names.insert(name, file);
        }
        disk.synced = disk.names.clone();
        disk
    }

    /// Returns the inode of the file with this name.
    pub(super) fn inode(&self, name: &Path) -> Option<u64> {
        let has_name =
            |(_, file): &(&u64, &usize)| self.names.get(name) == Some(&Node::File(**file));
        self.inodes.iter().find(has_name).map(|(inode, _)| *inode)
    }

    fn add(&mut self, inode: u64, contents: Contents) -> Node {
        self.files.push(contents);
        self.inodes.insert(inode, self.files.len() - 1);
        Node::File(self.files.len() - 1)
    }

    fn file(&mut self, inode: u64) -> &mut Contents {
        &mut self.files[self.inodes[&inode]]
    }

    /// Does a change as a program sees it.
    pub(super) fn apply(&mut self, change: &Change) {
        let node = |names: &Names, path: &Path| names.get(path).copied();
        match change {
            Change::Write { inode, at, data } => {
                self.file(*inode).unsynced.push(Edit::Write(*at, data.clone()));
            }
            Change::Truncate { inode, length } => {
                self.file(*inode).unsynced.push(Edit::Truncate(*length));
            }
            Change::Sync { inode } => {
                let ignored = self.ignored_syncs;
                let file = self.file(*inode);
                if !ignored.is_some_and(|suffix| file.name.to_string_lossy().ends_with(suffix)) {
                    file.sync();
                }
            }
            Change::Create { path, inode } => {
                let contents = Contents { name: path.clone(), ..Contents::default() };
                let file = self.add(*inode, contents);
                self.rename(None, Some((path, Some(file))));
            }
            Change::MakeFolder { path } => self.rename(None, Some((path, Some(Node::Folder)))),
            Change::Link { path, to } => {
                self.rename(None, Some((to, node(&self.names, path))));
            }
            Change::Rename { path, to } => {
                self.rename(Some(path), Some((to, node(&self.names, path))));
            }
            Change::Unlink { path } => self.rename(Some(path), None),
            Change::SyncFolder { path } => self.sync_folder(path),
        }
    }

    fn rename(&mut self, removed: Option<&PathBuf>, added: Option<(&PathBuf, Option<Node>)>) {
        let added = added.map(|(path, node)| (path.clone(), node.unwrap()));
        let change = NameChange { removed: removed.cloned(), added };
        change.apply(&mut self.names);
        self.unsynced.push(change);
    }

    fn sync_folder(&mut self, folder: &Path) {
        for change in self.unsynced.extract_if(.., |change| change.is_in(folder)) {
            change.apply(&mut self.synced);
        }
    }

    /// Writes what is left after the power is gone into `folder`.
    pub(crate) fn write_survivors(&self, random: &mut Random, folder: &Path) {
        let mut luck = Luck::new(random);
        let mut names = self.synced.clone();
        for change in &self.unsynced {
            if luck.survives() {
                change.apply(&mut names);
            }
        }
        let folders = names.iter().filter(|(_, node)| **node == Node::Folder);
        for (path, _) in folders {
            fs::create_dir(folder.join(path)).unwrap();
        }
        let mut written: HashMap<usize, PathBuf> = HashMap::new();
        for (name, node) in &names {
            let (path, Node::File(file)) = (folder.join(name), *node) else { continue };
            if !path.parent().unwrap().exists() {
                continue;
            }
            match written.get(&file) {
                Some(other) => fs::hard_link(other, &path).unwrap(),
                None => write(&path, &self.left_of(file, &mut luck)),
            }
            written.insert(file, path);
        }
    }

    fn left_of(&self, file: usize, luck: &mut Luck<'_>) -> Vec<u8> {
        let contents = &self.files[file];
        if contents.name.to_string_lossy().ends_with("-shm") {
            // SQLite maps it, and rebuilds it in any case.
            return vec![luck.filler; 32_768];
        }
        contents.survivors(luck)
    }
}

fn write(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
