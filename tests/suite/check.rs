//! `bottle check`: the faults that it finds, and its advice.

use std::fs;
use std::path::Path;

use bottle_test_support::{App, Program, bottle};
use rstest::rstest;
use rusqlite::Connection;

fn sql(path: &Path, sql: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA foreign_keys = off; {sql}")).unwrap();
}

/// A database with bottles and openings that nobody serves.
fn sea() -> tempfile::TempDir {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    for n in 0..30 {
        let id = ada.throw(f64::from(n), f64::from(n));
        assert_eq!(
            bob.post(&format!("/api/bottles/{id}/open"), &serde_json::json!({})).status,
            200
        );
    }
    app.stop()
}

/// Runs `bottle check`. Returns whether it succeeded, and its output.
fn check(folder: &Path, args: &[&str]) -> (bool, String) {
    let output = bottle(folder, &[&["check"], args].concat()).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), stdout + &String::from_utf8_lossy(&output.stderr))
}

/// The repair of rows that follow from others.
const REBUILD: &str = "bottle check --rebuild-index";

#[rstest]
#[case::without_row(
    "DELETE FROM bottles_rtree WHERE place & 2147483647 = 7",
    "1 bottles without their row in the R*-tree",
    REBUILD
)]
#[case::without_bottle(
    "INSERT INTO bottles_rtree VALUES (99, 1, 1, 1, 1)",
    "1 rows of the R*-tree without",
    REBUILD
)]
#[case::moved(
    "UPDATE bottles_rtree SET min_latitude = 40, max_latitude = 40
     WHERE place & 2147483647 = 3",
    "1 bottles at another position in the R*-tree; the first is 3",
    REBUILD
)]
#[case::openers(
    "UPDATE bottles SET openers_count = 5 WHERE id = 4",
    "1 bottles with a wrong number of openers; the first is 4",
    REBUILD
)]
#[case::counts(
    "UPDATE cells SET count = count + 1 WHERE level = 6",
    "cells of the map with wrong counts",
    REBUILD
)]
#[case::counts_that_cancel_out(
    "UPDATE cells SET count = count + 5 WHERE (level, y, x) IN
         (SELECT level, y, x FROM cells WHERE level = 14 ORDER BY y LIMIT 1);
     INSERT INTO cells VALUES (14, 0, 0, -5)",
    "2 cells of the map with wrong counts",
    REBUILD
)]
#[case::node(
    "DELETE FROM bottles_rtree_rowid WHERE rowid & 2147483647 = 1",
    "the R*-tree is damaged",
    REBUILD
)]
#[case::not_on_the_map(
    "DELETE FROM map_bottles WHERE place & 2147483647 = 5;
     DELETE FROM bottles_rtree WHERE place & 2147483647 = 5",
    "1 bottles that are missing on the map, or shown with other values; the first is 5",
    REBUILD
)]
#[case::shown_with_another_address(
    "UPDATE map_bottles SET formatted_address = 'elsewhere' WHERE place & 2147483647 = 6",
    "1 bottles that are missing on the map, or shown with other values; the first is 6",
    REBUILD
)]
#[case::on_the_map_only(
    "INSERT INTO map_bottles VALUES (99, 1, 0, 1, 1, '', NULL);
     INSERT INTO bottles_rtree VALUES (99, 1, 1, 1, 1)",
    "1 bottles on the map that do not exist, or are hidden; the first is 99",
    REBUILD
)]
#[case::no_message(
    "DELETE FROM messages WHERE bottle_id = 8",
    "1 bottles without their message; the first is 8",
    "bottle restore FILE"
)]
#[case::foreign_key(
    "DELETE FROM users WHERE username = 'bob'",
    "30 rows of openings refer (in opener_id) to missing rows of users",
    "PRAGMA foreign_key_check"
)]
fn each_is_found_and_mended(#[case] spoil: &str, #[case] what: &str, #[case] remedy: &str) {
    let folder = sea();
    assert_eq!(check(folder.path(), &[]), (true, "bottle.db: nothing is wrong\n".into()));
    let db = folder.path().join("bottle.db");
    sql(&db, &format!("DROP TRIGGER opening_uncounted; {spoil};"));
    restore_trigger(&db);
    let before = fs::read(&db).unwrap();
    let (ok, output) = check(folder.path(), &[]);
    assert!(!ok && output.contains(what), "{output}");
    assert_eq!(fs::read(&db).unwrap(), before, "it only looks");
    assert!(output.contains(remedy), "{output}");
    if remedy == REBUILD {
        let (ok, output) = check(folder.path(), &["--rebuild-index"]);
        assert!(ok && output.contains("rebuilt from 30 bottles"), "{output}");
    }
}

/// The schema is compared with what it must be.
fn restore_trigger(db: &Path) {
    let schema =
        bottle::store::migrate::schema_of(bottle::store::migrate::newest_version()).unwrap();
    let (_, create) = schema.iter().find(|(name, _)| name == "opening_uncounted").unwrap();
    sql(db, create);
}

#[rstest]
#[case::torn(|bytes: &mut Vec<u8>| {
    let message = bytes.windows(9).rposition(|text| text == b"a message").unwrap();
    let end = message - message % 4096 + 4096;
    bytes[end - 1024..end].fill(0);
})]
#[case::overwritten(|bytes: &mut Vec<u8>| bytes[8192..12_288].fill(0xA5))]
#[case::cut(|bytes: &mut Vec<u8>| { let half = bytes.len() / 2; bytes.truncate(half); })]
fn damaged_pages_are_found(#[case] spoil: fn(&mut Vec<u8>)) {
    let folder = sea();
    let db = folder.path().join("bottle.db");
    let mut bytes = fs::read(&db).unwrap();
    spoil(&mut bytes);
    fs::write(&db, bytes).unwrap();
    let (ok, output) = check(folder.path(), &[]);
    assert!(!ok && output.contains("the file is damaged"), "{output}");
    assert!(output.contains("bottle restore FILE") && output.contains(".recover"), "{output}");
}

#[test]
fn a_database_in_use_is_checked_but_not_rebuilt() {
    let folder = sea();
    let _program = Program::start(bottle(folder.path(), &[]));
    assert!(check(folder.path(), &[]).0);
    let (ok, output) = check(folder.path(), &["--rebuild-index"]);
    assert!(!ok && output.contains("in use by another Bottle"), "{output}");
}

#[test]
fn a_foreign_file_is_not_checked() {
    let folder = tempfile::tempdir().unwrap();
    assert!(check(folder.path(), &[]).1.contains("bottle.db: No such file"));
    fs::write(folder.path().join("bottle.db"), "Dear diary").unwrap();
    assert!(check(folder.path(), &[]).1.contains("not an SQLite database"));
}
