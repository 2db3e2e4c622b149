//! `bottle keys rotate`.

use std::path::Path;

use bottle_test_support::{Program, bottle, run_err, run_ok};
use rusqlite::Connection;
use serde_json::json;

fn meta(folder: &Path) -> Vec<(String, String)> {
    let db = Connection::open(folder.join("bottle.db")).unwrap();
    let mut rows = db.prepare("SELECT key, value FROM meta ORDER BY key").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The headers of a client, and a path that only a live session reaches.
type Session = (Vec<(String, String)>, &'static str);

/// Ada, logged in by each contract and with an access token. (Of a terminal's session only its end can be asked.)
fn everywhere(program: &Program) -> Vec<Session> {
    let account = json!({ "username": "ada", "password": "pass" });
    let mut bottle = program.client();
    bottle.post("/api/users", &account);
    bottle.log_in("ada", "pass");
    let token = bottle.post("/api/tokens", &json!({ "name": "n" })).data()["token"].clone();
    let token = format!("Bearer {}", token.as_str().unwrap());
    let anon = program.client();
    let jwt = anon.post("/user/login", &json!({ "name": "ada", "password": "pass" }));
    let jwt = jwt.header("set-cookie").split(';').next().unwrap().to_owned();
    let music = anon.post("/api/user/login", &json!({ "email": "ada", "password": "pass" }));
    let terminal = json!({ "user_id": "ada", "password": "pass", "terminal": "t" });
    assert_eq!(anon.post("/auth/login", &terminal).status, 200);
    let bearer = music.data()["token"].as_str().unwrap().to_owned();
    vec![
        (bottle.headers, "/api/users/self"),
        (vec![("Authorization".into(), token)], "/api/users/self"),
        (vec![("Cookie".into(), jwt)], "/card"),
        (vec![("Authorization".into(), bearer)], "/api/user/profile"),
    ]
}

fn lives(program: &Program, (headers, path): &Session) -> bool {
    let mut client = program.client();
    client.headers.clone_from(headers);
    client.get(path).status == 200
}

#[test]
fn new_keys_end_every_session_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let sessions = everywhere(&program);
    assert!(sessions.iter().all(|session| lives(&program, session)));
    run_err(folder.path(), &["keys", "rotate", "--yes"], "in use by another Bottle");
    run_err(folder.path(), &["keys", "rotate"], "add --yes");
    program.signal("TERM");
    assert!(program.status().success());
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    db.execute_batch(
        "INSERT INTO meta VALUES ('frozen', ''), ('tls_certificate', 'kept'), ('other', 'kept')",
    )
    .unwrap();
    db.close().unwrap();

    let before = meta(folder.path());
    let stdout = run_ok(folder.path(), &["keys", "rotate", "--yes"]);
    assert_eq!(stdout, "bottle.db: new keys; 4 sessions have ended\n");
    let changed: Vec<String> = before
        .iter()
        .zip(meta(folder.path()))
        .filter(|(before, after)| *before != after)
        .map(|(before, _)| before.0.clone())
        .collect();
    assert_eq!(changed, ["cookie_key", "jwt_key"]);
    assert_eq!(meta(folder.path()).len(), before.len());

    let program = Program::start(bottle(folder.path(), &[]));
    assert!(!sessions.iter().any(|session| lives(&program, session)));
    assert!(everywhere(&program).iter().all(|session| lives(&program, session)));
}

#[test]
fn no_keys_are_made_where_no_database_is() {
    let folder = tempfile::tempdir().unwrap();
    run_err(folder.path(), &["keys", "rotate", "--yes"], "bottle.db: No such file");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
