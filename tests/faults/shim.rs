//! Control of `shim.c`, a library between the program and the C library.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Compiles a library that can stand between a program and the C library.
pub(crate) fn compile(source: &str, library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(source);
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([library, &source])
        .output()
        .unwrap_or_else(|e| {
            panic!("a C compiler is missing ({e}): apt-get install build-essential")
        });
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

pub(crate) struct Shim {
    folder: TempDir,
    control: File,
}

/// The behaviour of a file system with locks on whole files.
#[derive(Clone, Copy)]
pub(crate) enum Locks {
    GrantsAll = 1,
    KnowsNone = 2,
}

impl Shim {
    /// Compiles it. It does nothing yet.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        compile("shim.c", &folder.path().join("shim.so"));
        let control = folder.path().join("control");
        fs::write(&control, [0; 80]).unwrap();
        let control = File::options().read(true).write(true).open(control).unwrap();
        let shim = Self { folder, control };
        shim.set(1, -1);
        shim.set(4, -1);
        shim.set(7, -1);
        shim
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts it under the program that `command` starts.
    pub(crate) fn under(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.path("shim.so")).env("BOTTLE_SHIM", self.path("control"));
    }

    /// Puts it between SQLite and its allocator as well.
    pub(crate) fn under_with_memory(&self, command: &mut Command) {
        self.under(command);
        command.env("BOTTLE_SHIM_MEMORY", "1");
    }

    fn set(&self, nth: u64, value: i64) {
        self.control.write_all_at(&value.to_ne_bytes(), nth * 8).unwrap();
    }

    fn get(&self, nth: u64) -> i64 {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, nth * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// Sets the program's clock off by so many seconds.
    pub(crate) fn turn_clock(&self, seconds: i64) {
        self.set(0, seconds);
    }

    /// Lets `before` more calls on the database succeed, and `failing` after them fail.
    pub(crate) fn fail(&self, before: i64, failing: i64) {
        self.set(2, failing);
        self.set(1, before);
    }

    /// Lets all calls succeed again; how many have failed in all.
    pub(crate) fn mend(&self) -> i64 {
        self.set(1, -1);
        self.get(3)
    }

    /// Kills the program before the `nth` call that changes a file or a folder, counted from 0.
    pub(crate) fn kill_at(&self, nth: i64) {
        self.set(4, nth);
    }

    /// Returns the calls that are left until [`Shim::kill_at`] kills the program; below 0 if it did.
    pub(crate) fn changes_left(&self) -> i64 {
        self.get(4)
    }

    /// Lets `before` more of SQLite's allocations succeed, and `failing` after them fail.
    pub(crate) fn fail_allocations(&self, before: i64, failing: i64) {
        self.set(8, failing);
        self.set(7, before);
    }

    /// Lets all allocations succeed again; how many have failed in all.
    pub(crate) fn mend_memory(&self) -> i64 {
        self.set(7, -1);
        self.get(9)
    }

    /// Says what the program's file system does with locks on whole files.
    pub(crate) fn set_locks(&self, locks: Locks) {
        self.set(6, locks as i64);
    }

    /// True if the program sees a disk without hard links.
    pub(crate) fn refuse_links(&self, refuse: bool) {
        self.set(5, refuse.into());
    }
}
