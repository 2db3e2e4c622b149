//! A session ends while a change that it asked for is on its way: the change is not made.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use bottle_test_support::document;
use bottle_test_support::{App, Client, Program, Response, TIMEOUT, bottle, run_ok_with_input};
use rstest::rstest;
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::credentials::By;

/// Every request whose change a session authorises, with a body that changes something. Bottle 1 is
/// the asker's own, bottles 2 and 3 are another's, and 3 is hidden.
pub(crate) const WRITES: &[(By, &str, &str, &str)] = &[
    (By::Cookie, "PUT", "/api/users/self", r#"{"nickname":"changed","gender":"female"}"#),
    (By::Cookie, "PUT", "/api/users/self", r#"{"password":"stolen"}"#),
    (By::Cookie, "PUT", "/api/users/self", r#"{"password":"stolen","current_password":"pass"}"#),
    (By::Cookie, "DELETE", "/api/users/self", r#"{"password":"pass"}"#),
    (By::Cookie, "DELETE", "/api/sessions/self", ""),
    (By::Cookie, "DELETE", "/api/sessions", ""),
    (By::Cookie, "POST", "/api/bottles", THROW),
    (By::Cookie, "POST", "/api/bottles/2/open", ""),
    (By::Cookie, "POST", "/api/bottles/2/report", r#"{"reason":"unkind"}"#),
    (By::Cookie, "DELETE", "/api/bottles/1", ""),
    (By::Cookie, "POST", "/api/bottles/catch", ""),
    (By::Cookie, "POST", "/api/bottles/4/replies", r#"{"content":"once more"}"#),
    (By::Cookie, "DELETE", "/api/replies/1", ""),
    (By::Cookie, "POST", "/api/replies/2/report", r#"{"reason":"unkind"}"#),
    (By::Cookie, "PUT", "/api/teacher/replies/2", r#"{"hidden":true}"#),
    (By::Cookie, "PUT", "/api/users/2/block", r#"{"blocked":true}"#),
    (By::Cookie, "PUT", "/api/inbox", r#"{"read_through":1}"#),
    (By::Cookie, "PUT", "/api/teacher/bottles/2", r#"{"hidden":true}"#),
    (By::Cookie, "PUT", "/api/teacher/bottles/3", r#"{"hidden":false}"#),
    (By::Cookie, "PUT", "/api/teacher/users/2", r#"{"muted_minutes":5}"#),
    (By::Cookie, "PUT", "/api/teacher/sea", r#"{"frozen":true}"#),
    (By::Cookie, "PUT", "/api/admin/registration", r#"{"registration":"closed"}"#),
    (By::Cookie, "POST", "/api/admin/invitations", r#"{"uses":2}"#),
    (By::Cookie, "DELETE", "/api/admin/invitations/1", ""),
    (By::Cookie, "POST", "/api/admin/import", POINT),
    (By::Cookie, "PUT", "/api/admin/webhook", r#"{"url":"https://example.org/"}"#),
    (By::Cookie, "POST", "/api/admin/webhook/secret", ""),
    (By::Cookie, "POST", "/api/admin/webhook/test", ""),
    (By::Cookie, "DELETE", "/api/admin/webhook", ""),
    (By::Cookie, "POST", "/api/admin/people", r#"{"username":"new"}"#),
    (By::Cookie, "POST", "/api/admin/people/import", r#"{"csv":"username\nnew\n"}"#),
    (By::Cookie, "PUT", "/api/admin/people/2", r#"{"username":"changed","role":"teacher"}"#),
    (By::Cookie, "POST", "/api/admin/people/2/password", ""),
    (By::Cookie, "PUT", "/api/admin/people/2/mute", r#"{"muted_minutes":5}"#),
    (By::Cookie, "DELETE", "/api/admin/people/2/sessions", ""),
    (By::Cookie, "DELETE", "/api/admin/people/2", ""),
    (By::Cookie, "POST", "/api/teacher/classes", r#"{"minutes":5}"#),
    (By::Cookie, "PUT", "/api/teacher/classes/1/end", ""),
    (By::Cookie, "DELETE", "/api/teacher/classes/1", ""),
    (By::Cookie, "POST", "/api/admin/backups", ""),
    (By::Cookie, "POST", "/api/admin/check", ""),
    (By::Cookie, "PUT", "/api/admin/settings/backup_keep", r#"{"value":7}"#),
    (By::Cookie, "POST", "/api/tokens", r#"{"name":"stolen","access":"full"}"#),
    (By::Cookie, "DELETE", "/api/tokens/1", ""),
    (By::Cookie, "PUT", "/users/self", r#"{"password":"stolen"}"#),
    (By::Cookie, "DELETE", "/sessions/self", ""),
    (By::Cookie, "POST", "/bottles", THROW),
    (By::Cookie, "POST", "/bottles/2/open", ""),
    (By::Jwt, "PUT", "/user", r#"{"password":"stolen"}"#),
    (By::Jwt, "DELETE", "/user", ""),
    (By::Jwt, "POST", "/card", r#"{"name":"one"}"#),
    (By::Jwt, "DELETE", "/card/1", ""),
    (By::Jwt, "POST", "/member", r#"{"name":"one"}"#),
    (By::Jwt, "DELETE", "/member/1", ""),
    (By::Jwt, "POST", "/division", r#"{"name":"one"}"#),
    (By::Jwt, "DELETE", "/division/1", ""),
    (By::Bearer, "GET", "/api/user/profile", ""),
    (
        By::Bearer,
        "PUT",
        "/api/user/update/username",
        r#"{"password":"pass","new_nickname":"changed"}"#,
    ),
    (By::Bearer, "PUT", "/api/user/update", r#"{"nickname":"changed"}"#),
    (
        By::Bearer,
        "PUT",
        "/api/user/update/password",
        r#"{"password":"pass","new_password":"stolen"}"#,
    ),
    (By::Bearer, "DELETE", "/api/user/delete", ""),
    (By::Bearer, "DELETE", "/api/user/delete", r#"{"password":"pass"}"#),
    (By::Terminal, "POST", "/auth/logout", r#"{"user_id":"ada"}"#),
];

/// A collection of GeoJSON with a point.
pub(crate) const POINT: &str = r#"{"type":"FeatureCollection","features":[{"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"name":"well"}}]}"#;

const THROW: &str = r#"{"content":"c","location":{"latitude":1,"longitude":1}}"#;

/// A server with ada, an operator, logged in by the contract `by`, who may do all of [`WRITES`]; and
/// what she asks with.
pub(crate) fn scene(by: By, path: &str) -> (App, Client) {
    let app = App::with(|settings| {
        settings.busy_timeout_ms = TIMEOUT.as_millis().try_into().unwrap();
    });
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.throw(1.0, 1.0);
    for _ in 0..3 {
        bob.throw(1.0, 1.0);
    }
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch(
        "UPDATE users SET is_teacher = 1, is_operator = 1 WHERE username = 'ada';
         INSERT INTO users (username, password_hash, nickname, gender, created_at, is_teacher, is_operator)
         VALUES ('root', '', 'root', 'unknown', 1, 1, 1);
         INSERT INTO invitations (code_hash, role, uses, created_at, expires_at)
         VALUES (x'00', 'teacher', 1, 1, 4102444800000);
         INSERT INTO access_tokens (user_id, token_hash, name, access, created_at, expires_at)
         VALUES (1, x'00', 'old', 'read', 1, 4102444800000);
         INSERT INTO webhook (id, url, form, events, secret)
         VALUES (1, 'http://127.0.0.1:9/', 'json', 'disk.low', 'whsec_AA==');
         INSERT INTO classes (code, teacher_id, opened_at, ends_at)
         VALUES ('CODE', 1, 1, 4102444800000);
         UPDATE bottles SET hidden_at = 1 WHERE id = 3;
         INSERT INTO openings VALUES (4, 1, 1);
         INSERT INTO threads (bottle_id, opener_id) VALUES (4, 1);
         INSERT INTO replies (bottle_id, opener_id, author_id, content, created_at)
         VALUES (4, 1, 1, 'hello', 1), (4, 1, 2, 'hello', 1);
         INSERT INTO inbox_items (user_id, kind, bottle_id, created_at) VALUES (1, 'shown', 1, 1);",
    )
    .unwrap();
    for (base, table) in [("/card/", "cards"), ("/member/", "members"), ("/division/", "divisions")]
    {
        if path.starts_with(base) {
            db.execute(&format!("INSERT INTO {table} (user_id, name) VALUES (1, 'one')"), [])
                .unwrap();
        }
    }
    let mut client = app.anon();
    let (name, value) = by.header(&by.log_in(&app, "ada", "pass"));
    client.headers = vec![(name.to_owned(), value)];
    (app, client)
}

fn ask(client: &Client, method: &str, path: &str, body: &str) -> Response {
    let headers = [("Content-Type", "application/json")];
    client.send(method, path, &headers, (!body.is_empty()).then_some(body.as_bytes()))
}

/// Every row of every table.
fn content(db: &Connection) -> Vec<(String, Vec<Vec<Value>>)> {
    let named = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut tables = db.prepare(named).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    tables
        .map(Result::unwrap)
        .map(|table| {
            let mut all = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let width = all.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
            let rows = all.query_map([], row).unwrap().map(Result::unwrap).collect();
            (table, rows)
        })
        .collect()
}

/// Makes `request`, and while its change waits for the file's lock, commits `meanwhile` before it as
/// another program would. Returns the answer, and whether anything changed after `meanwhile`.
pub(crate) fn overtaken(
    app: &App,
    request: impl FnOnce() -> Response + Send,
    meanwhile: impl FnOnce(&Connection),
) -> (Response, bool) {
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch("PRAGMA foreign_keys = on; BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let pending = scope.spawn(request);
        // It has passed its guard, which sees the file as it was before this transaction.
        while app.blocked_changes() == 0 {
            assert!(!pending.is_finished(), "it waited for nothing: {:?}", pending.join());
            thread::sleep(Duration::from_millis(1));
        }
        meanwhile(&db);
        let before = content(&db);
        db.execute_batch("COMMIT").unwrap();
        let response = pending.join().unwrap();
        (response, content(&db) != before)
    })
}

pub(crate) fn run(sql: &str) -> impl FnOnce(&Connection) {
    move |db| db.execute_batch(sql).unwrap()
}

/// The change of `bottle user logout ada`.
const LOG_OUT: &str = "DELETE FROM sessions WHERE user_id = 1";

#[rstest]
fn a_session_that_has_ended_changes_nothing(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    let mut survived = Vec::new();
    for (_, method, path, body) in WRITES.iter().filter(|(write_by, ..)| *write_by == by) {
        let (app, ada) = scene(by, path);
        let (response, changed) = overtaken(&app, || ask(&ada, method, path, body), run(LOG_OUT));
        if changed || response.status < 300 {
            survived.push(format!("{method} {path} {body}: {} {changed}", response.status));
        } else {
            by.check_refusal(&response, path, "invalid token", false);
        }
    }
    assert!(survived.is_empty(), "{survived:#?}");
}

/// The requests that the test above rejects succeed while the session lives.
#[rstest]
fn a_session_that_goes_on_changes_what_it_asked_for(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    for (_, method, path, body) in WRITES.iter().filter(|(write_by, ..)| *write_by == by) {
        let (app, ada) = scene(by, path);
        let (response, changed) = overtaken(&app, || ask(&ada, method, path, body), |_| {});
        assert!(response.status < 300, "{method} {path}: {}", response.text);
        assert_eq!(changed, *method != "GET", "{method} {path}");
    }
}

/// The table above is whole: the document knows of no other request that asks for a session and
/// changes something.
#[test]
fn every_write_of_a_session_is_tried() {
    let is_write = |(method, _): &(String, String)| method != "GET";
    let tried = WRITES.iter().map(|(_, method, path, _)| document::operation_for(method, path));
    let all = document::operations_with(|operation| operation.get("security").is_some());
    assert_eq!(
        tried.filter(is_write).collect::<std::collections::BTreeSet<_>>(),
        all.into_iter().filter(is_write).collect()
    );
}

#[test]
fn a_session_that_expires_meanwhile_changes_nothing() {
    let (app, ada) = scene(By::Cookie, "");
    let year = Duration::from_secs(366 * 24 * 60 * 60);
    let put = || ada.put("/api/users/self", &json!({ "password": "late" }));
    let (response, changed) = overtaken(&app, put, |_| app.clock.advance(year));
    assert_eq!((response.status, changed), (401, false), "{}", response.text);
}

/// A role and the owner of a bottle may change meanwhile too.
#[rstest]
#[case::hides("PUT", "/api/teacher/bottles/2", r#"{"hidden":true}"#, DEMOTE, 403)]
#[case::shows("PUT", "/api/teacher/bottles/3", r#"{"hidden":false}"#, DEMOTE, 403)]
#[case::mutes("PUT", "/api/teacher/users/2", r#"{"muted_minutes":5}"#, DEMOTE, 403)]
#[case::freezes("PUT", "/api/teacher/sea", r#"{"frozen":true}"#, DEMOTE, 403)]
#[case::registration("PUT", "/api/admin/registration", r#"{"registration":"closed"}"#, DEMOTE, 403)]
#[case::invites("POST", "/api/admin/invitations", "{}", DEMOTE, 403)]
#[case::invites_staff("POST", "/api/admin/invitations", r#"{"role":"teacher"}"#, TO_TEACHER, 403)]
#[case::backs_up("POST", "/api/admin/backups", "", TO_TEACHER, 403)]
#[case::checks("POST", "/api/admin/check", "", TO_TEACHER, 403)]
#[case::sets("PUT", "/api/admin/settings/backup_hour", r#"{"value":7}"#, TO_TEACHER, 403)]
#[case::revokes("DELETE", "/api/admin/invitations/1", "", TO_TEACHER, 404)]
#[case::imports("POST", "/api/admin/import", POINT, TO_TEACHER, 403)]
#[case::webhook("PUT", "/api/admin/webhook", r#"{"url":"https://example.org/"}"#, TO_TEACHER, 403)]
#[case::webhook_secret("POST", "/api/admin/webhook/secret", "", TO_TEACHER, 403)]
#[case::webhook_test("POST", "/api/admin/webhook/test", "", TO_TEACHER, 403)]
#[case::webhook_off("DELETE", "/api/admin/webhook", "", TO_TEACHER, 403)]
#[case::adds("POST", "/api/admin/people", r#"{"username":"new"}"#, TO_TEACHER, 403)]
#[case::imports(
    "POST",
    "/api/admin/people/import",
    r#"{"csv":"username\nnew\n"}"#,
    TO_TEACHER,
    403
)]
#[case::renames("PUT", "/api/admin/people/2", r#"{"username":"changed"}"#, TO_TEACHER, 403)]
#[case::sets_a_password("POST", "/api/admin/people/2/password", "", TO_TEACHER, 403)]
#[case::logs_out("DELETE", "/api/admin/people/2/sessions", "", TO_TEACHER, 403)]
#[case::deletes("DELETE", "/api/admin/people/2", "", TO_TEACHER, 403)]
#[case::opens_a_class("POST", "/api/teacher/classes", r#"{"minutes":5}"#, DEMOTE, 403)]
#[case::ends_a_class("PUT", "/api/teacher/classes/1/end", "", DEMOTE, 403)]
#[case::deletes_a_class("DELETE", "/api/teacher/classes/1", "", DEMOTE, 403)]
#[case::a_foreign_bottle(
    "DELETE",
    "/api/bottles/1",
    "",
    "UPDATE bottles SET owner_id = 2 WHERE id = 1",
    403
)]
#[case::no_bottle("DELETE", "/api/bottles/1", "", "DELETE FROM bottles WHERE id = 1", 404)]
fn authority_is_decided_inside_the_change(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] meanwhile: &str,
    #[case] status: u16,
) {
    let (app, ada) = scene(By::Cookie, path);
    let (response, changed) = overtaken(&app, || ask(&ada, method, path, body), run(meanwhile));
    assert_eq!((response.status, changed), (status, false), "{}", response.text);
}

const DEMOTE: &str = "UPDATE users SET is_teacher = 0, is_operator = 0";

const TO_TEACHER: &str = "UPDATE users SET is_operator = 0";

#[test]
fn the_log_names_a_teacher_as_they_are_called_then() {
    let (app, ada) = scene(By::Cookie, "");
    let hide = || ada.put("/api/teacher/bottles/2", &json!({ "hidden": true }));
    let rename = "UPDATE users SET username = 'lovelace' WHERE id = 1";
    assert_eq!(overtaken(&app, hide, run(rename)).0.status, 200);
    let log = ada.get("/api/teacher/log").data();
    assert_eq!(log["entries"][0]["actor"], "lovelace");
}

/// Passwords cost what they cost by default: while one is hashed, much may happen.
const SETTINGS: &str = "{login_attempts_per_minute=0,registrations_per_minute=0}";

/// A thief sets a password again and again with a stolen cookie, until it is refused.
#[test]
fn the_password_that_the_operator_sets_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", SETTINGS);
    let program = Program::start(command);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    thread::scope(|scope| {
        let thief = scope.spawn(|| {
            loop {
                let response = ada.put("/api/users/self", &json!({ "password": "stolen" }));
                if response.status != 200 {
                    return response.status;
                }
            }
        });
        run_ok_with_input(folder.path(), &["user", "passwd", "ada"], "newer\n");
        assert_eq!(thief.join().unwrap(), 401);
    });
    program.client().log_in("ada", "newer");
}

#[test]
fn nothing_is_changed_after_a_logout_everywhere() {
    let app = App::with(|settings| settings.argon2_memory_kib = 4096);
    let ada = app.user("ada");
    let version = || -> i64 {
        let db = Connection::open(app.database()).unwrap();
        db.query_row("SELECT password_version FROM users", [], |row| row.get(0)).unwrap()
    };
    thread::scope(|scope| {
        let (tell, changed) = channel();
        for _ in 0..4 {
            let (ada, tell) = (&ada, tell.clone());
            scope.spawn(move || {
                while ada.put("/api/users/self", &json!({ "password": "again" })).status == 200 {
                    let _ = tell.send(());
                }
            });
        }
        drop(tell);
        changed.recv_timeout(TIMEOUT).unwrap();
        assert_eq!(ada.delete("/api/sessions").status, 200);
        let then = version();
        // Until all have been refused.
        while changed.recv_timeout(TIMEOUT).is_ok() {}
        assert_eq!(version(), then);
    });
}
