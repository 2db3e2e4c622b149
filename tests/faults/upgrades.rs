//! kill -9 while a file of an older Bottle is upgraded.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use bottle::store::migrate;
use bottle_test_support::{Program, Random, bottle, file_names, run_ok};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::sea;
use crate::shim::Shim;

/// The name of the copy that the server makes before the migration.
const COPY: &str = "bottle.db.schema-7";

/// Adds to the fixture what makes an upgrade long: messages of up to 4,000 letters, which fill
/// several pages each. Some of the bottles are hidden, some were opened.
const FILL: &str = "
    PRAGMA journal_mode = wal;
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO bottles (owner_id, content, formatted_address, latitude, longitude, style, created_at)
    SELECT 1 + i % 2, concat(i, ' ', printf('%.*c', i * 37 % 4000, 'x')), concat('street ', i % 100),
           i * 7 % 179 - 89.5, i * 31 % 359 - 179.5, i % 3, 1500000000000 + i
    FROM n;
    UPDATE bottles SET hidden_at = 1500000000000 WHERE id % 500 = 7;
    INSERT INTO openings SELECT id, 3 - owner_id, 1500000000000 + id FROM bottles
    WHERE id > 10 AND id % 20 = 0;
    COMMIT;";

/// A full file of schema 7, and what it contains.
struct OldFile {
    folder: TempDir,
    contents: Contents,
}

/// The number of bottles and openings, and a hash of all their values, messages included.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    rows: usize,
    hash: u64,
}

impl OldFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bottle.db");
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-7.db");
        fs::copy(fixture, &path).unwrap();
        Connection::open(&path).unwrap().execute_batch(FILL).unwrap();
        let contents = contents(&path);
        assert!(contents.rows > 20_000);
        Self { folder, contents }
    }

    fn copy(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let name = "bottle.db";
        fs::copy(self.folder.path().join(name), folder.path().join(name)).unwrap();
        folder
    }
}

fn version(db: &Connection) -> i32 {
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn contents(path: &Path) -> Contents {
    let db = Connection::open(path).unwrap();
    let (message, messages) = match version(&db) {
        ..8 => ("content", ""),
        _ => ("messages.content", "JOIN messages ON bottle_id = id"),
    };
    let bottles = format!(
        "SELECT concat_ws('|', id, owner_id, {message}, formatted_address, latitude, longitude, style,
                          created_at, openers_count, hidden_at)
         FROM bottles {messages} ORDER BY id"
    );
    let openings = "SELECT concat_ws('|', bottle_id, opener_id, opened_at) FROM openings
        ORDER BY bottle_id, opener_id";
    let (mut rows, mut hasher) = (0, DefaultHasher::new());
    for sql in [&bottles, openings] {
        let mut statement = db.prepare(sql).unwrap();
        for row in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            row.unwrap().hash(&mut hasher);
            rows += 1;
        }
    }
    Contents { rows, hash: hasher.finish() }
}

/// Starts a server that is killed before its `nth` call that changes a file, or once it is ready.
/// Returns the number of such calls that it made.
fn start_and_kill(folder: &Path, shim: &Shim, nth: i64) -> i64 {
    let mut command = bottle(folder, &[]);
    shim.under(&mut command);
    shim.kill_at(nth);
    let started = Program::try_start(command);
    let left = shim.changes_left();
    if let Err(output) = &started {
        assert!(left < 0, "it ended by itself: {output}");
    }
    drop(started);
    shim.kill_at(-1);
    nth - left
}

/// Fails if the file is migrated and the copy is not complete. Returns true if it is migrated.
fn check_killed(old: &OldFile, folder: &Path) -> bool {
    let path = folder.join("bottle.db");
    let is_migrated = version(&Connection::open(&path).unwrap()) == migrate::newest_version();
    // A file that is not migrated is still whole, and an older program can serve it.
    assert_eq!(contents(&path), old.contents);
    let copy = folder.join(COPY);
    assert!(copy.exists() || !is_migrated, "migrated without a copy");
    if copy.exists() {
        check_copy(old, &copy);
    }
    is_migrated
}

/// Fails unless the copy is a sound file of the older schema with all rows.
fn check_copy(old: &OldFile, copy: &Path) {
    assert_eq!(version(&Connection::open(copy).unwrap()), 7);
    assert_eq!(contents(copy), old.contents);
}

/// Lets a server finish the upgrade. The file, its copy and the folder must be as after an upgrade
/// that nothing interrupted.
fn finish(old: &OldFile, folder: &Path) {
    let mut program = Program::start(bottle(folder, &[]));
    let mut ada = program.client();
    ada.log_in("ada", "pass");
    let created = ada.get("/api/bottles/created?limit=1").data();
    assert_eq!(created["bottles"][0]["content"], "at the antimeridian");
    program.signal("TERM");
    assert_eq!(program.status().code(), Some(0));

    let path = folder.join("bottle.db");
    assert_eq!(contents(&path), old.contents);
    sea::check(&path, &[]);
    assert_eq!(run_ok(folder, &["check"]), "bottle.db: nothing is wrong\n");
    check_copy(old, &folder.join(COPY));
    assert_eq!(run_ok(folder, &["check", "--db", COPY]), format!("{COPY}: nothing is wrong\n"));
    assert_eq!(file_names(folder), ["bottle.db", COPY, "bottle.db.setup"]);
}

/// Kills an upgrade before a call that changes a file, chosen at random from each of some parts of
/// the upgrade; then the next start at any call; and lets the third one finish.
pub(crate) fn killed(times: usize) -> String {
    let (old, shim, mut random) = (OldFile::new(), Shim::new(), Random::new(11));
    let whole = old.copy();
    let calls = start_and_kill(whole.path(), &shim, i64::MAX);
    assert_eq!(contents(&whole.path().join("bottle.db")), old.contents);

    let kills = 4 * times;
    let (mut without_copy, mut unmigrated) = (0, 0);
    for nth in 0..kills {
        let folder = old.copy();
        // The square, because the copy is made in the first few hundredths of the calls.
        let first = calls as f64 * ((nth as f64 + 0.5 + random.within(0.5)) / kills as f64).powi(2);
        let second = calls as f64 * (0.5 + random.within(0.5));
        for call in [first, second] {
            start_and_kill(folder.path(), &shim, call as i64);
            unmigrated += usize::from(!check_killed(&old, folder.path()));
            without_copy += usize::from(!folder.path().join(COPY).exists());
        }
        finish(&old, folder.path());
        if nth == 0 {
            check_restored_copy(&old, folder.path());
        }
    }
    assert!(unmigrated > 0, "the file is too small");
    format!(
        "at {} of {calls} calls: {without_copy} before the copy was complete, {unmigrated} before the \
         migration was; the next start finished it",
        2 * kills
    )
}

/// Restores the copy, as the documentation says to go back. This program then upgrades it again.
fn check_restored_copy(old: &OldFile, folder: &Path) {
    run_ok(folder, &["restore", COPY]);
    let path = folder.join("bottle.db");
    check_copy(old, &path);
    drop(Program::start(bottle(folder, &[])));
    assert_eq!(contents(&path), old.contents);
}
