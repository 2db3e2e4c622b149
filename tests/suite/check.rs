//! `bottle check`: the faults that it finds, and its advice.

use std::fs;
use std::path::Path;

use bottle_test_support::{App, Client, Program, bottle};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

fn sql(path: &Path, sql: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!("PRAGMA foreign_keys = off; {sql}")).unwrap();
}

/// A database with bottles, openings and a few threads that nobody serves. Bob has an unread reply,
/// and the last account is blocked by the owner.
fn sea() -> tempfile::TempDir {
    let app = App::new();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    let post = |client: &Client, path: &str, body: Value| {
        let response = client.post(path, &body);
        assert_eq!(response.status, 200, "{}", response.text);
    };
    for n in 0..30 {
        let id = ada.throw(f64::from(n), f64::from(n));
        post(&bob, &format!("/api/bottles/{id}/open"), json!({}));
    }
    post(&eve, "/api/bottles/2/open", json!({}));
    for bottle in [1, 2] {
        let path = format!("/api/bottles/{bottle}/replies");
        post(&bob, &path, json!({ "content": "Found it!" }));
        post(&bob, &path, json!({ "content": "A second" }));
        post(&ada, &path, json!({ "content": "Well done", "opener_id": 2 }));
    }
    post(&eve, "/api/bottles/2/replies", json!({ "content": "Me too" }));
    let blocked = json!({ "blocked": true });
    assert_eq!(ada.put("/api/users/3/block", &blocked).status, 200);
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
     INSERT INTO cells (level, y, x, count) VALUES (14, 0, 0, -5)",
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
#[case::thread_without_opening(
    "DROP TRIGGER opening_gone; DELETE FROM openings WHERE bottle_id = 2 AND opener_id = 3",
    "1 rows of threads refer (in bottle_id) to missing rows of openings",
    "PRAGMA foreign_key_check"
)]
#[case::reply_without_thread(
    "DELETE FROM threads WHERE bottle_id = 1",
    "3 rows of replies refer (in bottle_id) to missing rows of threads",
    "PRAGMA foreign_key_check"
)]
#[case::block_of_nobody(
    "INSERT INTO blocks VALUES (1, 99, 1)",
    "1 rows of blocks refer (in blocked_id) to missing rows of users",
    "PRAGMA foreign_key_check"
)]
#[case::item_of_no_bottle(
    "INSERT INTO inbox_items (user_id, kind, bottle_id, created_at) VALUES (1, 'shown', 99, 1)",
    "1 rows of inbox_items refer (in bottle_id) to missing rows of bottles",
    "PRAGMA foreign_key_check"
)]
#[case::thread_replies(
    "UPDATE threads SET replies_count = 9 WHERE bottle_id = 1",
    "1 bottles with wrong counts in a thread; the first is 1",
    REBUILD
)]
#[case::thread_last_reply(
    "UPDATE threads SET last_reply_id = 1 WHERE bottle_id = 1",
    "1 bottles with wrong counts in a thread; the first is 1",
    REBUILD
)]
#[case::thread_without_last_reply(
    "UPDATE threads SET last_reply_id = NULL WHERE bottle_id = 1",
    "1 bottles with wrong counts in a thread; the first is 1",
    REBUILD
)]
#[case::thread_owner_unread(
    "UPDATE threads SET owner_unread = 0 WHERE bottle_id = 1",
    "1 bottles with wrong counts in a thread; the first is 1",
    REBUILD
)]
#[case::thread_opener_unread(
    "UPDATE threads SET opener_unread = 0 WHERE bottle_id = 1",
    "1 bottles with wrong counts in a thread; the first is 1",
    REBUILD
)]
#[case::not_marked_as_blocked(
    "UPDATE threads SET owner_blocks = 0 WHERE opener_id = 3",
    "1 bottles with a thread that is wrongly marked as blocked, or not; the first is 2",
    REBUILD
)]
#[case::marked_as_blocked(
    "UPDATE threads SET owner_blocks = 1 WHERE bottle_id = 1",
    "1 bottles with a thread that is wrongly marked as blocked, or not; the first is 1",
    REBUILD
)]
#[case::bottle_replies(
    "UPDATE bottles SET replies_count = 4 WHERE id = 2",
    "1 bottles with a wrong number of replies; the first is 2",
    REBUILD
)]
#[case::bottle_unread(
    "UPDATE bottles SET unread_count = 0 WHERE id = 2",
    "1 bottles with a wrong number of replies; the first is 2",
    REBUILD
)]
#[case::inbox_items(
    "UPDATE users SET inbox_count = 1000 WHERE username = 'bob'",
    "1 accounts with a wrong number of inbox items; the first is bob",
    REBUILD
)]
#[case::inbox_unread(
    "UPDATE users SET inbox_unread = 0 WHERE username = 'bob'",
    "1 accounts with a wrong number of inbox items; the first is bob",
    REBUILD
)]
#[case::ended_but_on_the_map(
    "DROP TRIGGER bottle_leaves; UPDATE bottles SET ended_at = 1 WHERE id = 5",
    "1 bottles on the map that do not exist, or are hidden; the first is 5",
    REBUILD
)]
#[case::shown_with_another_distance(
    "UPDATE map_bottles SET open_within_m = 100 WHERE place & 2147483647 = 6",
    "1 bottles that the map shows with another distance within which they can be opened; the first is 6",
    REBUILD
)]
fn each_is_found_and_mended(#[case] spoil: &str, #[case] what: &str, #[case] remedy: &str) {
    let folder = sea();
    assert_eq!(check(folder.path(), &[]), (true, "bottle.db: nothing is wrong\n".into()));
    let db = folder.path().join("bottle.db");
    sql(&db, &format!("DROP TRIGGER opening_uncounted; {spoil};"));
    restore_triggers(&db);
    let before = fs::read(&db).unwrap();
    let (ok, output) = check(folder.path(), &[]);
    assert!(!ok && output.contains(what), "{output}");
    assert_eq!(fs::read(&db).unwrap(), before, "it only looks");
    assert!(output.contains(remedy), "{output}");
    if remedy == REBUILD {
        let (ok, output) = check(folder.path(), &["--rebuild-index"]);
        assert!(ok && output.contains("rebuilt from 30 bottles"), "{output}");
        assert_eq!(check(folder.path(), &[]), (true, "bottle.db: nothing is wrong\n".into()));
    }
}

/// The schema is compared with what it must be.
fn restore_triggers(db: &Path) {
    let schema =
        bottle::store::migrate::schema_of(bottle::store::migrate::newest_version()).unwrap();
    let has = |name: &str| {
        let sql = "SELECT 1 FROM sqlite_schema WHERE name = ?1";
        Connection::open(db).unwrap().prepare(sql).unwrap().exists([name]).unwrap()
    };
    for (name, create) in schema.iter().filter(|(name, _)| !has(name)) {
        assert!(create.starts_with("CREATE TRIGGER"), "{name}");
        sql(db, create);
    }
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
