//! A standby: it answers what it is asked and changes nothing, it sees what its follower writes, and it
//! becomes the primary. Litestream itself follows in `tests/faults/standby.rs`; here its writes are
//! imitated, with the counter in the header left as it was.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use bottle::store::backup;
use bottle_test_support::{
    App, Client, Program, bottle, fast_settings_with, file_names, run_err, run_ok,
};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::credentials::By;
use crate::session_races::WRITES;

const PRIMARY: &str = "http://192.0.2.1:8000";

/// Copies a database as a follower does: byte by byte over the pages of the file that is there, and with
/// the header of a file that is not in WAL mode.
fn follow(from: &Path, to: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    backup::backup(from, &copy, |_, _| {}).unwrap();
    let mut pages = fs::read(&copy).unwrap();
    pages[18..20].fill(1);
    if let Ok(old) = fs::read(to) {
        pages[24..28].copy_from_slice(&old[24..28]);
        pages[92..96].copy_from_slice(&old[92..96]);
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(to).unwrap();
    std::io::Write::write_all(&mut file, &pages).unwrap();
    file.set_len(pages.len() as u64).unwrap();
    fs::write(position(to), "0000000000000001\n").unwrap();
}

/// The file in which the follower of a database keeps its position.
fn position(database: &Path) -> PathBuf {
    database.with_file_name("bottle.db-txid")
}

/// A folder with a standby's file, a copy of the app's.
fn followed(app: &App) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bottle.db");
    follow(&app.database(), &path);
    (folder, path)
}

fn serve(folder: &TempDir, args: &[&str], settings: &str) -> Command {
    let mut command = bottle(folder.path(), args);
    command.env("ROCKET_BOTTLE", fast_settings_with(settings));
    command
}

fn standby(folder: &TempDir) -> Program {
    let settings = format!("primary_url=\"{PRIMARY}\"");
    Program::start(serve(folder, &["serve", "--standby"], &settings))
}

/// The client of an app, at another server.
fn at(program: &Program, client: &Client) -> Client {
    let mut other = program.client();
    other.headers.clone_from(&client.headers);
    other
}

#[test]
fn a_standby_answers_reads_and_changes_nothing() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(1.0, 1.0);
    let credentials = [By::Cookie, By::Jwt, By::Bearer, By::Terminal]
        .map(|by| (by, by.header(&by.log_in(&app, "ada", "pass"))));
    let (folder, path) = followed(&app);
    let program = standby(&folder);
    let (before, names) = (fs::read(&path).unwrap(), file_names(folder.path()));

    let there = at(&program, &ada);
    assert_eq!(there.get("/api/users/self").data()["username"], "ada");
    assert_eq!(there.get("/api/bottles/created").data()["bottles"][0]["content"], "a message");
    let export = "/api/users/self/export";
    assert_eq!(there.get(export).text, ada.get(export).text);
    let rectangle = "latitude=1&longitude=1&latitude_span=1&longitude_span=1";
    let nearby = format!("/api/bottles/nearby?{rectangle}");
    assert_eq!(there.get(&nearby).text, ada.get(&nearby).text);
    assert_eq!(program.client().get("/api/settings").data()["primary_url"], PRIMARY);

    let json = [("Content-Type", "application/json")];
    let logins = [
        (By::Cookie, "POST", "/api/sessions", r#"{"username":"ada","password":"pass"}"#),
        (By::Jwt, "POST", "/user/login", r#"{"name":"ada","password":"pass"}"#),
        (By::Bearer, "POST", "/api/user/login", r#"{"email":"ada","password":"pass"}"#),
        (By::Terminal, "POST", "/auth/register", r#"{"user_id":"eve","password":"pass"}"#),
    ];
    for (by, method, path, body) in WRITES.iter().chain(&logins) {
        let (_, (name, value)) = credentials.iter().find(|(found, _)| found == by).unwrap();
        let mut client = program.client();
        client.headers = vec![((*name).to_owned(), value.clone())];
        let response = client.send(method, path, &json, Some(body.as_bytes()));
        if *method == "GET" {
            assert_eq!(response.status, 200, "{path}: {}", response.text);
            continue;
        }
        assert!(response.text.contains(PRIMARY), "{path}: {}", response.text);
        // Music has a code of its own for what it cannot do now.
        let expected = if path.starts_with("/api/user/") { 400 } else { 503 };
        assert_eq!(response.status, expected, "{path}: {}", response.text);
    }
    let response = program.client().post("/api/bottles", &json!({})).json();
    assert_eq!(response["status"], "STANDBY");
    assert_eq!(response["data"], json!({ "primary_url": PRIMARY }));

    drop(program);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(file_names(folder.path()), names);
}

#[test]
fn a_standby_sees_what_its_follower_writes() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(1.0, 1.0);
    let (folder, path) = followed(&app);
    let program = standby(&folder);
    let there = at(&program, &ada);
    let count = || there.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len();
    assert_eq!(count(), 1);

    let live = "/api/bottles/live?latitude=0&longitude=0&latitude_span=9&longitude_span=9";
    let mut events = there.stream(live, &[]);
    let id = ada.throw(2.0, 2.0);
    follow(&app.database(), &path);
    assert_eq!(count(), 2);
    assert_eq!(there.get(&format!("/api/bottles/{id}/openers")).status, 200);
    let mut seen = String::new();
    while !seen.contains("event:reset") && !seen.contains("event: reset") {
        let mut bytes = [0; 256];
        let length = events.read(&mut bytes).unwrap();
        seen += std::str::from_utf8(&bytes[..length]).unwrap();
    }

    // A logout at the primary is one here too.
    assert_eq!(ada.delete("/api/sessions/self").status, 200);
    follow(&app.database(), &path);
    assert_eq!(there.get("/api/users/self").status, 401);
}

#[test]
fn the_health_of_a_standby_tells_its_lag() {
    let app = App::with(|settings| settings.heartbeat_seconds = 1);
    let (folder, path) = followed(&app);
    let program = standby(&folder);
    let health = |status| {
        let response = program.client().get("/readyz");
        assert_eq!(response.status, status, "{}", response.text);
        response.json()
    };
    while health(200)["lag_seconds"].is_null() {
        follow(&app.database(), &path);
        thread::yield_now();
    }
    let Value::Object(fields) = health(200) else { panic!() };
    assert_eq!(fields["primary_url"], PRIMARY);
    assert!(!fields.contains_key("epoch"));

    // A follower that restores anew makes another file.
    let other = folder.path().join("other.db");
    fs::copy(&path, &other).unwrap();
    fs::rename(&other, &path).unwrap();
    while program.client().get("/readyz").status == 200 {
        thread::yield_now();
    }
    assert_eq!(health(503)["status"], "the file was replaced; restart the standby");
}

#[test]
fn a_restored_file_leaves_wal_mode() {
    let app = App::new();
    let (folder, path) = followed(&app);
    let mut pages = fs::read(&path).unwrap();
    pages[18..20].fill(2);
    fs::write(&path, pages).unwrap();
    let program = standby(&folder);
    assert_eq!(program.client().get("/readyz").status, 200);
    assert_eq!(fs::read(&path).unwrap()[18..20], [1, 1]);
    assert_eq!(file_names(folder.path()), ["bottle.db", "bottle.db-txid"]);
}

#[test]
fn only_a_standby_serves_a_followers_file() {
    let app = App::new();
    app.user("ada");
    let (folder, path) = followed(&app);
    let before = fs::read(&path).unwrap();
    let sample = fs::canonicalize("bottle.db.sample").unwrap();
    for args in [
        &["serve"][..],
        &["restore", sample.to_str().unwrap()],
        &["user", "logout", "ada"],
        &["keys", "rotate", "--yes"],
        &["check", "--rebuild-index"],
    ] {
        run_err(folder.path(), args, "belongs to a standby");
    }
    assert!(run_ok(folder.path(), &["check"]).contains("nothing is wrong"));
    assert!(run_ok(folder.path(), &["user", "list"]).contains("ada"));
    assert_eq!(fs::read(&path).unwrap(), before);
    run_err(folder.path(), &["serve", "--standby"], "set primary_url");

    // A primary's file is not a standby's.
    let settings = format!("primary_url=\"{PRIMARY}\"");
    fs::remove_file(position(&path)).unwrap();
    fs::write(folder.path().join("bottle.db-wal"), "a log").unwrap();
    let refused = Program::try_start(serve(&folder, &["serve", "--standby"], &settings));
    assert!(refused.is_err_and(|error| error.contains("is the file of a primary")));
    let unserved = tempfile::tempdir().unwrap();
    fs::copy("bottle.db.sample", unserved.path().join("bottle.db")).unwrap();
    let refused = Program::try_start(serve(&unserved, &["serve", "--standby"], &settings));
    assert!(refused.is_err_and(|error| error.contains("has no keys")));
}

#[test]
fn a_standby_is_promoted_and_the_old_primary_stays_down() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(1.0, 1.0);
    let (folder, path) = followed(&app);
    let program = standby(&folder);
    run_err(folder.path(), &["promote"], "is in use by another Bottle");
    drop(program);
    let follower = File::open(&path).unwrap();
    run_err(folder.path(), &["promote"], &format!("process {}", std::process::id()));
    drop(follower);
    assert!(run_ok(folder.path(), &["promote"]).contains("promoted to epoch 1"));
    assert_eq!(file_names(folder.path()), ["bottle.db"]);

    let primary = Program::start(bottle(folder.path(), &[]));
    assert_eq!(primary.client().get("/readyz").json(), json!({ "status": "ok", "epoch": 1 }));
    at(&primary, &ada).throw(2.0, 2.0);

    let old = app.stop();
    let peer = format!("peer_url=\"http://127.0.0.1:{}\"", primary.port);
    let refused = Program::try_start(serve(&old, &[], &peer)).map(drop).unwrap_err();
    assert!(refused.contains("is the primary (epoch 1; this database has 0)"), "{refused}");

    // It starts if nobody answers, and beside its own standby.
    drop(primary);
    drop(Program::start(serve(&old, &[], &peer)));
    for name in file_names(folder.path()) {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    follow(&old.path().join("bottle.db"), &path);
    let standby = standby(&folder);
    let peer = format!("peer_url=\"http://127.0.0.1:{}\"", standby.port);
    drop(Program::start(serve(&old, &[], &peer)));
}

#[test]
fn an_unsound_file_is_not_promoted() {
    let app = App::new();
    app.user("ada").throw(1.0, 1.0);
    let (folder, path) = followed(&app);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA foreign_keys = off; DELETE FROM messages").unwrap();
    drop(db);
    let before = fs::read(&path).unwrap();
    run_err(folder.path(), &["promote"], "is not sound");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(position(&path).exists());
}

#[rstest]
#[case::with_a_path("primary_url=\"http://a.example/b\"", "primary_url is not a URL")]
#[case::over_https("peer_url=\"https://a.example\"", "peer_url is over https")]
fn addresses_of_other_machines_are_checked(#[case] settings: &str, #[case] message: &str) {
    let folder = tempfile::tempdir().unwrap();
    let refused = Program::try_start(serve(&folder, &[], settings)).map(drop).unwrap_err();
    assert!(refused.contains(message), "{refused}");
}

/// A machine that answers with something else is no primary.
#[test]
fn a_peer_that_is_not_bottle_is_ignored() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = other.accept().unwrap();
        std::io::Write::write_all(&mut socket, b"HTTP/1.1 200 OK\r\n\r\nhello").unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let peer = format!("peer_url=\"http://127.0.0.1:{port}\"");
    drop(Program::start(serve(&folder, &[], &peer)));
}
