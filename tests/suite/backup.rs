//! Backups, and what becomes of them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use bottle_test_support::{Client, Program, bottle, file_names, run_err, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::upgrades;

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

#[test]
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
            run_ok(folder.path(), &["backup", copy.to_str().unwrap()]);
            let ids = ids(&copy);
            assert!(ids.len() as i64 >= before, "{} of {before} bottles", ids.len());
            // The one writer numbers them in the order in which they are stored.
            assert!(ids.iter().copied().eq(1..=ids.len() as i64), "there are gaps");
            run_ok(folder.path(), &["check", "--db", copy.to_str().unwrap()]);
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

#[test]
fn a_restored_copy_is_served_and_the_file_before_is_kept() {
    let folder = sea();
    let db = folder.path().join("bottle.db");
    run_ok(folder.path(), &["backup", "copy.db"]);
    let mut program = Program::start(bottle(folder.path(), &[]));
    ada(&program).throw(9.0, 9.0);
    run_err(folder.path(), &["restore", "copy.db"], "in use by another Bottle");
    program.signal("TERM");
    assert!(program.status().success());

    let stdout = run_ok(folder.path(), &["restore", "copy.db"]);
    assert!(stdout.contains("1 accounts, 3 bottles"), "{stdout}");
    assert!(stdout.contains("bottle.db.before-restore-1"), "{stdout}");
    assert_eq!(ids(&db), [1, 2, 3]);
    assert_eq!(ids(&folder.path().join("bottle.db.before-restore-1")), [1, 2, 3, 4]);
    run_ok(folder.path(), &["restore", "bottle.db.before-restore-1"]);
    assert_eq!(ids(&db), [1, 2, 3, 4]);
    let program = Program::start(bottle(folder.path(), &[]));
    assert_eq!(ada(&program).get("/api/users/self").status, 200);
}

#[test]
fn a_killed_database_is_kept_with_its_log() {
    let folder = sea();
    run_ok(folder.path(), &["backup", "copy.db"]);
    let program = Program::start(bottle(folder.path(), &[]));
    ada(&program).throw(9.0, 9.0);
    program.signal("KILL");
    drop(program);
    run_ok(folder.path(), &["restore", "copy.db"]);
    assert_eq!(ids(&folder.path().join("bottle.db")), [1, 2, 3]);
    assert_eq!(ids(&folder.path().join("bottle.db.before-restore-1")), [1, 2, 3, 4]);
}

#[test]
fn a_backup_takes_the_place_of_an_older_one_and_of_nothing_else() {
    let folder = sea();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("notes.txt"), "Dear diary").unwrap();
    run_err(folder.path(), &["backup", "notes.txt"], "is not a Bottle backup");
    assert_eq!(fs::read_to_string(at("notes.txt")).unwrap(), "Dear diary");
    run_err(folder.path(), &["backup", "bottle.db"], "is the database itself");
    run_err(folder.path(), &["backup", "no/such/copy.db"], "no/such/copy.db: No such file");
    run_err(folder.path(), &["backup", "--db", "none.db", "copy.db"], "none.db");
    assert_eq!(file_names(folder.path()), ["bottle.db", "bottle.db.setup", "notes.txt"]);

    run_ok(folder.path(), &["backup", "copy.db"]);
    Connection::open(at("bottle.db"))
        .unwrap()
        .execute("DELETE FROM bottles WHERE id = 3", [])
        .unwrap();
    run_ok(folder.path(), &["backup", "copy.db"]);
    assert_eq!(ids(&at("copy.db")), [1, 2]);
}

#[test]
fn of_rolling_backups_the_newest_are_kept() {
    let folder = sea();
    let backups = folder.path().join("backups");
    fs::create_dir(&backups).unwrap();
    fs::write(backups.join("bottle-notes.db"), "not named by its time").unwrap();
    let mut made = Vec::new();
    for _ in 0..4 {
        let stdout = run_ok(folder.path(), &["backup", "--keep", "2", "backups"]);
        let path = Path::new(stdout.split(": ").next().unwrap()).file_name().unwrap();
        made.push(path.to_str().unwrap().to_owned());
    }
    let mut expected = made.split_off(2);
    expected.push("bottle-notes.db".into());
    assert_eq!(file_names(&backups), expected);
    run_err(folder.path(), &["backup", "--keep", "2", "copy.db"], "--keep needs a folder");
}

#[test]
fn a_damaged_file_is_neither_copied_nor_restored() {
    let folder = sea();
    run_ok(folder.path(), &["backup", "copy.db"]);
    let copy = folder.path().join("copy.db");
    Connection::open(&copy)
        .unwrap()
        .execute("DELETE FROM bottles_rtree WHERE place & 2147483647 = 2", [])
        .unwrap();
    let before = fs::read(folder.path().join("bottle.db")).unwrap();
    run_err(folder.path(), &["restore", "copy.db"], "without their row in the R*-tree");
    assert_eq!(fs::read(folder.path().join("bottle.db")).unwrap(), before);
    run_err(folder.path(), &["backup", "--db", "copy.db", "other.db"], "not sound");
    fs::write(&copy, "Dear diary").unwrap();
    run_err(folder.path(), &["restore", "copy.db"], "not an SQLite database");
    assert_eq!(file_names(folder.path()), ["bottle.db", "bottle.db.setup", "copy.db"]);
}

#[test]
fn a_killed_backup_leaves_nothing_behind() {
    let folder = sea();
    fs::write(folder.path().join(".bottle-copy-abc"), "half a page").unwrap();
    run_ok(folder.path(), &["backup", "copy.db"]);
    assert_eq!(file_names(folder.path()), ["bottle.db", "bottle.db.setup", "copy.db"]);
}

#[test]
fn an_old_file_is_copied_before_it_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    drop(upgrades::create(&folder.path().join("bottle.db"), 1));
    drop(Program::start(bottle(folder.path(), &[])));
    let copy = Connection::open(folder.path().join("bottle.db.schema-1")).unwrap();
    let version: i32 = copy.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
    // Nothing of a file that is up to date.
    fs::remove_file(folder.path().join("bottle.db.schema-1")).unwrap();
    drop(Program::start(bottle(folder.path(), &[])));
    assert!(!file_names(folder.path()).iter().any(|name| name.contains("schema")));
}

/// A folder that holds a backup under each of these names.
fn backups(folder: &Path, made: &[&str]) -> std::path::PathBuf {
    let backups = folder.join("backups");
    fs::create_dir(&backups).unwrap();
    for name in made {
        run_ok(folder, &["backup", &format!("backups/{name}")]);
    }
    backups
}

/// The backup that was just made, by its name.
fn rolled(folder: &Path, keep: &str, db: &str) -> String {
    let stdout = run_ok(folder, &["backup", "--keep", keep, "backups", "--db", db]);
    let path = Path::new(stdout.split(": ").next().unwrap()).file_name().unwrap();
    path.to_str().unwrap().to_owned()
}

/// The clock may have been wrong when the others were made, or may be wrong now.
#[test]
fn the_newest_backup_is_kept_whatever_the_others_are_called() {
    let folder = sea();
    let [a, b, c] = [1, 2, 3].map(|n| format!("bottle-2099010{n}T000000.000Z.db"));
    let backups = backups(folder.path(), &[&a, &b, &c]);
    let first = rolled(folder.path(), "3", "bottle.db");
    assert_eq!(file_names(&backups), [&first, &b, &c].map(String::clone));
    let second = rolled(folder.path(), "3", "bottle.db");
    assert_eq!(file_names(&backups), [&first, &second, &c].map(String::clone));
    let last = rolled(folder.path(), "0", "bottle.db");
    assert_eq!(file_names(&backups), [last]);
}

/// Two databases, each with its backups in one folder.
#[test]
fn only_backups_of_the_same_database_are_deleted() {
    let folder = sea();
    drop(Program::start(bottle(folder.path(), &["--db", "other.db"])));
    let backups = backups(folder.path(), &[]);
    let ours: Vec<String> = (0..2).map(|_| rolled(folder.path(), "2", "bottle.db")).collect();
    let theirs = rolled(folder.path(), "1", "other.db");
    fs::write(backups.join("bottle-2020notes.Z.db"), "Dear diary").unwrap();
    for name in [&ours[0], &ours[1], &theirs, "bottle-2020notes.Z.db"] {
        assert!(backups.join(name).exists(), "{name}");
    }
    rolled(folder.path(), "1", "bottle.db");
    assert!(backups.join(theirs).exists() && !backups.join(&ours[1]).exists());
    assert_eq!(file_names(&backups).len(), 3);
}

/// A restored backup is the same database still, and so is one that was made before databases had an
/// identity, even after the keys were replaced.
#[test]
fn a_database_knows_its_backups() {
    let folder = sea();
    let old = "bottle-20200101T000000.000Z.db";
    let backups = backups(folder.path(), &[old]);
    Connection::open(backups.join(old))
        .unwrap()
        .execute_batch("DELETE FROM meta WHERE key = 'database_id'")
        .unwrap();
    run_ok(folder.path(), &["keys", "rotate", "--yes"]);
    run_ok(
        folder.path(),
        &["restore", &format!("backups/{}", rolled(folder.path(), "9", "bottle.db"))],
    );
    assert_eq!(file_names(&backups).len(), 2);
    let newest = rolled(folder.path(), "1", "bottle.db");
    assert_eq!(file_names(&backups), [newest]);
}

/// A database may be named as a backup is, and a backup may be served.
#[test]
fn a_file_in_use_is_not_pruned() {
    let folder = sea();
    let [served, db] = ["bottle-20200101T000000.000Z.db", "bottle-20200102T000000.000Z.db"];
    run_ok(folder.path(), &["backup", served]);
    fs::rename(folder.path().join("bottle.db"), folder.path().join(db)).unwrap();
    run_ok(folder.path(), &["backup", "--keep", "2", "--db", db]);
    assert_eq!(file_names(folder.path()).len(), 4);
    let _program = Program::start(bottle(folder.path(), &["--db", served]));
    let why = format!("{served} is in use by another Bottle");
    run_err(folder.path(), &["backup", "--keep", "1", "--db", db], &why);
    assert!(folder.path().join(served).exists() && folder.path().join(db).exists());
}

#[test]
fn a_backup_does_not_take_the_place_of_another_databases() {
    let folder = sea();
    drop(Program::start(bottle(folder.path(), &["--db", "other.db"])));
    run_ok(folder.path(), &["backup", "--db", "other.db", "copy.db"]);
    let before = fs::read(folder.path().join("copy.db")).unwrap();
    run_err(
        folder.path(),
        &["backup", "copy.db"],
        "copy.db exists and is a backup of another database",
    );
    assert!(fs::read(folder.path().join("copy.db")).unwrap() == before);
}

/// The last changes are in the log alone, and the file is no database any more.
#[rstest]
#[case::emptied(|path: &Path| fs::write(path, "").unwrap())]
#[case::overwritten(|path: &Path| fs::write(path, [0xA5; 8192]).unwrap())]
#[case::gone(|path: &Path| fs::remove_file(path).unwrap())]
fn a_log_that_fits_no_database_is_kept_with_it(#[case] spoil: fn(&Path)) {
    let folder = sea();
    run_ok(folder.path(), &["backup", "copy.db"]);
    let program = Program::start(bottle(folder.path(), &[]));
    ada(&program).throw(9.0, 9.0);
    program.signal("KILL");
    drop(program);
    let [db, log] = ["bottle.db", "bottle.db-wal"].map(|name| folder.path().join(name));
    spoil(&db);
    let (old, changes) = (fs::read(&db).ok(), fs::read(&log).unwrap());
    run_ok(folder.path(), &["restore", "copy.db"]);
    assert_eq!(ids(&db), [1, 2, 3]);
    let kept = |suffix| fs::read(folder.path().join(format!("bottle.db.before-restore-1{suffix}")));
    assert!(kept("").ok() == old && kept("-wal").unwrap() == changes);
    drop(Program::start(bottle(folder.path(), &[])));
}

/// Another program would go on writing to the file that is put away.
#[test]
fn no_file_is_put_away_under_another_program() {
    let folder = sea();
    run_ok(folder.path(), &["backup", "copy.db"]);
    let other = Connection::open(folder.path().join("bottle.db")).unwrap();
    other.execute_batch("UPDATE users SET nickname = 'x'").unwrap();
    run_err(folder.path(), &["restore", "copy.db"], "database is locked");
    assert_eq!(ids(&folder.path().join("bottle.db")), [1, 2, 3]);
    drop(other);
    run_ok(folder.path(), &["restore", "copy.db"]);
}

/// SQLite would write what that log holds over the new copy.
#[rstest]
fn no_backup_is_put_beside_a_log(#[values(true, false)] gone: bool) {
    let folder = sea();
    let [copy, log] = ["copy.db", "copy.db-wal"].map(|name| folder.path().join(name));
    run_ok(folder.path(), &["backup", "copy.db"]);
    let other = Connection::open(&copy).unwrap();
    other.execute_batch("DELETE FROM openings; DELETE FROM bottles; DELETE FROM users").unwrap();
    let changes = fs::read(&log).unwrap();
    drop(other);
    fs::write(&log, &changes).unwrap();
    if gone {
        fs::remove_file(&copy).unwrap();
    }
    run_err(folder.path(), &["backup", "copy.db"], "copy.db-wal exists");
    assert!(fs::read(&log).unwrap() == changes);
    fs::remove_file(log).unwrap();
    run_ok(folder.path(), &["backup", "copy.db"]);
    assert_eq!(ids(&copy), [1, 2, 3]);
}
