//! Upgrades of the files in `tests/fixtures/`: one of every schema that an older Bottle wrote.
//!
//! A migration that adds a schema adds its predecessor here. This command writes the files:
//! `cargo test --test suite upgrades::write_fixtures -- --ignored`.

use std::fs;
use std::path::{Path, PathBuf};

use bottle::model::token::Token;
use bottle::store::migrate::{self, APPLICATION_ID};
use bottle_test_support::{App, run_ok};
use rstest::rstest;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The rows that each migration makes room for.
const ROWS: [&str; 13] = [
    "INSERT INTO users (username, password_hash, nickname, gender, email, email_key, created_at) VALUES
         ('ada', :hash, 'Countess', 'female', 'Ada@example.org', 'ada@example.org', 1500000000000),
         ('bob', :hash, 'bob', 'unknown', NULL, NULL, 1500000001000),
         ('grace', :hash, 'Grace', 'female', NULL, NULL, 1500000002000),
         ('eve', :hash, 'eve', 'other', NULL, NULL, 1500000003000);
     INSERT INTO bottles (owner_id, content, formatted_address, latitude, longitude, style, created_at)
     VALUES (1, 'at the antimeridian', 'Taveuni', -16.8, 180, 0, 1500000010000),
            (1, 'at its other name', '', 10, -180, 1, 1500000011000),
            (2, 'at the pole', '', 90, 50, 2, 1500000012000),
            (2, 'too near to zero', '', 1e-50, 10, 0, 1500000013000),
            (4, '两行\n文字', '大学城', 23.059375, 113.39992, 0, 1500000014000),
            (1, 'deleted', '', 45, 45, 0, 1500000015000);
     INSERT INTO openings VALUES (1, 2, 1500000020000), (1, 4, 1500000021000), (4, 1, 1500000022000),
                                 (6, 2, 1500000023000);
     INSERT INTO meta VALUES ('cookie_key', :key), ('jwt_key', :key)",
    "INSERT INTO cards (user_id, name) VALUES (1, 'a card');
     INSERT INTO members (user_id, name) VALUES (1, 'a member'), (2, 'of another');
     INSERT INTO divisions (user_id, name) VALUES (1, 'a division')",
    "DELETE FROM bottles WHERE id = 6",
    "UPDATE users SET password_is_one_time = 1 WHERE username = 'eve'",
    "UPDATE users SET is_teacher = 1 WHERE username = 'grace';
     UPDATE users SET muted_until = 4102444800000 WHERE username = 'bob';
     UPDATE bottles SET hidden_at = 1500000030000 WHERE id = 3;
     INSERT INTO reports VALUES (3, 1, 'unkind', 1500000029000, 1500000030000),
                                (5, 1, 'unkind', 1500000031000, NULL);
     INSERT INTO moderation_log (done_at, actor, action, bottle_id, user_id, username)
     VALUES (1500000030000, 'grace', 'hide', 3, 2, 'bob')",
    "UPDATE bottles SET latitude = 0 WHERE latitude = 1e-50",
    "DELETE FROM openings WHERE (bottle_id, opener_id) = (4, 3)",
    "UPDATE messages SET content = 'too near to the equator' WHERE bottle_id = 4",
    "INSERT INTO threads (bottle_id, opener_id) VALUES (1, 2);
     INSERT INTO replies (bottle_id, opener_id, author_id, content, created_at)
     VALUES (1, 2, 2, 'found', 1500000040000), (1, 2, 1, 'well done', 1500000041000);
     INSERT INTO blocks VALUES (2, 4, 1500000042000)",
    "INSERT INTO throw_keys VALUES (1, 'a key', 1, 1500000010000)",
    "UPDATE users SET is_operator = 1 WHERE username = 'grace';
     INSERT INTO invitations (code_hash, role, uses, creator_id, created_at, expires_at)
     VALUES (x'5a', 'user', 30, 3, 1500000044000, 4102444800000)",
    "INSERT INTO access_tokens (user_id, token_hash, name, access, created_at, expires_at)
     VALUES (1, x'5b', 'a script', 'read', 1500000045000, 4102444800000)",
    "INSERT INTO classes (teacher_id, opened_at, ends_at) VALUES (3, 1500000046000, 4102444800000)",
];

/// Argon2id of `pass`.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$lKxcW5g2eBiKUzFOW/sKwg$R8RyPvs/cYDhmK2KcH22Uv804p1DMe/9w3UodHGopt8";

/// The token of ada's session, which ends in 2100.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn fixture(schema: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{schema}.db"))
}

/// Creates an empty database of a released schema.
pub(crate) fn create(path: &Path, schema: usize) -> Connection {
    let mut db = Connection::open(path).unwrap();
    db.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    migrate::to_version(&mut db, schema as i32).unwrap();
    db
}

#[test]
#[ignore = "writes the files that the other tests read, if they are missing"]
fn write_fixtures() {
    for schema in (1..=ROWS.len()).filter(|schema| !fixture(*schema).exists()) {
        let mut db = create(&fixture(schema), 0);
        for (version, rows) in (1..).zip(&ROWS[..schema]) {
            migrate::to_version(&mut db, version).unwrap();
            let key = format!("'{}'", "5a".repeat(32));
            let hash = format!("'{PASSWORD_HASH}'");
            db.execute_batch(&rows.replace(":hash", &hash).replace(":key", &key)).unwrap();
        }
        let token = Token::presented(TOKEN).hash().0;
        let sql =
            "INSERT INTO sessions VALUES (?1, 1, 'music', NULL, 1500000000000, 4102444800000)";
        db.execute(sql, params![token]).unwrap();
        db.execute_batch("VACUUM").unwrap();
    }
}

fn version(path: &Path) -> i32 {
    let db = Connection::open(path).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// A fixture is a file that the released migrations made: they were not edited since.
#[rstest]
fn a_fixture_has_its_schema(#[values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] schema: i32) {
    let folder = copy_of_fixture(schema as usize);
    let path = folder.path().join("bottle.db");
    let db = Connection::open(&path).unwrap();
    let mut found = migrate::read_schema(&db).unwrap();
    let mut expected = migrate::schema_of(schema).unwrap();
    found.sort();
    expected.sort();
    assert_eq!((version(&path), found), (schema, expected));
}

/// Copies a fixture to `bottle.db` in a new folder.
pub(crate) fn copy_of_fixture(schema: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture(schema), folder.path().join("bottle.db")).unwrap();
    folder
}

/// Starts a server on a copy of the fixture. The copy that it makes before it migrates must be there.
fn upgraded(schema: usize) -> App {
    let folder = copy_of_fixture(schema);
    let app = App::over(folder, |_| {});
    let copy = app.folder().join(format!("bottle.db.schema-{schema}"));
    assert_eq!(version(&copy), schema as i32);
    assert_eq!(version(&app.database()), migrate::newest_version());
    app
}

/// The named members of each item of a list.
fn members(list: &Value, names: [&str; 2]) -> Value {
    let items = list.as_array().unwrap().iter();
    items.map(|item| json!([item[names[0]], item[names[1]]])).collect()
}

#[rstest]
fn an_older_file_is_upgraded_with_all_its_rows(
    #[values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] schema: usize,
) {
    let app = upgraded(schema);
    let mut ada = app.anon();
    ada.headers.push(("Authorization".into(), format!("Bearer {TOKEN}")));
    let profile = ada.get("/api/user/profile");
    assert_eq!((profile.status, &profile.data()["nickname"]), (200, &json!("Countess")));

    ada.log_in("ada", "pass");
    let created = ada.get("/api/bottles/created").data();
    let (first, second) = (json!(["at the antimeridian", 2]), json!(["at its other name", 0]));
    let mut expected = vec![first, second];
    if schema < 3 {
        expected.push(json!(["deleted", 1]));
    }
    assert_eq!(members(&created["bottles"], ["content", "openers_count"]), Value::from(expected));
    let openers = ada.get("/api/bottles/1/openers").data();
    assert_eq!(
        members(&openers["openers"], ["user_id", "open_at"]),
        json!([[2, "2017-07-14T02:40:20.000Z"], [4, "2017-07-14T02:40:21.000Z"]])
    );
    let opened = ada.get("/api/bottles/opened").data();
    let location = &opened["bottles"][0]["location"];
    assert_eq!((&location["latitude"], &location["longitude"]), (&json!(0.0), &json!(10.0)));

    let world = "latitude=0&longitude=0&latitude_span=90&longitude_span=180";
    // Of six bottles, one was deleted with schema 3, and one hidden with schema 5.
    let visible = [6, 6, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4, 4][schema - 1];
    let nearby = ada.get(&format!("/api/bottles/nearby?{world}")).data();
    let counts = ada.get(&format!("/api/bottles/counts?{world}&zoom=3")).data();
    assert_eq!((&nearby["total"], &counts["total"]), (&json!(visible), &json!(visible)));

    let folder = app.stop();
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
}

#[rstest]
fn rows_of_each_schema_are_there_after_the_upgrade(
    #[values(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)] schema: usize,
) {
    let app = upgraded(schema);
    let mut ada = app.anon();
    let login = ada.post("/user/login", &json!({ "name": "ada", "password": "pass" }));
    let cookie = login.header("set-cookie").split(';').next().unwrap().to_owned();
    ada.headers.push(("Cookie".into(), cookie));
    for (path, name) in [("/card", "a card"), ("/member", "a member"), ("/division", "a division")]
    {
        let list = ada.get(path).data();
        assert_eq!(members(&list, ["id", "name"]), json!([[1, name]]), "{path}");
    }

    ada.log_in("ada", "pass");
    let threads = ada.get("/api/bottles/1/threads").data()["threads"].clone();
    let expected = if schema < 9 { json!([]) } else { json!([[2, 1]]) };
    assert_eq!(members(&threads, ["replies_count", "unread_count"]), expected);

    let credentials = json!({ "username": "eve", "password": "pass" });
    let eve = app.anon().post("/api/sessions", &credentials).data();
    assert_eq!(eve["password_is_one_time"] == true, schema >= 4, "{eve}");

    let (mut bob, mut grace) = (app.anon(), app.anon());
    bob.log_in("bob", "pass");
    grace.log_in("grace", "pass");
    let reports = grace.get("/api/teacher/bottles");
    if schema < 5 {
        assert_eq!(reports.status, 403);
        bob.throw(1.0, 1.0);
        return;
    }
    let location = json!({ "latitude": 1, "longitude": 1 });
    let thrown = bob.post("/api/bottles", &json!({ "content": "c", "location": location }));
    assert_eq!(thrown.status, 403, "{}", thrown.text);
    assert_eq!(reports.status, 200, "{}", reports.text);
    let log = grace.get("/api/teacher/log");
    assert!(log.text.contains("\"hide\"") && log.text.contains("\"bob\""), "{}", log.text);
    let shown = grace.put("/api/teacher/bottles/3", &json!({ "hidden": false }));
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(bob.get("/api/bottles/created").data()["bottles"][0]["content"], "at the pole");
}
