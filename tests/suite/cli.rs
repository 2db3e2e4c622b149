//! The program: what it prints, where its file is, and how it ends.

use std::io::{Read, Write};
use std::net::TcpListener;

use bottle_test_support::{Program, bottle, file_names};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case::bare(&[], "bottle.db")]
#[case::serve(&["serve"], "bottle.db")]
#[case::another_file(&["serve", "--db", "sea.db"], "sea.db")]
#[case::bare_with_another_file(&["--db", "sea.db"], "sea.db")]
fn it_says_where_it_listens_and_which_file_it_uses(#[case] args: &[&str], #[case] file: &str) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), args));
    assert!(program.banner.contains(&format!("/{file}")), "{}", program.banner);
    assert!(folder.path().join(file).exists());
    assert_eq!(program.client().get("/api/users/self").status, 401);
}

#[test]
fn help_teaches() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["--help"][..], &["serve", "--help"], &["demo", "--help"]] {
        let output = bottle(folder.path(), args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("Example"), "{args:?}: {text}");
    }
    assert!(!bottle(folder.path(), &["swim"]).output().unwrap().status.success());
}

#[test]
fn the_demo_serves_a_sea_with_the_accounts_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &["demo"]);
    command.env("TMPDIR", folder.path());
    let mut program = Program::start(command);
    let notes = program.banner.split("Log in as ").nth(1).unwrap();
    let password = notes.split("password ").nth(1).unwrap().split('.').next().unwrap();
    for name in notes.split(';').next().unwrap().split(", ") {
        program.client().log_in(name, password);
    }
    let mut hedy = program.client();
    hedy.log_in("hedy", password);
    assert_eq!(hedy.get("/api/teacher/sea").status, 200);
    let mut radia = program.client();
    radia.log_in("radia", password);
    assert_eq!(radia.get("/api/admin/registration").status, 200);
    let accounts = hedy.get("/api/settings").data()["demo_accounts"].clone();
    assert_eq!(accounts[8]["is_teacher"], true);
    assert_eq!(accounts[9]["is_operator"], true);
    assert!(accounts[8].get("is_operator").is_none(), "{accounts}");
    assert!(accounts[0].get("is_teacher").is_none(), "{accounts}");
    let mut client = program.client();
    client.log_in("ada", password);
    let all = "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180";
    assert!(client.get(all).data()["bottles"].as_array().unwrap().len() >= 200);

    program.signal("TERM");
    assert!(program.wait().0.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the copy is left behind");
}

/// With an idle connection open, and after answering a request in flight.
#[rstest]
fn a_signal_ends_it_cleanly(#[values("TERM", "INT")] signal: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_BOTTLE", "{argon2_memory_kib=65536,argon2_iterations=8}");
    let mut program = Program::start(command);
    let mut idle = program.connect();
    idle.write_all(b"GET /api/users/self HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(idle.read(&mut [0; 1]).unwrap() > 0);

    let body = json!({ "username": "ada", "password": "pass" }).to_string();
    let mut slow = program.connect();
    let head = "POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json";
    write!(slow, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    // The other connection answers only after the server has read the slow request's start.
    assert_eq!(program.client().get("/api/users/self").status, 401);

    program.signal(signal);
    let mut response = String::new();
    slow.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let (status, _, _) = program.wait();
    assert_eq!(status.code(), Some(0));
    // The setup link stays until there is an operator.
    assert_eq!(file_names(folder.path()), ["bottle.db", "bottle.db.setup"]);
}

#[test]
fn a_port_in_use_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = bottle(folder.path(), &[]).env("ROCKET_PORT", &port).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(&port) && error.contains("ROCKET_PORT="), "{error}");
}

#[rstest]
#[case::unknown("{colour=\"blue\"}", "colour")]
#[case::wrong_type("{min_password_length=\"long\"}", "min_password_length")]
#[case::too_little("{password_workers=0}", "password_workers")]
fn a_wrong_setting_is_told(#[case] settings: &str, #[case] name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = bottle(folder.path(), &[]).env("ROCKET_BOTTLE", settings).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(name), "{error}");
}

#[test]
fn an_unsound_file_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bottle.db"), "Dear diary").unwrap();
    let output = bottle(folder.path(), &[]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("bottle.db is not an SQLite database"), "{error}");
    assert_eq!(std::fs::read(folder.path().join("bottle.db")).unwrap(), b"Dear diary");
}

#[rstest]
#[case::normal("normal", 3)]
#[case::critical("critical", 0)]
#[case::off("off", 0)]
fn the_log_has_one_line_a_request(#[case] level: &str, #[case] lines: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", level);
    let mut program = Program::start(command);
    let client = program.client();
    client.get("/api/users/self");
    client.get("/nothing");
    client.post("/api/users", &json!({ "username": "ada", "password": "a secret" }));
    program.signal("TERM");
    let (_, out, log) = program.wait();
    assert_eq!(log.lines().count(), lines, "{log}");
    assert!(out.is_empty() && !log.contains("secret"), "{out}{log}");
}

/// The server goes on after the reader of its first lines has closed the pipe.
#[test]
fn nobody_has_to_listen_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    program.close_pipes();
    assert_eq!(program.client().get("/api/users/self").status, 401);
    assert_eq!(program.client().get("/api/users/self").status, 401);
    program.signal("TERM");
    assert!(program.status().success());
}

#[rstest]
fn a_file_that_cannot_be_there_is_told(#[values("no/such/sea.db", ".")] file: &str) {
    let folder = tempfile::tempdir().unwrap();
    let output = bottle(folder.path(), &["serve", "--db", file]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(file) && error.lines().count() >= 2, "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A second start finds what the first one kept: accounts, bottles and who is logged in.
#[test]
fn a_restart_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    let id = ada.throw(1.0, 2.0);
    program.signal("TERM");
    assert!(program.wait().0.success());

    let program = Program::start(bottle(folder.path(), &[]));
    let again = program.client();
    let cookie = [("Cookie", ada.headers[0].1.as_str())];
    let created = again.send("GET", "/api/bottles/created", &cookie, None).data();
    assert_eq!(created["bottles"][0]["bottle_id"], id);
}
