//! `bottle user`, beside a server that goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use bottle_test_support::{
    Client, Program, bottle, run_err_with_input, run_ok_with_input, run_with_input,
};
use rstest::rstest;
use serde_json::{Value, json};

fn start() -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(bottle(folder.path(), &[]));
    (folder, program)
}

/// Runs `bottle user` with `input` on standard input.
fn run(folder: &Path, args: &[&str], input: &str) -> Output {
    run_with_input(folder, &[&["user"], args].concat(), input)
}

#[track_caller]
fn run_ok(folder: &Path, args: &[&str], input: &str) -> String {
    run_ok_with_input(folder, &[&["user"], args].concat(), input)
}

#[track_caller]
fn run_err(folder: &Path, args: &[&str], input: &str, message: &str) {
    run_err_with_input(folder, &[&["user"], args].concat(), input, message);
}

fn log_in(program: &Program, name: &str, password: &str) -> (u16, Value) {
    let body = json!({ "username": name, "password": password });
    let response = program.client().post("/api/sessions", &body);
    (response.status, response.data())
}

fn client(program: &Program, name: &str, password: &str) -> Client {
    let mut client = program.client();
    client.log_in(name, password);
    client
}

#[test]
fn an_account_is_made_changed_and_deleted_while_it_is_served() {
    let (folder, program) = start();
    let folder = folder.path();
    assert_eq!(
        run_ok(folder, &["add", "ada", "--nickname", "Countess"], "secret\n"),
        "ada was created\n"
    );
    let (status, ada) = log_in(&program, "ada", "secret");
    assert_eq!((status, &ada["nickname"]), (200, &json!("Countess")));
    assert!(ada.get("password_is_one_time").is_none());

    let session = client(&program, "ada", "secret");
    run_ok(folder, &["logout", "ada"], "");
    assert_eq!(session.get("/api/users/self").status, 401);

    let session = client(&program, "ada", "secret");
    run_ok(folder, &["passwd", "ADA"], "newer\n");
    assert_eq!(session.get("/api/users/self").status, 401);
    assert_eq!(log_in(&program, "ada", "secret").0, 403);

    let session = client(&program, "ada", "newer");
    assert_eq!(
        run_ok(folder, &["rename", "ada", "lovelace"], ""),
        "lovelace is the new username\n"
    );
    assert_eq!(session.get("/api/users/self").data()["username"], "lovelace");

    run_err(folder, &["delete", "lovelace"], "", "add --yes");
    run_ok(folder, &["delete", "lovelace", "--yes"], "");
    assert_eq!(session.get("/api/users/self").status, 401);
    assert_eq!(log_in(&program, "lovelace", "newer").0, 403);
}

#[test]
fn a_list_tells_who_is_there() {
    let (folder, program) = start();
    run_ok(folder.path(), &["add", "ada"], "pass\n");
    client(&program, "ada", "pass").throw(1.0, 1.0);
    let listed: Value =
        serde_json::from_str(&run_ok(folder.path(), &["list", "--json"], "")).unwrap();
    let ada = &listed[0];
    assert_eq!(
        (&ada["username"], &ada["bottles"], &ada["sessions"]),
        (&json!("ada"), &json!(1), &json!(1))
    );
    let table = run_ok(folder.path(), &["list"], "");
    assert_eq!(table.lines().count(), 2);
    assert!(table.contains("registered") && table.trim_end().ends_with("ada"), "{table}");
}

#[rstest]
#[case::taken(&["add", "ada"], "pass\n", "the username ada is taken")]
#[case::short(&["add", "bob"], "abc\n", "password")]
#[case::no_password(&["add", "bob"], "", "standard input is empty")]
#[case::no_name(&["add", " "], "pass\n", "username")]
#[case::unknown(&["passwd", "nobody"], "pass\n", "there is no account nobody")]
#[case::rename_unknown(&["rename", "nobody", "bob"], "", "there is no account nobody")]
#[case::logout_unknown(&["logout", "nobody"], "", "there is no account nobody")]
#[case::delete_unknown(&["delete", "nobody", "--yes"], "", "there is no account nobody")]
#[case::no_file(&["list", "--db", "none.db"], "", "none.db: No such file")]
fn an_impossible_command_says_why(
    #[case] args: &[&str],
    #[case] input: &str,
    #[case] because: &str,
) {
    let (folder, _program) = start();
    run_ok(folder.path(), &["add", "ada"], "pass\n");
    run_err(folder.path(), args, input, because);
}

#[test]
fn a_one_time_password_is_so_until_another_is_set() {
    let (folder, program) = start();
    let made: Value =
        serde_json::from_str(&run_ok(folder.path(), &["add", "ada", "--one-time", "--json"], ""))
            .unwrap();
    let given = made["one_time_password"].as_str().unwrap();
    assert_eq!(log_in(&program, "ada", given).1["password_is_one_time"], true);
    let own = json!({ "current_password": given, "password": "own one" });
    let response = client(&program, "ada", given).json("PUT", "/api/users/self", &own);
    assert_eq!(response.status, 200);
    assert!(log_in(&program, "ada", "own one").1.get("password_is_one_time").is_none());

    let stdout = run_ok(folder.path(), &["passwd", "ada", "--one-time"], "");
    let given = stdout.trim().rsplit(' ').next().unwrap();
    assert_eq!(log_in(&program, "ada", given).1["password_is_one_time"], true);
}

#[test]
fn a_class_is_imported_and_its_sheet_printed() {
    let (folder, program) = start();
    run_ok(folder.path(), &["add", "taken"], "pass\n");
    let class = "nickname,username,group\nAda L., ada ,1\n,小明,1\n\"O'Neil, B.\",bob,2\nx,taken,2\nno name,,2\n";
    fs::write(folder.path().join("class.csv"), class).unwrap();
    let output = run(folder.path(), &["import", "class.csv"], "");
    let (sheet, stdout) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout.contains("class.csv, line 5: the username taken is taken"), "{stdout}");
    assert!(stdout.contains("class.csv, line 6: username"), "{stdout}");
    assert!(stdout.contains("3 accounts were created, 2 lines were skipped"), "{stdout}");
    let people: Vec<(&str, &str)> = sheet
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            line.strip_prefix("username: ")
                .unwrap()
                .split_once("    password (until you set your own): ")
                .unwrap()
        })
        .collect();
    assert_eq!(people.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["ada", "小明", "bob"]);
    for (name, password) in people {
        let (status, user) = log_in(&program, name, password);
        assert_eq!((status, &user["password_is_one_time"]), (200, &json!(true)), "{name}");
    }
    // Again: all of them are there.
    let again = run(folder.path(), &["import", "class.csv"], "");
    assert!(
        String::from_utf8_lossy(&again.stderr)
            .contains("0 accounts were created, 5 lines were skipped")
    );
}

#[test]
fn a_file_without_names_is_refused() {
    let (folder, _program) = start();
    fs::write(folder.path().join("class.csv"), "name\nada\n").unwrap();
    run_err(folder.path(), &["import", "class.csv"], "", "has no column username");
    run_err(folder.path(), &["import", "none.csv"], "", "none.csv");
}

/// An account can be created before the first start of the server.
#[test]
fn adding_an_account_creates_a_missing_database() {
    let folder = tempfile::tempdir().unwrap();
    run_ok(folder.path(), &["add", "ada", "--db", "new.db"], "pass\n");
    let mode = fs::metadata(folder.path().join("new.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let program = Program::start(bottle(folder.path(), &["--db", "new.db"]));
    assert_eq!(log_in(&program, "ada", "pass").0, 200);

    fs::write(folder.path().join("class.csv"), "username\nbob\n").unwrap();
    run_ok(folder.path(), &["import", "class.csv", "--db", "class.db"], "");
    assert!(folder.path().join("class.db").exists());
    run_err(folder.path(), &["passwd", "ada", "--db", "none.db"], "pass\n", "No such file");
    assert!(!folder.path().join("none.db").exists());
}
