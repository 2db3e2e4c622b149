//! The state of the server, for its operators.

use bottle_test_support::{App, Client, Program, bottle, fast_settings_with, run_ok_with_input};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::admin_backups::wait;

fn health(root: &Client) -> Value {
    let health = root.get("/api/admin/health");
    assert_eq!(health.status, 200, "{}", health.text);
    health.data()
}

#[test]
fn the_state_has_versions_sizes_and_counts() {
    let app = App::new();
    let (root, ada, bob) = (app.operator("root"), app.user("ada"), app.user("bob"));
    let bottle = ada.throw(1.0, 1.0);
    let path = |end: &str| format!("/api/bottles/{bottle}/{end}");
    assert_eq!(bob.post(&path("open"), &json!({})).status, 200);
    assert_eq!(bob.post(&path("replies"), &json!({ "content": "found" })).status, 200);
    let _stream = ada.stream("/api/inbox/live", &[]);

    let health = health(&root);
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        health["counts"],
        json!({ "accounts": 3, "bottles": 1, "openings": 1, "replies": 1, "sessions": 3 })
    );
    for size in ["database_bytes", "free_bytes"] {
        assert!(health["sizes"][size].as_u64().unwrap() > 0, "{health}");
    }
    assert_eq!(health["activity"]["streams"], 1);
    assert_eq!(health["warnings"], json!([]));
    assert_eq!(health.get("check"), None);
}

#[test]
fn a_check_says_what_is_wrong() {
    let app = App::new();
    let root = app.operator("root");
    root.throw(1.0, 1.0);
    let check = || {
        assert_eq!(root.post("/api/admin/check", &json!({})).status, 202);
        wait(&root);
        health(&root)
    };
    assert_eq!(check()["check"]["is_sound"], true);
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch("CREATE TABLE kept AS SELECT * FROM bottles_rtree; DELETE FROM bottles_rtree")
        .unwrap();
    let damaged = check();
    assert_eq!(damaged["warnings"], json!(["damaged"]));
    let finding = damaged["check"]["finding"].as_str().unwrap();
    assert!(finding.contains("without their row in the R*-tree"), "{finding}");
    db.execute_batch("INSERT INTO bottles_rtree SELECT * FROM kept").unwrap();
    assert_eq!(check()["warnings"], json!([]));
}

/// A change that waits too long for another program's lock is slow, and fails.
#[test]
fn slow_queries_and_failed_requests_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", fast_settings_with("slow_query_ms=50,busy_timeout_ms=300"));
    let program = Program::start(command);
    run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
    let mut root = program.client();
    root.log_in("root", "pass");
    let other = Connection::open(folder.path().join("bottle.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ada = json!({ "username": "ada", "password": "pass" });
    assert_eq!(program.client().post("/api/users", &ada).status, 503);
    other.execute_batch("ROLLBACK").unwrap();
    let activity = health(&root)["activity"].clone();
    assert!(activity["slow_queries"].as_u64().unwrap() >= 1, "{activity}");
    assert!(activity["failed_requests"].as_u64().unwrap() >= 1, "{activity}");
}

#[test]
fn a_file_that_was_moved_away_is_told_until_it_is_back() {
    let app = App::new();
    let root = app.operator("root");
    let away = app.folder().join("away.db");
    std::fs::rename(app.database(), &away).unwrap();
    assert_eq!(health(&root)["warnings"], json!(["file_replaced"]));
    let ready = root.get("/readyz");
    let reason = json!({ "status": "the database was replaced or deleted" });
    assert_eq!((ready.status, ready.json()), (503, reason));
    let bottle = json!({ "content": "c", "location": { "latitude": 1, "longitude": 1 } });
    assert_eq!(root.post("/api/bottles", &bottle).status, 503);
    std::fs::rename(&away, app.database()).unwrap();
    assert_eq!(health(&root)["warnings"], json!([]));
    assert_eq!(root.post("/api/bottles", &bottle).status, 200);
}
