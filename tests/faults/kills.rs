//! kill -9, at any moment.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use bottle::store::migrate;
use bottle_test_support::{Program, bottle};
use rusqlite::Connection;
use serde_json::json;

use crate::sea::{self, Sea};

/// The number of kills after which a new file is begun: each check reads all of a file.
const KILLS_OF_A_FILE: usize = 50;

pub(crate) fn under_writers(times: usize) -> String {
    let mut acknowledged = 0;
    for first in (0..times).step_by(KILLS_OF_A_FILE) {
        let sea = Sea::new();
        for _ in first..times.min(first + KILLS_OF_A_FILE) {
            let program = sea.start();
            sea.throw_until(&program, 100, || program.signal("KILL"));
            drop(program);
            sea.check();
        }
        acknowledged += sea.acknowledged();
    }
    format!("{acknowledged} throws acknowledged, none lost")
}

/// Starts `command` and kills it a little later each time, at any moment of what takes `span`, and
/// soon after.
fn kill_after(mut command: Command, nth: usize, span: Duration) {
    let mut child = command.spawn().unwrap();
    let span = span.as_micros() as u64 * 5 / 4;
    thread::sleep(Duration::from_micros(nth as u64 * 1117 % span.max(1)));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn time_of(what: impl FnOnce()) -> Duration {
    let began = Instant::now();
    what();
    began.elapsed()
}

pub(crate) fn at_first_start(times: usize) -> String {
    let mut left_something = 0;
    let folder = tempfile::tempdir().unwrap();
    let span = time_of(|| drop(Program::start(bottle(folder.path(), &[]))));
    for nth in 0..times {
        let folder = tempfile::tempdir().unwrap();
        kill_after(bottle(folder.path(), &[]), nth, span);
        left_something += usize::from(fs::read_dir(folder.path()).unwrap().next().is_some());
        let program = Program::start(bottle(folder.path(), &[]));
        sea::join(&program, "ada");
        drop(program);
        sea::check(&folder.path().join("bottle.db"), &[]);
    }
    format!("{left_something} had begun a file; every next start was sound")
}

/// A file of the first release, large enough for its migration to take a while.
fn old_file() -> (tempfile::TempDir, Vec<i64>) {
    let folder = tempfile::tempdir().unwrap();
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    db.pragma_update(None, "application_id", migrate::APPLICATION_ID).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.execute_batch(include_str!("../../src/store/migrations/0001_bottles.sql")).unwrap();
    db.execute_batch(
        "INSERT INTO users (username, password_hash, nickname, gender, created_at)
             VALUES ('bob', '', 'bob', 'unknown', 0);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO bottles (owner_id, content, formatted_address, latitude, longitude, style, created_at)
             SELECT 1, 'c', '', i % 180 - 90, i % 360 - 180, 0, 0 FROM n;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    (folder, (1..=20_000).collect())
}

pub(crate) fn during_migration(times: usize) -> String {
    let (folder, bottles) = old_file();
    let old = folder.path().join("bottle.db");
    let mut unfinished = 0;
    let whole = tempfile::tempdir().unwrap();
    fs::copy(&old, whole.path().join("bottle.db")).unwrap();
    let span = time_of(|| drop(Program::start(bottle(whole.path(), &[]))));
    for nth in 0..times {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bottle.db");
        fs::copy(&old, &path).unwrap();
        kill_after(bottle(folder.path(), &[]), nth, span);
        let version: i32 = Connection::open(&path)
            .and_then(|db| db.pragma_query_value(None, "user_version", |row| row.get(0)))
            .unwrap();
        unfinished += usize::from(version < migrate::newest_version());
        let program = Program::start(bottle(folder.path(), &[]));
        let register = json!({ "username": "ada", "password": "pass" });
        assert_eq!(program.client().post("/api/users", &register).status, 200);
        drop(program);
        sea::check(&path, &bottles);
    }
    format!("{unfinished} before its end; every next start ended it")
}

pub(crate) fn during_backup(times: usize) -> String {
    let (folder, bottles) = old_file();
    drop(Program::start(bottle(folder.path(), &[])));
    let copy = folder.path().join("copy.db");
    let mut whole = 0;
    let backup = || bottle(folder.path(), &["backup", "copy.db"]);
    let span = time_of(|| assert!(backup().status().unwrap().success()));
    fs::remove_file(&copy).unwrap();
    for nth in 0..times {
        kill_after(backup(), nth, span);
        if copy.exists() {
            sea::check(&copy, &bottles);
            fs::remove_file(&copy).unwrap();
            whole += 1;
        }
    }
    format!("{whole} copies had received their final name; all were complete")
}
