//! Commands that read a file while others change it or hold it, under odd names, with objects that are not
//! Bottle's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bottle::store::backup;
use bottle_test_support::{App, Program, bottle, file_names, run_err, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use tempfile::TempDir;

/// A database with three bottles that nobody serves.
fn sea() -> (TempDir, PathBuf) {
    let app = App::new();
    let ada = app.user("ada");
    for n in 1..=3 {
        ada.throw(f64::from(n), 0.0);
    }
    let folder = app.stop();
    let path = folder.path().join("bottle.db");
    (folder, path)
}

fn sql(path: &Path, sql: &str) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(sql).unwrap();
    db
}

fn count(path: &Path) -> i64 {
    let db = Connection::open(path).unwrap();
    db.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0)).unwrap()
}

const MANY: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
    SELECT 1, '', i % 90, i % 180, 0, 0 FROM n;
    INSERT INTO messages SELECT id, printf('%.4000c', 'x') FROM bottles
    WHERE id NOT IN (SELECT bottle_id FROM messages);";

/// SQLite would copy pages of several moments.
#[rstest]
#[case::with_a_log("PRAGMA wal_checkpoint", false)]
#[case::and_the_log_is_gone("PRAGMA wal_checkpoint(TRUNCATE)", true)]
fn a_backup_begins_again_when_the_file_changes_under_it(
    #[case] checkpoint: &str,
    #[case] closed: bool,
) {
    let (folder, path) = sea();
    drop(sql(&path, MANY));
    let copy = folder.path().join("copy.db");
    let mut writer = None;
    let made = backup::backup(&path, &copy, |done, all| {
        assert!(done < all || writer.is_some(), "too small a file to be changed in between");
        writer.get_or_insert_with(|| {
            let change = "DELETE FROM bottles WHERE id % 3 = 0; UPDATE users SET nickname = 'x';";
            let db = sql(&path, change);
            db.query_row(checkpoint, [], |_| Ok(())).unwrap();
            (!closed).then_some(db)
        });
    });
    assert_eq!(made.unwrap().bottles, 2002);
    run_ok(folder.path(), &["check", "--db", "copy.db"]);
    assert_eq!(count(&copy), 2002);
}

/// Reading waits for no lock and leaves no trace.
#[rstest]
fn reading_commands_work_under_a_foreign_write_lock(#[values(false, true)] served: bool) {
    let (folder, path) = sea();
    let _program = served.then(|| Program::start(bottle(folder.path(), &[])));
    let other = sql(&path, "BEGIN IMMEDIATE; UPDATE users SET nickname = 'x'");
    let before = file_names(folder.path());
    assert_eq!(run_ok(folder.path(), &["export"]).lines().count(), 4);
    assert!(run_ok(folder.path(), &["user", "list"]).contains("ada"));
    assert!(run_ok(folder.path(), &["check"]).contains("nothing is wrong"));
    assert_eq!(file_names(folder.path()), before);
    run_ok(folder.path(), &["backup", "copy.db"]);
    run_ok(folder.path(), &["export", "sea.jsonl"]);
    drop(other);
}

/// A file that nobody serves is as it was, to the byte, and has nothing new beside it.
#[test]
fn reading_commands_leave_the_file_alone() {
    let (folder, path) = sea();
    // As an older version left it, or as nobody ever served it.
    drop(sql(&path, "DELETE FROM meta"));
    let before = fs::read(&path).unwrap();
    for args in [&["export"][..], &["user", "list"], &["check"]] {
        run_ok(folder.path(), args);
        assert!(fs::read(&path).unwrap() == before, "{args:?} changed it");
        assert_eq!(file_names(folder.path()), ["bottle.db"], "{args:?}");
    }
}

#[rstest]
#[case::uri("file:x.db?mode=memory")]
#[case::memory(":memory:")]
#[case::uri_in_a_folder("file:folder/x.db")]
fn no_name_is_anything_but_a_file(#[case] name: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("file:folder")).unwrap();
    let path = folder.path().join(name);
    let mut program = Program::start(bottle(folder.path(), &["--db", name]));
    let mut ada = program.client();
    ada.post("/api/users", &serde_json::json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.throw(1.0, 1.0);
    program.signal("KILL");
    program.status();
    drop(Program::start(bottle(folder.path(), &["--db", name])));
    assert_eq!(count(&path), 1);

    let at = |args: &[&str]| run_ok(folder.path(), &[args, &["--db", name]].concat());
    at(&["check"]);
    at(&["export"]);
    at(&["user", "list"]);
    at(&["user", "add", "grace", "--one-time"]);
    at(&["backup", "file:copy.db?mode=memory"]);
    assert_eq!(count(&folder.path().join("file:copy.db?mode=memory")), 1);
    at(&["restore", "file:copy.db?mode=memory"]);
    at(&["check", "--rebuild-index"]);
    assert_eq!(count(&path), 1);
}

#[test]
fn two_slashes_are_no_host() {
    let (folder, path) = sea();
    let path = format!("/{}", path.to_str().unwrap());
    run_ok(folder.path(), &["check", "--db", &path]);
    run_ok(folder.path(), &["backup", "--db", &path, "copy.db"]);
    drop(Program::start(bottle(folder.path(), &["--db", &path])));
}

#[rstest]
#[case(&["serve"])]
#[case(&["check"])]
#[case(&["user", "list"])]
#[case(&["backup", "copy.db"])]
fn an_empty_name_is_refused(#[case] args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output =
        bottle(folder.path(), args).env("ROCKET_BOTTLE", "{database=\"\"}").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("the database has no name") && stderr.contains("--db FILE"),
        "{stderr}"
    );
    assert!(file_names(folder.path()).is_empty());
}

/// SQLite keeps the log beside the file itself, not beside the link.
#[test]
fn behind_a_link_the_log_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("disk")).unwrap();
    let path = folder.path().join("disk/sea.db");
    drop(Program::start(bottle(folder.path(), &["--db", "disk/sea.db"])));
    symlink("disk/sea.db", folder.path().join("bottle.db")).unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let mut ada = program.client();
    ada.post("/api/users", &serde_json::json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    let throw = |n| assert_eq!(ada.throw(f64::from(n), 1.0), i64::from(n));
    (1..=5).for_each(throw);
    program.signal("KILL");
    program.status();
    run_ok(folder.path(), &["backup", "copy.db"]);
    assert_eq!(count(&folder.path().join("copy.db")), 5);
    run_ok(folder.path(), &["restore", "copy.db"]);
    assert!(folder.path().join("bottle.db").is_symlink());
    assert_eq!((count(&path), count(&folder.path().join("disk/sea.db.before-restore-1"))), (5, 5));
}

#[rstest]
#[case::trigger(
    "CREATE TRIGGER spy AFTER INSERT ON bottles BEGIN UPDATE messages SET content = ''; END",
    "a trigger \"spy\""
)]
#[case::view("CREATE VIEW secrets AS SELECT * FROM meta", "a view \"secrets\"")]
fn objects_that_act_on_their_own_are_refused(#[case] create: &str, #[case] named: &str) {
    let (folder, path) = sea();
    run_ok(folder.path(), &["backup", "copy.db"]);
    let copy = folder.path().join("copy.db");
    drop(sql(&copy, create));
    let before = fs::read(&path).unwrap();
    run_err(folder.path(), &["restore", "copy.db"], named);
    assert!(fs::read(&path).unwrap() == before);
    run_err(folder.path(), &["serve", "--db", "copy.db"], named);
    run_err(folder.path(), &["backup", "--db", "copy.db", "other.db"], named);
    run_err(folder.path(), &["check", "--rebuild-index", "--db", "copy.db"], named);
    let add = ["user", "add", "eve", "--one-time", "--db", "copy.db"];
    run_err(folder.path(), &add, named);
    assert_eq!(file_names(folder.path()), ["bottle.db", "copy.db"]);

    let output = bottle(folder.path(), &["check", "--db", "copy.db"]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.contains(named) && stdout.contains("DROP "), "{stdout}");
}

#[rstest]
#[case("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)")]
#[case("CREATE INDEX bottles_by_style ON bottles (style)")]
#[case("ANALYZE")]
fn objects_that_only_lie_there_are_not(#[case] create: &str) {
    let (folder, path) = sea();
    drop(sql(&path, create));
    run_ok(folder.path(), &["check"]);
    run_ok(folder.path(), &["backup", "copy.db"]);
    run_ok(folder.path(), &["restore", "copy.db"]);
    drop(Program::start(bottle(folder.path(), &[])));
}

/// Bottle's own files have mode 0600 under every umask.
#[rstest]
fn an_export_is_readable_by_its_owner_alone(#[values("000", "022", "077")] umask: &str) {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _) = sea();
    let run = |args: &[&str]| {
        let plain = bottle(folder.path(), args);
        let mut command = Command::new("sh");
        command.args(["-c", "umask \"$1\"; shift; exec \"$0\" \"$@\""]).arg(plain.get_program());
        command.arg(umask).args(args).current_dir(folder.path()).stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{args:?}");
    };
    run(&["export", "sea.jsonl"]);
    run(&["export", "--geojson", "sea.geojson"]);
    run(&["backup", "copy.db"]);
    // One that was copied by hand is kept no more open than it should be.
    let open = |name: &str| {
        let path = folder.path().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    };
    open("bottle.db");
    run(&["restore", "copy.db"]);
    let mode = |name: &String| {
        fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
    };
    let modes: Vec<_> =
        file_names(folder.path()).into_iter().map(|name| (mode(&name), name)).collect();
    assert_eq!(modes.len(), 5);
    assert!(modes.iter().all(|(mode, _)| *mode == 0o600), "{modes:?}");
}

/// An export that fails leaves no file behind.
#[test]
fn an_export_is_whole_or_not_there() {
    let (folder, _) = sea();
    run_err(folder.path(), &["export", "--user", "eve", "eve.jsonl"], "no such account");
    assert_eq!(file_names(folder.path()), ["bottle.db"]);
}

/// A journal would be played back into the new database.
#[test]
fn a_journal_without_its_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bottle.db-journal"), [0xA5; 1024]).unwrap();
    run_err(folder.path(), &["serve"], "bottle.db-journal exists without its database");
    assert_eq!(file_names(folder.path()), ["bottle.db-journal"]);
}
