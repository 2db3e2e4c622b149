//! Other programs at the file of a server, and file systems that do not keep them apart.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bottle_test_support::{Client, Program, bottle, file_names};
use rusqlite::Connection;
use serde_json::json;

use crate::sea::Sea;
use crate::shim::{Locks, Shim};

/// Repeats `work` while `during` runs, each time after so many more throws; how often.
fn repeatedly(sea: &Sea, throws: usize, work: impl Fn(u32) + Sync, during: impl FnOnce()) -> u32 {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut times = 0;
            while !ended.load(Ordering::SeqCst) {
                work(times);
                times += 1;
                let enough = sea.acknowledged() + throws;
                while sea.acknowledged() < enough && !ended.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
            }
            times
        });
        let ended = End(&ended);
        during();
        drop(ended);
        worker.join().unwrap()
    })
}

/// Ends the work also where a test fails.
pub(super) struct End<'a>(pub(super) &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// As a shell has it that waits for locks.
fn shell(sea: &Sea) -> Connection {
    let db = Connection::open(sea.path()).unwrap();
    db.busy_timeout(Duration::from_secs(60)).unwrap();
    db
}

/// This process checkpoints again and again while sixteen writers throw.
pub(crate) fn checkpoints(times: usize) -> String {
    let sea = Sea::new();
    let mut checkpoints = 0;
    for _ in 0..times {
        let program = sea.start();
        let other = |nth: u32| {
            let mode = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"][nth as usize % 4];
            // Some as a shell that is closed again, which ends with a checkpoint of its own.
            let pragma = format!("PRAGMA wal_checkpoint({mode})");
            shell(&sea).query_row(&pragma, [], |_| Ok(())).unwrap();
        };
        checkpoints += repeatedly(&sea, 0, other, || sea.throw_many(&program, 400));
        program.signal("KILL");
        drop(program);
        sea.check();
    }
    format!(
        "{checkpoints} checkpoints under {} throws, none refused, none lost",
        sea.acknowledged()
    )
}

/// Shells lock, read and rewrite the file while sixteen writers throw.
pub(crate) fn shells(times: usize) -> String {
    let sea = Sea::new();
    let mut done = 0;
    for _ in 0..times {
        let program = sea.start();
        let ada = sea.ada(&program);
        let reader = shell(&sea);
        reader.execute_batch("BEGIN; SELECT count(*) FROM bottles").unwrap();
        let other = |nth: u32| match nth % 3 {
            0 => shell(&sea).execute_batch("VACUUM").unwrap(),
            1 => {
                let db = shell(&sea);
                db.execute_batch("BEGIN IMMEDIATE; UPDATE bottles SET style = style").unwrap();
                assert_eq!(ada.get("/api/bottles/created?limit=5").status, 200);
                db.execute_batch(if nth.is_multiple_of(2) { "ROLLBACK" } else { "COMMIT" })
                    .unwrap();
            }
            _ => {
                let count = "SELECT count(*) FROM bottles, messages WHERE bottle_id = id";
                shell(&sea).query_row(count, [], |_| Ok(())).unwrap();
            }
        };
        done += repeatedly(&sea, 4, other, || sea.throw_many(&program, 200));
        reader.execute_batch("COMMIT").unwrap();
        shell(&sea).execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let listed = ada.get("/api/bottles/created?limit=10000").data();
        assert_eq!(listed["bottles"].as_array().unwrap().len(), sea.acknowledged());
        program.signal("KILL");
        drop(program);
        sea.check();
    }
    format!(
        "{done} locks, reads and VACUUMs under {} throws, none refused, none lost",
        sea.acknowledged()
    )
}

fn readiness(client: &Client) -> u16 {
    client.get("/readyz").status
}

/// The file, or its log, is replaced, deleted or moved away.
pub(crate) fn replaced(times: usize) -> String {
    for nth in 0..times * 3 {
        let sea = Sea::new();
        let mut program = sea.start();
        sea.throw_many(&program, 16);
        let ada = sea.ada(&program);
        let (name, with) =
            [("bottle.db", true), ("bottle.db", false), ("bottle.db-wal", false)][nth % 3];
        let (file, kept) = (sea.folder().join(name), sea.folder().join("kept"));
        fs::hard_link(&file, &kept).unwrap();
        if with {
            let other = Sea::new();
            fs::rename(other.path(), &file).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        assert_eq!(sea.throw(&program), 503);
        assert_eq!(sea.throw(&program), 503);
        assert_eq!(ada.get("/api/bottles/created?limit=20").data()["bottles"][0]["content"], "c");
        let ready = ada.get("/readyz");
        assert_eq!(
            (ready.status, &ready.json()["status"]),
            (503, &json!("the database was replaced or deleted"))
        );
        // Nothing is read from another file.
        assert_eq!(ada.get("/api/users/self/export").status, 503);
        fs::rename(&kept, &file).unwrap();
        assert_eq!(readiness(&ada), 200);
        assert_eq!(sea.throw(&program), 200);
        program.signal("TERM");
        let (status, _, log) = program.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        assert_eq!(log.matches("was replaced, moved or deleted").count(), 1, "{log}");
        sea.check();
    }
    "changes were rejected, reads were served, `/readyz` and the log reported it; with the file back, changes worked again"
        .into()
}

/// A program that may not write to a folder without the right to, even as root.
fn without_privilege(folder: &Path) -> Command {
    let plain = bottle(folder, &[]);
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
    } else {
        command.arg("--no-new-privs");
    }
    command.arg(plain.get_program()).current_dir(folder);
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Nothing can be created in the folder any more.
pub(crate) fn read_only_folder(times: usize) -> String {
    for _ in 0..times {
        let sea = Sea::new();
        let mut program = Program::start(without_privilege(sea.folder()));
        let allow =
            |mode| fs::set_permissions(sea.folder(), fs::Permissions::from_mode(mode)).unwrap();
        sea.throw_many(&program, 16);
        allow(0o500);
        sea.throw_many(&program, 64);
        let ada = sea.ada(&program);
        assert_eq!(ada.get("/api/bottles/created?limit=20").status, 200);
        assert_eq!(readiness(&ada), 200);
        program.signal("TERM");
        assert_eq!(program.status().code(), Some(0));
        let refused = Program::try_start(without_privilege(sea.folder())).err();
        match refused {
            // The log could not be deleted, and serves again.
            None => assert!(sea.folder().join("bottle.db-wal").exists()),
            Some(error) => assert!(error.contains("Check that its folder is writable"), "{error}"),
        }
        allow(0o700);
        drop(sea.start());
        sea.check();
    }
    "what is open was written to and read; a start said what is missing, or found its log".into()
}

/// A file system that locks nothing, or grants every lock.
pub(crate) fn no_locks(times: usize) -> String {
    let shim = Shim::new();
    for _ in 0..times {
        let sea = Sea::new();
        let state = || (fs::read(sea.path()).unwrap(), file_names(sea.folder()));
        let before = state();
        for locks in [Locks::GrantsAll, Locks::KnowsNone] {
            shim.set_locks(locks);
            let mut command = sea.command();
            shim.under(&mut command);
            let error = Program::try_start(command).err().unwrap();
            assert!(error.contains("without working locks"), "{error}");
            assert!(state() == before, "{:?}", file_names(sea.folder()));
        }
        drop(sea.start());
        sea.check();
    }
    "refused with the reason, and left as it was".into()
}
