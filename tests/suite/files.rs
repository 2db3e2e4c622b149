//! Files that the program opens or rejects. A rejected file stays unchanged.

use std::fs;
use std::path::{Path, PathBuf};

use bottle::store::Store;
use bottle_test_support::{App, Program, bottle, fast_settings, file_names, store_options};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::upgrades::copy_of_fixture;

fn open(path: &Path) -> Result<Store, String> {
    Store::open(path, &store_options(&fast_settings())).map_err(|e| e.to_string())
}

/// A good database with some bottles in it, closed.
fn good_file() -> (tempfile::TempDir, PathBuf) {
    let app = App::new();
    let ada = app.user("ada");
    for n in 0..200 {
        ada.throw(f64::from(n % 90), f64::from(n - 100));
    }
    let folder = app.stop();
    let path = folder.path().join("bottle.db");
    (folder, path)
}

#[rstest]
fn missing_and_empty_files_become_databases(#[values(true, false)] empty: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bottle.db");
    if empty {
        fs::write(&path, "").unwrap();
    }
    drop(open(&path).unwrap());
    assert_eq!(file_names(folder.path()), ["bottle.db"]);
    drop(open(&path).unwrap());

    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// SQLite before 3.51.3 may lose commits where one process checkpoints while another writes.
#[test]
fn the_program_has_an_sqlite_without_the_wal_reset_bug() {
    let folder = tempfile::tempdir().unwrap();
    drop(Program::start(bottle(folder.path(), &[])));
    // The header has the version of the SQLite that has written it.
    let header = fs::read(folder.path().join("bottle.db")).unwrap();
    let version = u32::from_be_bytes(header[96..100].try_into().unwrap());
    assert!(version >= 3_051_003, "{version}");
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn overwrite(path: &Path, from: usize, with: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    bytes[from..from + with.len()].copy_from_slice(with);
    fs::write(path, bytes).unwrap();
}

#[rstest]
#[case::text(|path: &Path| fs::write(path, "Dear diary, this is no database at all.").unwrap(), "not an SQLite database")]
#[case::noise(|path: &Path| fs::write(path, [0xA5; 9000]).unwrap(), "not an SQLite database")]
#[case::one_byte(|path: &Path| fs::write(path, "S").unwrap(), "not an SQLite database")]
#[case::foreign(|path: &Path| { fs::remove_file(path).unwrap(); sql(path, "CREATE TABLE notes (text)") }, "another program's")]
#[case::newer(|path: &Path| sql(path, "PRAGMA user_version = 999"), "newer Bottle")]
#[case::truncated(|path: &Path| { let half = fs::read(path).unwrap(); fs::write(path, &half[..half.len() / 2]).unwrap() }, "damaged")]
#[case::overwritten(|path: &Path| overwrite(path, 8192, &[0xA5; 4096]), "damaged")]
#[case::truncated_last_page(|path: &Path| { let all = fs::read(path).unwrap(); fs::write(path, &all[..all.len() - 4096]).unwrap() }, "damaged")]
#[case::overwritten_last_page(|path: &Path| { let end = fs::metadata(path).unwrap().len() as usize; overwrite(path, end - 4096, &[0; 4096]) }, "damaged")]
#[case::header_only(|path: &Path| { let all = fs::read(path).unwrap(); fs::write(path, &all[..100]).unwrap() }, "damaged")]
#[case::torn_header(|path: &Path| overwrite(path, 16, &[0xFF; 8]), "damaged")]
#[case::no_trigger(|path: &Path| sql(path, "DROP TRIGGER bottle_placed"), "damaged")]
#[case::hollow_trigger(|path: &Path| sql(path, "DROP TRIGGER bottle_placed; CREATE TRIGGER bottle_placed AFTER INSERT ON bottles BEGIN SELECT 1; END"), "damaged")]
#[case::lost_table(|path: &Path| sql(path, "DROP TABLE openings"), "damaged")]
#[case::lost_place(|path: &Path| sql(path, "DELETE FROM bottles_rtree_rowid WHERE rowid & 2147483647 = 7"), "damaged")]
fn unsound_files_are_refused_and_left_alone(#[case] spoil: fn(&Path), #[case] why: &str) {
    let (folder, path) = good_file();
    spoil(&path);
    let before = fs::read(&path).unwrap();
    let error = open(&path).err().unwrap();
    assert!(error.contains(why) && error.contains(path.to_str().unwrap()), "{error}");
    assert!(error.lines().count() >= 2, "it says nothing of what to do: {error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(file_names(folder.path()), ["bottle.db"]);
}

/// As the program tells it: on standard error, with status 1, and the file as it was.
#[rstest]
#[case::text(|path: &Path| fs::write(path, "Dear diary, this is no database at all.").unwrap(), "--db FILE")]
#[case::foreign(|path: &Path| { fs::remove_file(path).unwrap(); sql(path, "CREATE TABLE notes (text)") }, "--db FILE")]
#[case::newer(|path: &Path| sql(path, "PRAGMA user_version = 999"), "Upgrade Bottle")]
#[case::overwritten(|path: &Path| overwrite(path, 8192, &[0xA5; 4096]), "Restore a backup")]
#[case::no_trigger(|path: &Path| sql(path, "DROP TRIGGER bottle_placed"), "Restore a backup")]
fn the_program_refuses_them_too(#[case] spoil: fn(&Path), #[case] advice: &str) {
    let (folder, path) = good_file();
    spoil(&path);
    let before = fs::read(&path).unwrap();
    let error = refusal(folder.path(), "bottle.db");
    assert!(error.contains("bottle.db") && error.contains(advice), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(file_names(folder.path()), ["bottle.db"]);
}

/// Returns the error of the program, which must not start on this file.
fn refusal(folder: &Path, file: &str) -> String {
    let output = bottle(folder, &["serve", "--db", file]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_second_program_on_a_file_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let first = Program::start(bottle(folder.path(), &[]));
    let error = refusal(folder.path(), "bottle.db");
    assert!(error.contains("bottle.db is in use by another Bottle"), "{error}");
    let ada = json!({ "username": "ada", "password": "pass" });
    assert_eq!(first.client().post("/api/users", &ada).status, 200);
}

/// The log of a database that is gone holds changes that belong to no other.
#[rstest]
fn a_log_without_its_database_is_left_alone(#[values(true, false)] empty: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (path, log) = (folder.path().join("bottle.db"), folder.path().join("bottle.db-wal"));
    let (good, good_path) = good_file();
    let db = Connection::open(&good_path).unwrap();
    db.execute_batch("UPDATE users SET nickname = 'changed'").unwrap();
    fs::copy(good.path().join("bottle.db-wal"), &log).unwrap();
    if empty {
        fs::write(&path, "").unwrap();
    }
    let (before, there) = (fs::read(&log).unwrap(), file_names(folder.path()));
    let error = open(&path).err().unwrap();
    assert!(error.contains(log.to_str().unwrap()) && error.lines().count() >= 2, "{error}");
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(file_names(folder.path()), there);

    fs::remove_file(&log).unwrap();
    drop(open(&path).unwrap());
}

/// Names that mean something to a shell or to a URI, or are no text at all.
#[rstest]
#[case(b"a?b#c%41 &d.db")]
#[case("\u{74f6}\u{5b50}.db".as_bytes())]
#[case(b"latin-\xfc.db")]
fn odd_names_are_names(#[case] name: &[u8]) {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
    drop(open(&path).unwrap());
    drop(open(&path).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A newer version's mark may still stand in the write-ahead log alone, after a crash.
#[test]
fn a_newer_file_is_refused_by_its_log_too() {
    let (folder, path) = good_file();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA user_version = 999").unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let copy = crashed.path().join("bottle.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.path().join("bottle.db-wal"), crashed.path().join("bottle.db-wal")).unwrap();
    let before =
        (fs::read(&copy).unwrap(), fs::read(crashed.path().join("bottle.db-wal")).unwrap());
    assert!(open(&copy).err().unwrap().contains("newer Bottle"));
    let after = (fs::read(&copy).unwrap(), fs::read(crashed.path().join("bottle.db-wal")).unwrap());
    assert!(before == after);
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(open(folder.path()).is_err());
}

#[test]
fn a_file_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bottle.db");
    let _first = open(&path).unwrap();
    assert!(open(&path).err().unwrap().contains("in use by another Bottle"));
}

/// From each older schema to today's.
#[rstest]
fn an_older_file_becomes_like_a_new_one(#[values(1, 2, 3, 4, 5)] older: usize) {
    let folder = copy_of_fixture(older);
    let (path, new) = (folder.path().join("bottle.db"), folder.path().join("new.db"));
    drop(open(&path).unwrap());
    drop(open(&new).unwrap());
    assert_eq!(schema(&path), schema(&new));
}

fn schema(path: &Path) -> (i32, Vec<String>) {
    let db = Connection::open(path).unwrap();
    let version = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let mut statement =
        db.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
    let objects = statement.query_map([], |row| row.get(0)).unwrap();
    (version, objects.collect::<Result<_, _>>().unwrap())
}

#[test]
fn the_sample_has_todays_schema_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (sample, new) = (folder.path().join("sample.db"), folder.path().join("new.db"));
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/bottle.db.sample"), &sample).unwrap();
    drop(open(&new).unwrap());
    assert_eq!(schema(&sample), schema(&new), "make it again: cargo run --example sample");

    let db = Connection::open(&sample).unwrap();
    let count = |table: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert!(count("users") >= 8 && count("bottles") >= 200 && count("openings") >= 200);
    assert_eq!((count("meta"), count("sessions")), (0, 0));
    drop(db);
    drop(open(&sample).unwrap());
}

/// Keys and hashes are for the owner alone, also after a copy that anyone could read.
#[cfg(unix)]
#[rstest]
fn only_their_owner_may_read_the_files(#[values(false, true)] readable_before: bool) {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = good_file();
    let crashed = tempfile::tempdir().unwrap();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("UPDATE users SET nickname = 'changed'").unwrap();
    for name in file_names(folder.path()) {
        let copy = crashed.path().join(&name);
        fs::copy(folder.path().join(&name), &copy).unwrap();
        let mode = if readable_before { 0o644 } else { 0o600 };
        fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
    }
    let _store = open(&crashed.path().join("bottle.db")).unwrap();
    let names = file_names(crashed.path());
    assert_eq!(names, ["bottle.db", "bottle.db-shm", "bottle.db-wal"]);
    for name in names {
        let mode = fs::metadata(crashed.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
