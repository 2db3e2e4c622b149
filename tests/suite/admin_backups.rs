//! Backups that the server makes: by hand and every night, downloaded, failed and recovered.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use bottle::model::clock::{Clock, Timestamp};
use bottle_test_support::{
    App, Client, Program, Response, TIMEOUT, bottle, fast_settings_with, file_names, run_ok,
    run_ok_with_input,
};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn list(root: &Client) -> Value {
    let listed = root.get("/api/admin/backups");
    assert_eq!(listed.status, 200, "{}", listed.text);
    listed.data()
}

/// Returns the list once it satisfies `predicate`.
#[track_caller]
fn wait_for(root: &Client, predicate: impl Fn(&Value) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let listed = list(root);
        if predicate(&listed) {
            return listed;
        }
        assert!(began.elapsed() < TIMEOUT, "{listed}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until no backup and no check is in progress, and returns the list.
#[track_caller]
pub(crate) fn wait(root: &Client) -> Value {
    wait_for(root, |listed| listed.get("running").is_none())
}

fn start(root: &Client) -> Response {
    root.post("/api/admin/backups", &json!({}))
}

#[track_caller]
fn back_up(root: &Client) -> Value {
    let started = start(root);
    assert_eq!(started.status, 202, "{}", started.text);
    wait(root)
}

fn set(root: &Client, setting: &str, value: u32) -> Response {
    root.put(&format!("/api/admin/settings/{setting}"), &json!({ "value": value }))
}

fn count(listed: &Value) -> usize {
    listed["backups"].as_array().unwrap().len()
}

fn folder(app: &App) -> PathBuf {
    app.folder().join("backups")
}

#[test]
fn a_backup_is_made_listed_and_downloaded_and_bottle_restore_takes_it() {
    let app = App::new();
    let (root, ada) = (app.operator("root"), app.user("ada"));
    ada.throw(1.0, 1.0);
    assert_eq!(count(&list(&root)), 0);
    let listed = back_up(&root);
    let backup = &listed["backups"][0];
    let name = backup["name"].as_str().unwrap();
    assert_eq!((count(&listed), &backup["verdict"]), (1, &json!("sound")));
    assert_eq!(listed.get("failure"), None);
    assert_eq!(file_names(&folder(&app)), [name]);
    assert_eq!(listed["folder"], folder(&app).to_str().unwrap());

    let (headers, bytes) = root.download(&format!("/api/admin/backups/{name}"));
    assert_eq!(headers["content-type"], "application/vnd.sqlite3");
    assert_eq!(headers["content-length"], bytes.len().to_string());
    assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{name}\""));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(backup["bytes"], bytes.len());
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("download.db"), &bytes).unwrap();
    let restored = run_ok(elsewhere.path(), &["restore", "download.db"]);
    assert!(restored.contains("2 accounts, 1 bottles"), "{restored}");
    run_ok(elsewhere.path(), &["check"]);

    let actions: Vec<String> = Connection::open(app.database())
        .unwrap()
        .prepare("SELECT actor || ' ' || action FROM audit_log WHERE actor IS NOT NULL ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(actions, ["root back_up", "root download_backup"]);
}

/// The copy is of one moment, and what is written meanwhile is not lost.
#[test]
fn writes_go_on_beside_a_backup() {
    let app = App::new();
    let (root, ada) = (app.operator("root"), app.user("ada"));
    for _ in 0..3 {
        assert_eq!(start(&root).status, 202);
        while list(&root).get("running").is_some() {
            ada.throw(1.0, 1.0);
        }
    }
    let thrown = ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len();
    let folder = app.stop();
    run_ok(folder.path(), &["check"]);
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let stored: i64 = db.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, thrown as i64);
}

/// Another program holds the lock, so the first request waits between its start and its answer.
#[test]
fn there_is_one_backup_at_a_time() {
    let app = App::with(|settings| settings.busy_timeout_ms = 60_000);
    let root = app.operator("root");
    let other = Connection::open(app.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| start(&root));
        while app.blocked_changes() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        for path in ["backups", "check"] {
            let second = root.post(&format!("/api/admin/{path}"), &json!({}));
            assert_eq!((second.status, &second.json()["status"]), (409, &json!("BUSY")));
        }
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(first.join().unwrap().status, 202);
    });
    assert_eq!(count(&wait(&root)), 1);
    assert_eq!(count(&back_up(&root)), 2);
}

/// Each role on each route: visitor, user, teacher, operator.
#[rstest]
#[case("GET", "backups", [401, 403, 403, 200])]
#[case("POST", "backups", [401, 403, 403, 202])]
#[case("GET", "backups/bottle-20261121T030000.000Z.db", [401, 403, 403, 404])]
#[case("POST", "check", [401, 403, 403, 202])]
#[case("GET", "health", [401, 403, 403, 200])]
#[case("GET", "settings", [401, 403, 403, 200])]
#[case("PUT", "settings/backup_hour", [401, 403, 403, 200])]
fn every_role_gets_what_is_its_own(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: [u16; 4],
) {
    let app = App::new();
    let clients = [app.anon(), app.user("ada"), app.teacher("grace"), app.operator("root")];
    for (client, expected) in clients.iter().zip(expected) {
        let body = (method == "PUT").then_some(&br#"{"value":4}"#[..]);
        let headers = [("Content-Type", "application/json")];
        let response = client.send(method, &format!("/api/admin/{path}"), &headers, body);
        assert_eq!(response.status, expected, "{method} {path}: {}", response.text);
    }
    assert_eq!(count(&wait(&clients[3])), usize::from(method == "POST" && path == "backups"));
}

/// Only the list's own names are served, and neither links nor the database itself.
#[test]
fn a_name_leads_to_no_other_file() {
    let app = App::new();
    let root = app.operator("root");
    let name = back_up(&root)["backups"][0]["name"].as_str().unwrap().to_owned();
    let at = |name: &str| folder(&app).join(name);
    let [link, hard, other, pipe] =
        [1, 2, 3, 4].map(|n| format!("bottle-2026112{n}T030000.000Z.db"));
    symlink(at(&name), at(&link)).unwrap();
    fs::hard_link(app.database(), at(&hard)).unwrap();
    let theirs = App::new();
    let there = theirs.operator("eve");
    let theirs_name = back_up(&there)["backups"][0]["name"].as_str().unwrap().to_owned();
    fs::copy(folder(&theirs).join(theirs_name), at(&other)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at(&pipe)).status().unwrap().success());
    fs::write(at("bottle-notes.db"), "Dear diary").unwrap();
    fs::copy(at(&name), at("copy.db")).unwrap();
    assert_eq!(count(&list(&root)), 1);

    let tricks = [
        link.as_str(),
        &hard,
        &other,
        &pipe,
        "bottle-notes.db",
        "copy.db",
        "..%2Fbottle.db",
        "%2E%2E%2Fbottle.db",
        "..%5Cbottle.db",
        "%2Fetc%2Fpasswd",
        "bottle.db",
        ".",
        "..",
        "bottle-20991231T000000.000Z.db",
        &format!("{name}%00"),
        &format!("{name}%2F"),
        &format!("{name}%0d%0aX-Header:1"),
        &format!("..%2Fbackups%2F{name}"),
        &name.to_uppercase(),
    ]
    .map(str::to_owned);
    for trick in tricks {
        let response = root.get(&format!("/api/admin/backups/{trick}"));
        assert_eq!(response.status, 404, "{trick}: {}", response.text);
    }
    root.download(&format!("/api/admin/backups/{name}"));
    assert_eq!(root.get("/api/users/self").status, 200);
}

#[test]
fn a_failed_backup_is_shown_until_one_is_made() {
    let app = App::with(|settings| settings.backup_folder = "elsewhere".into());
    let root = app.operator("root");
    let warnings = || root.get("/api/admin/health").data()["warnings"].clone();
    let listed = back_up(&root);
    let reason = listed["failure"]["reason"].as_str().unwrap();
    assert!(reason.contains("elsewhere") && reason.contains("No such file"), "{reason}");
    assert_eq!((count(&listed), warnings()), (0, json!(["backup_failed"])));
    let health = root.get("/api/admin/health").data();
    assert_eq!(health["backup_failure"], listed["failure"]);

    // It is kept.
    let app = App::over(app.stop(), |settings| settings.backup_folder = "elsewhere".into());
    let mut root = app.anon();
    root.log_in("root", "pass");
    assert_eq!(list(&root)["failure"], listed["failure"]);
    fs::create_dir(app.folder().join("elsewhere")).unwrap();
    let listed = back_up(&root);
    assert_eq!((count(&listed), listed.get("failure")), (1, None));
    assert_eq!(root.get("/api/admin/health").data()["warnings"], json!([]));
}

/// What stands in the place of the folder is a failure, and the list says so too.
#[test]
fn a_folder_that_cannot_be_read_is_shown() {
    let app = App::new();
    let root = app.operator("root");
    fs::write(folder(&app), "Dear diary").unwrap();
    let listed = back_up(&root);
    for reason in [&listed["unreadable"], &listed["failure"]["reason"]] {
        assert!(reason.as_str().unwrap().contains("Not a directory"), "{listed}");
    }
    let name = "bottle-20261121T030000.000Z.db";
    assert_eq!(root.get(&format!("/api/admin/backups/{name}")).status, 503);
    assert_eq!(root.get("/api/admin/health").status, 200);
    assert_eq!(fs::read_to_string(folder(&app)).unwrap(), "Dear diary");
}

/// The check of the copy finds what is wrong with the database.
#[test]
fn a_damaged_database_makes_no_backup() {
    let app = App::new();
    let root = app.operator("root");
    root.throw(1.0, 1.0);
    let db = Connection::open(app.database()).unwrap();
    db.execute("DELETE FROM bottles_rtree", []).unwrap();
    let listed = back_up(&root);
    assert!(listed["failure"]["reason"].as_str().unwrap().contains("is not sound"), "{listed}");
    assert_eq!(file_names(&folder(&app)), [""; 0]);
    let health = root.get("/api/admin/health").data();
    assert_eq!(health["warnings"], json!(["backup_failed", "damaged"]));
}

/// Night after night, the backups beyond the number to keep are deleted, also those made by hand.
#[test]
fn every_night_has_a_backup_and_the_newest_are_kept() {
    let app = App::new();
    let root = app.operator("root");
    let by_hand = back_up(&root)["backups"][0]["name"].clone();
    assert_eq!(set(&root, "backup_keep", 3).status, 200);
    assert_eq!(list(&root)["schedule"]["keep"], 3);
    let mut names = vec![by_hand];
    for _ in 0..4 {
        app.clock.advance(DAY);
        let newest = names.last().unwrap().clone();
        let listed = wait_for(&root, |listed| {
            listed.get("running").is_none() && listed["backups"][0]["name"] != newest
        });
        names.push(listed["backups"][0]["name"].clone());
        assert_eq!(count(&listed), names.len().min(3));
    }
    let kept: Vec<_> = list(&root)["backups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backup| backup["name"].clone())
        .collect();
    assert_eq!(kept, [&names[4], &names[3], &names[2]].map(Clone::clone));
}

/// The next night, on the server's clock, is within a day.
#[test]
fn the_schedule_is_shown_and_ends() {
    let app = App::new();
    let root = app.operator("root");
    assert_eq!(list(&root)["schedule"], json!({ "hour": 3, "keep": 0 }));
    set(&root, "backup_keep", 7);
    set(&root, "backup_hour", 23);
    let schedule = list(&root)["schedule"].clone();
    let next: Timestamp = serde_json::from_value(schedule["next_at"].clone()).unwrap();
    let wait = next.millis() - app.clock.now().millis();
    assert!((0..=25 * 60 * 60 * 1000).contains(&wait), "{schedule}");
    assert_eq!((schedule["hour"].as_i64(), schedule["keep"].as_i64()), (Some(23), Some(7)));
    set(&root, "backup_keep", 0);
    assert_eq!(list(&root)["schedule"], json!({ "hour": 23, "keep": 0 }));
    let nights = "SELECT count(*) FROM meta WHERE key = 'backup_night'";
    let db = Connection::open(app.database()).unwrap();
    assert_eq!(db.query_row(nights, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// The server was off at the hour: its start makes up for one backup, however many nights it missed.
#[rstest]
#[case::off_last_night(1)]
#[case::off_for_a_month(30)]
fn a_missed_night_is_made_up_for_at_the_start(#[case] days: u32) {
    let app = App::new();
    let root = app.operator("root");
    set(&root, "backup_keep", 7);
    let folder = app.stop();
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let today = Clock::default().now().local().date();
    let missed = today - chrono::Days::new(days.into()) - chrono::Days::new(1);
    db.execute("UPDATE meta SET value = ?1 WHERE key = 'backup_night'", [missed.to_string()])
        .unwrap();
    let app = App::over(folder, |_| {});
    let mut root = app.anon();
    root.log_in("root", "pass");
    let listed = wait_for(&root, |listed| count(listed) == 1 && listed.get("running").is_none());
    let stored = || -> String {
        let sql = "SELECT value FROM meta WHERE key = 'backup_night'";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert!(stored() >= (today - chrono::Days::new(1)).to_string());

    // Another start makes none.
    let app = App::over(app.stop(), |_| {});
    let mut root = app.anon();
    root.log_in("root", "pass");
    app.clock.advance(DAY);
    let later = wait_for(&root, |later| count(later) > 1 && later.get("running").is_none());
    assert_eq!((count(&later), &later["backups"][1]), (2, &listed["backups"][0]));
}

/// What a killed server left is deleted at the start, and what a program still writes is not.
#[test]
fn the_start_deletes_what_a_killed_server_left() {
    let app = App::new();
    back_up(&app.operator("root"));
    let folder = app.stop();
    let backups = folder.path().join("backups");
    let [left, locked] =
        [".bottle-copy-left", ".bottle-copy-locked"].map(|name| backups.join(name));
    fs::write(&left, "half a page").unwrap();
    let lock = fs::File::create(&locked).unwrap();
    lock.lock().unwrap();
    let _app = App::over(folder, |_| {});
    assert!(!left.exists() && locked.exists());
}

/// SIGTERM under a backup: the server ends, and leaves either the whole copy or nothing.
#[test]
fn a_shutdown_leaves_no_half_backup() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let mut program = Program::start(bottle(folder.path(), &[]));
        run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
        let mut root = program.client();
        root.log_in("root", "pass");
        assert_eq!(start(&root).status, 202);
        program.signal("TERM");
        assert!(program.status().success());
        assert_eq!(file_names(folder.path()).iter().find(|name| name.ends_with("-wal")), None);
        for name in file_names(&folder.path().join("backups")) {
            assert!(name.starts_with("bottle-"), "{name}");
            let copy = format!("backups/{name}");
            run_ok(folder.path(), &["check", "--db", &copy]);
        }
        run_ok(folder.path(), &["user", "delete", "root", "--yes", "--last-operator"]);
    }
}

/// The settings file decides, and the page cannot change it.
#[test]
fn a_schedule_of_the_settings_file_overrides_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", fast_settings_with("backup_keep=5,backup_hour=4"));
    let program = Program::start(command);
    run_ok_with_input(folder.path(), &["user", "add", "root", "--operator"], "pass\n");
    let mut root = program.client();
    root.log_in("root", "pass");
    let schedule = list(&root)["schedule"].clone();
    assert_eq!((schedule["hour"].as_i64(), schedule["keep"].as_i64()), (Some(4), Some(5)));
    let refused = set(&root, "backup_keep", 9);
    assert_eq!((refused.status, &refused.json()["status"]), (409, &json!("SETTING_OVERRIDDEN")));

    let mut command = bottle(folder.path(), &["--db", "other.db"]);
    command.env("ROCKET_BOTTLE", fast_settings_with("backup_hour=24"));
    let error = Program::try_start(command).err().unwrap();
    assert!(error.contains("backup_hour is 24"), "{error}");
}
