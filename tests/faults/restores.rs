//! Commands on a database file that are disturbed: a restore is killed, a server overtakes a check or a backup.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::thread;

use bottle_test_support::{Program, bottle, run_ok};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::sea::Sea;
use crate::shim::Shim;

/// A database whose server was killed, so that what was acknowledged last is in its log alone, and a
/// backup, `copy.db`, from before that.
pub(crate) struct Killed {
    sea: Sea,
    in_backup: Vec<i64>,
}

impl Killed {
    pub(crate) fn new() -> Self {
        let sea = Sea::new();
        let program = sea.start();
        sea.throw_many(&program, 16);
        let in_backup = sea.ids();
        run_ok(sea.folder(), &["backup", "copy.db"]);
        program.signal("TERM");
        drop(program);
        let program = sea.start();
        sea.throw_many(&program, 50);
        program.signal("KILL");
        drop(program);
        Self { sea, in_backup }
    }

    /// The bottles that the next start serves, or its reason to refuse.
    fn served(&self, folder: &Path) -> Result<Vec<i64>, String> {
        let program = Program::try_start(bottle(folder, &[]))?;
        let created = self.sea.ada(&program).get("/api/bottles/created").data();
        // In an empty sea nobody knows ada.
        let bottles = created["bottles"].as_array().into_iter().flatten();
        Ok(bottles.map(|bottle| bottle["bottle_id"].as_i64().unwrap()).collect())
    }

    /// Returns a copy of the folder in this state.
    pub(crate) fn prepare(&self, before: Before) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        copy_all(self.sea.folder(), folder.path());
        let path = folder.path().join("bottle.db");
        match before {
            Before::Sound => {}
            Before::Damaged => fs::write(path, [0xA5; 8192]).unwrap(),
            Before::Gone => fs::remove_file(path).unwrap(),
        }
        folder
    }

    /// Looks at what is there after a restore, which ended or `was_stopped`, and after another one.
    pub(crate) fn check(&self, folder: &Path, before: Before, was_stopped: bool, when: &str) {
        let next = tempfile::tempdir().unwrap();
        copy_all(folder, next.path());
        match self.served(next.path()) {
            Ok(served) if served == self.in_backup => {}
            Ok(served) => {
                assert!(was_stopped && before == Before::Sound, "{when}: {} served", served.len());
                assert_eq!(served, self.sea.ids(), "{when}");
            }
            Err(error) => {
                assert!(was_stopped && before != Before::Sound, "{when}: {error}");
                assert!(error.contains("bottle.db"), "{when}: {error}");
            }
        }

        run_ok(folder, &["restore", "copy.db"]);
        assert_eq!(self.served(folder).unwrap(), self.in_backup, "{when}: restored again");
        let log = fs::read(self.sea.folder().join("bottle.db-wal")).unwrap();
        let name = |n| folder.join(format!("bottle.db.before-restore-{n}"));
        let is_kept = (1..=2).map(name).any(|kept| {
            let kept_log = fs::read(kept.with_extension(format!("{}-wal", extension(&kept))));
            match before {
                Before::Sound => holds(&kept, &self.sea.ids()),
                Before::Damaged => {
                    fs::read(&kept).is_ok_and(|kept| kept == [0xA5; 8192])
                        && kept_log.is_ok_and(|kept| kept == log)
                }
                Before::Gone => kept_log.is_ok_and(|kept| kept == log),
            }
        });
        assert!(is_kept, "{when}: what was there before the restore is gone");
    }
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The state before the restore.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Before {
    /// A database and its log.
    Sound,
    /// A log that cannot be folded into what there is of its database.
    Damaged,
    /// A log alone, as a restore leaves it that was killed.
    Gone,
}

/// Kills a restore before each of the calls that change a file, one after the other, and looks at what is
/// there then, and after another restore.
pub(crate) fn killed(_times: usize) -> String {
    let (old, shim) = (Killed::new(), Shim::new());
    let mut kill_counts = Vec::new();
    for before in [Before::Sound, Before::Damaged, Before::Gone] {
        for links in [true, false] {
            shim.refuse_links(!links);
            let kills = (0..).take_while(|nth| kill_restore(&old, &shim, before, *nth)).count();
            kill_counts.push(kills.to_string());
        }
    }
    format!(
        "at each of {} changes of a sound file, {} of a damaged one, {} beside a log alone: done, not done, \
         or refused until a second restore ended it; nothing acknowledged was lost",
        kill_counts[..2].join(" and "),
        kill_counts[2..4].join(" and "),
        kill_counts[4..].join(" and "),
    )
}

/// Kills a restore before its `nth` change; false if it ended before.
fn kill_restore(old: &Killed, shim: &Shim, before: Before, nth: i64) -> bool {
    let folder = old.prepare(before);
    let mut restore = bottle(folder.path(), &["restore", "copy.db"]);
    shim.under(&mut restore);
    shim.kill_at(nth);
    let output = restore.output().unwrap();
    shim.kill_at(-1);
    let was_killed = output.status.signal() == Some(9);
    assert!(was_killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    old.check(folder.path(), before, was_killed, &format!("killed at {nth}"));
    was_killed
}

fn extension(path: &Path) -> &str {
    path.extension().unwrap().to_str().unwrap()
}

/// Returns true if the file at `path` holds these bottles.
fn holds(path: &Path, bottles: &[i64]) -> bool {
    let Ok(db) = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
    else {
        return false;
    };
    let Ok(mut ids) = db.prepare("SELECT id FROM bottles ORDER BY id") else { return false };
    let ids: Vec<i64> = ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    ids == bottles
}

/// Returns true if the program has this file open.
fn has_open(program: &Child, path: &Path) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{}/fd", program.id())) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|file| file == path))
}

/// A server starts while `bottle check` or `bottle backup` reads a file that was at rest, and writes to it.
pub(crate) fn server_starts_under_commands(times: usize) -> String {
    let sea = Sea::new();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
        SELECT 1, '', i % 90, i % 180, 0, 0 FROM n;
        INSERT INTO messages SELECT id, printf('%.2000c', 'x') FROM bottles
        WHERE id NOT IN (SELECT bottle_id FROM messages);";
    let folded = |sql: &str| Connection::open(sea.path()).unwrap().execute_batch(sql).unwrap();
    folded(fill);
    let mut overtaken = 0;
    for nth in 0..2 * times {
        let args: &[&str] = if nth % 2 == 0 { &["check"] } else { &["backup", "copy.db"] };
        let mut command = bottle(sea.folder(), args).spawn().unwrap();
        while !has_open(&command, &sea.path()) {
            assert!(command.try_wait().unwrap().is_none(), "{args:?} ended at once");
            thread::yield_now();
        }
        let mut program = sea.start();
        let mut thrown = 0;
        while command.try_wait().unwrap().is_none() {
            assert_eq!(sea.throw(&program), 200);
            folded("PRAGMA wal_checkpoint(TRUNCATE)");
            thrown += 1;
        }
        overtaken += usize::from(thrown > 0);
        let output = command.wait_with_output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stdout}{error}");
        program.signal("TERM");
        program.status();
    }
    sea.check();
    assert!(overtaken > 0, "the file is too small");
    format!(
        "a server had written in {overtaken} of them before they ended; none called a sound file damaged"
    )
}
