//! The first run: a link that only the person at the terminal knows makes the first operator, once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use bottle::model::registration::RegistrationMode;
use bottle::model::token::Token;
use bottle_test_support::{
    App, Client, Program, Response, bottle, fast_settings_with, run_ok, run_ok_with_input,
};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

const FILE: &str = "bottle.db.setup";

fn start(folder: &Path) -> Program {
    Program::start(bottle(folder, &[]))
}

/// Returns the token of the link that the program printed.
fn token(program: &Program) -> String {
    let link = program.banner.lines().find(|line| line.contains("/setup#"));
    let link = link.unwrap_or_else(|| panic!("no link in {}", program.banner));
    assert!(link.starts_with(&format!("http://127.0.0.1:{}/setup#", program.port)), "{link}");
    link.split_once('#').unwrap().1.to_owned()
}

fn set_up(client: &Client, token: &str, name: &str) -> Response {
    client.post("/api/setup", &json!({ "token": token, "username": name, "password": "pass" }))
}

fn code(response: &Response) -> (u16, String) {
    (response.status, response.json()["status"].as_str().unwrap_or_default().to_owned())
}

/// A server in this process whose setup link has this token.
fn app_with_link(token: &Token, adjust: impl FnOnce(&mut bottle::server::config::Settings)) -> App {
    let app = App::with(adjust);
    let db = Connection::open(app.database()).unwrap();
    let hash = token.hash().to_hex();
    db.execute("INSERT INTO meta VALUES ('setup_hash', ?1)", [hash]).unwrap();
    app
}

#[test]
fn the_printed_link_makes_the_first_operator_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path());
    let token = token(&program);
    let file = folder.path().join(FILE);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().ends_with(&format!("/setup#{token}\n")));
    let database = fs::read(folder.path().join("bottle.db-wal")).unwrap();
    assert!(!database.windows(token.len()).any(|window| window == token.as_bytes()));

    let anon = program.client();
    let body = json!({
        "token": token, "username": "root", "password": "pass", "nickname": "Root", "registration": "invite"
    });
    let made = anon.post("/api/setup", &body);
    assert_eq!((made.status, &made.data()["is_operator"]), (200, &json!(true)), "{}", made.text);
    assert!(!file.exists());
    let mut root = program.client();
    root.log_in("root", "pass");
    assert_eq!(
        root.get("/api/admin/registration").data(),
        json!({ "registration": "invite", "source": "page" })
    );
    assert_eq!(code(&set_up(&anon, &token, "eve")), (403, "SETUP_INVALID".to_owned()));
    drop(program);
    let again = start(folder.path());
    assert!(!again.banner.contains("setup") && !file.exists(), "{}", again.banner);
    assert_eq!(code(&set_up(&again.client(), &token, "eve")).1, "SETUP_INVALID");
}

#[test]
fn a_link_outlives_a_restart_but_not_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let first = token(&start(folder.path()));
    let program = start(folder.path());
    assert_eq!(token(&program), first);
    drop(program);
    fs::remove_file(folder.path().join(FILE)).unwrap();
    let program = start(folder.path());
    let second = token(&program);
    assert_ne!(second, first);
    assert_eq!(set_up(&program.client(), &first, "eve").status, 403);
    // A file that somebody wrote is no link.
    drop(program);
    let chosen = "0".repeat(32);
    fs::write(folder.path().join(FILE), format!("http://127.0.0.1/setup#{chosen}\n")).unwrap();
    let program = start(folder.path());
    assert_ne!(token(&program), chosen);
    assert_eq!(set_up(&program.client(), &chosen, "eve").status, 403);
    assert_eq!(set_up(&program.client(), &token(&program), "root").status, 200);
}

/// An operator made on the command line ends the link too.
#[rstest]
#[case::added(&["user", "add", "root", "--operator"])]
#[case::appointed(&["user", "role", "ada", "operator"])]
fn a_link_ends_with_any_operator(#[case] args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let program = start(folder.path());
    let token = token(&program);
    run_ok_with_input(folder.path(), &["user", "add", "ada"], "pass\n");
    assert!(folder.path().join(FILE).exists());
    run_ok_with_input(folder.path(), args, "pass\n");
    assert!(!folder.path().join(FILE).exists());
    assert_eq!(code(&set_up(&program.client(), &token, "eve")).1, "SETUP_INVALID");
    run_ok(folder.path(), &["user", "list"]);
}

#[test]
fn a_public_url_is_in_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    let settings = fast_settings_with("public_url=\"https://bottle.example.org\"");
    command.env("ROCKET_BOTTLE", settings);
    let program = Program::start(command);
    assert!(program.banner.contains("\nhttps://bottle.example.org/setup#"), "{}", program.banner);
}

#[test]
fn of_fifty_at_once_exactly_one_gets_in() {
    let token = Token::random();
    let app = app_with_link(&token, |_| {});
    let statuses: Vec<u16> = thread::scope(|scope| {
        let one = |n| {
            let (client, token) = (app.anon(), token.secret());
            scope.spawn(move || set_up(&client, token, &format!("root{n}")).status)
        };
        let all: Vec<_> = (0..50).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 403].contains(status)), "{statuses:?}");
    assert_eq!(run_ok(app.folder(), &["user", "list"]).lines().count(), 2);
}

#[test]
fn guessing_a_link_is_slowed_down() {
    let token = Token::random();
    let app = app_with_link(&token, |settings| settings.login_attempts_per_minute = 3);
    for n in 0..3 {
        assert_eq!(set_up(&app.anon(), &format!("guess{n}"), "eve").status, 403);
    }
    let rejected = set_up(&app.anon(), token.secret(), "root");
    assert_eq!((rejected.status, rejected.header("retry-after")), (429, "60"));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(set_up(&app.anon(), token.secret(), "root").status, 200);
}

/// A client without the link learns nothing about the fields; one with it corrects them.
#[test]
fn the_link_is_checked_first() {
    let token = Token::random();
    let app = app_with_link(&token, |_| {});
    app.user("ada");
    let send = |token: &str, fields: Value| {
        let mut body = fields;
        body["token"] = json!(token);
        app.anon().post("/api/setup", &body)
    };
    for fields in [json!({}), json!({ "username": "ada", "password": "pass" })] {
        assert_eq!(code(&send("wrong", fields)).1, "SETUP_INVALID");
    }
    assert_eq!(app.anon().post("/api/setup", &json!({})).data()["field"], "token");
    let token = token.secret();
    for (fields, field) in [
        (json!({}), "username"),
        (json!({ "username": "root", "password": "p" }), "password"),
        (json!({ "username": "root", "password": "pass", "registration": "ajar" }), "registration"),
    ] {
        let response = send(token, fields);
        assert_eq!((response.status, &response.data()["field"]), (422, &json!(field)));
    }
    assert_eq!(set_up(&app.anon(), token, "ada").status, 409);
    assert_eq!(set_up(&app.anon(), token, "root").status, 200);
}

/// While registration is closed the link works, and what the settings name stays.
#[test]
fn the_settings_are_not_overridden() {
    let token = Token::random();
    let app = app_with_link(&token, |settings| {
        settings.registration = Some(RegistrationMode::Closed);
    });
    let body = json!({
        "token": token.secret(), "username": "root", "password": "pass", "registration": "open"
    });
    assert_eq!(app.anon().post("/api/setup", &body).status, 200);
    assert_eq!(app.anon().get("/api/settings").data()["registration"], "closed");
    let db = Connection::open(app.database()).unwrap();
    let stored = "SELECT count(*) FROM meta WHERE key IN ('registration', 'setup_hash')";
    assert_eq!(db.query_row(stored, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// The matrix of roles: only the link counts, whoever sends it.
#[test]
fn no_role_needs_or_replaces_the_link() {
    let app = App::new();
    let root = app.operator("root");
    for client in [app.anon(), app.user("ada"), app.teacher("grace"), root] {
        assert_eq!(code(&set_up(&client, "wrong", "eve")), (403, "SETUP_INVALID".to_owned()));
    }
    let token = Token::random();
    let app = app_with_link(&token, |_| {});
    assert_eq!(set_up(&app.teacher("grace"), token.secret(), "root").status, 200);
}
