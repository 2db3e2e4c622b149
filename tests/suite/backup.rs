//! Backups, and what becomes of them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::app::Client;
use crate::program::{self, Program, bottle, names};

#[track_caller]
fn works(folder: &Path, args: &[&str]) -> String {
    program::works(folder, args, "")
}

#[track_caller]
fn is_refused(folder: &Path, args: &[&str], because: &str) {
    program::is_refused(folder, args, "", because);
}

fn ada(program: &Program) -> Client {
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada
}

/// A folder with a database of three bottles that nobody serves.
fn sea() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let ada = ada(&program);
    for n in 1..=3 {
        ada.throw(f64::from(n), 0.0);
    }
    program.signal("TERM");
    assert!(program.status().success());
    folder
}

fn ids(path: &Path) -> Vec<i64> {
    let db = Connection::open(path).unwrap();
    let mut ids = db.prepare("SELECT id FROM bottles ORDER BY id").unwrap();
    ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[rstest]
fn a_backup_under_writes_is_a_prefix_of_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    let ada = ada(&program);
    let (stop, last) = (AtomicBool::new(false), AtomicI64::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    last.fetch_max(ada.throw(1.5, 1.5), Ordering::SeqCst);
                }
            });
        }
        let _stop = Stop(&stop);
        for n in 0..5 {
            let before = last.load(Ordering::SeqCst);
            let copy = folder.path().join(format!("copy-{n}.db"));
            works(folder.path(), &["backup", copy.to_str().unwrap()]);
            let ids = ids(&copy);
            assert!(ids.len() as i64 >= before, "{} of {before} bottles", ids.len());
            // The one writer numbers them in the order in which they are stored.
            assert!(ids.iter().copied().eq(1..=ids.len() as i64), "there are gaps");
            works(folder.path(), &["check", "--db", copy.to_str().unwrap()]);
        }
    });
}

/// Stops the writers at the end, also where that is a failure.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[rstest]
fn what_was_restored_is_served_and_the_one_before_is_kept() {
    let folder = sea();
    let db = folder.path().join("bottle.db");
    works(folder.path(), &["backup", "copy.db"]);
    let mut program = Program::start(bottle(folder.path(), &[]));
    ada(&program).throw(9.0, 9.0);
    is_refused(folder.path(), &["restore", "copy.db"], "in use by another bottle");
    program.signal("TERM");
    assert!(program.status().success());

    let told = works(folder.path(), &["restore", "copy.db"]);
    assert!(told.contains("1 accounts, 3 bottles"), "{told}");
    assert!(told.contains("bottle.db.before-restore-1"), "{told}");
    assert_eq!(ids(&db), [1, 2, 3]);
    assert_eq!(ids(&folder.path().join("bottle.db.before-restore-1")), [1, 2, 3, 4]);
    works(folder.path(), &["restore", "bottle.db.before-restore-1"]);
    assert_eq!(ids(&db), [1, 2, 3, 4]);
    let program = Program::start(bottle(folder.path(), &[]));
    assert_eq!(ada(&program).get("/api/users/self").status, 200);
}

#[rstest]
fn what_was_killed_is_kept_with_its_log() {
    let folder = sea();
    works(folder.path(), &["backup", "copy.db"]);
    let program = Program::start(bottle(folder.path(), &[]));
    ada(&program).throw(9.0, 9.0);
    program.signal("KILL");
    drop(program);
    works(folder.path(), &["restore", "copy.db"]);
    assert_eq!(ids(&folder.path().join("bottle.db")), [1, 2, 3]);
    assert_eq!(ids(&folder.path().join("bottle.db.before-restore-1")), [1, 2, 3, 4]);
}

#[rstest]
fn a_backup_takes_the_place_of_an_older_one_and_of_nothing_else() {
    let folder = sea();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("notes.txt"), "Dear diary").unwrap();
    is_refused(folder.path(), &["backup", "notes.txt"], "no backup of Bottle's");
    assert_eq!(fs::read_to_string(at("notes.txt")).unwrap(), "Dear diary");
    is_refused(folder.path(), &["backup", "bottle.db"], "is the database itself");
    is_refused(folder.path(), &["backup", "no/such/copy.db"], "copy.db could not be written");
    is_refused(folder.path(), &["backup", "--db", "none.db", "copy.db"], "none.db");
    assert_eq!(names(folder.path()), ["bottle.db", "notes.txt"]);

    works(folder.path(), &["backup", "copy.db"]);
    Connection::open(at("bottle.db"))
        .unwrap()
        .execute("DELETE FROM bottles WHERE id = 3", [])
        .unwrap();
    works(folder.path(), &["backup", "copy.db"]);
    assert_eq!(ids(&at("copy.db")), [1, 2]);
}

#[rstest]
fn of_rolling_backups_the_newest_are_kept() {
    let folder = sea();
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    fs::write(backups.join("bottle-notes.db"), "not named by its time").unwrap();
    let mut made = Vec::new();
    for _ in 0..4 {
        let told = works(folder.path(), &["backup", "--keep", "2", "backups"]);
        let path = Path::new(told.split(": ").next().unwrap()).file_name().unwrap();
        made.push(path.to_str().unwrap().to_owned());
    }
    let mut expected = made.split_off(2);
    expected.push("bottle-notes.db".into());
    assert_eq!(names(&backups), expected);
    is_refused(folder.path(), &["backup", "--keep", "2", "copy.db"], "--keep wants a folder");
}

#[rstest]
fn what_is_not_sound_is_neither_copied_nor_restored() {
    let folder = sea();
    works(folder.path(), &["backup", "copy.db"]);
    let copy = folder.path().join("copy.db");
    Connection::open(&copy).unwrap().execute("DELETE FROM bottles_rtree WHERE id = 2", []).unwrap();
    let before = fs::read(folder.path().join("bottle.db")).unwrap();
    is_refused(folder.path(), &["restore", "copy.db"], "without their row in the R*-tree");
    assert_eq!(fs::read(folder.path().join("bottle.db")).unwrap(), before);
    is_refused(folder.path(), &["backup", "--db", "copy.db", "other.db"], "not sound");
    fs::write(&copy, "Dear diary").unwrap();
    is_refused(folder.path(), &["restore", "copy.db"], "not an SQLite database");
    assert_eq!(names(folder.path()), ["bottle.db", "copy.db"]);
}

#[rstest]
fn what_a_killed_backup_left_is_cleared_away() {
    let folder = sea();
    fs::write(folder.path().join(".bottle-copy-abc"), "half a page").unwrap();
    works(folder.path(), &["backup", "copy.db"]);
    assert_eq!(names(folder.path()), ["bottle.db", "copy.db"]);
}

#[rstest]
fn an_old_file_is_copied_before_it_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    db.pragma_update(None, "application_id", bottle::store::migrate::APPLICATION_ID).unwrap();
    db.execute_batch(include_str!("../../src/store/migrations/0001_bottles.sql")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    drop(Program::start(bottle(folder.path(), &[])));
    let copy = Connection::open(folder.path().join("bottle.db.schema-1")).unwrap();
    let version: i32 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    // Nothing of a file that is up to date.
    fs::remove_file(folder.path().join("bottle.db.schema-1")).unwrap();
    drop(Program::start(bottle(folder.path(), &[])));
    assert!(!names(folder.path()).iter().any(|name| name.contains("schema")));
}
