//! Guests of a class: how they get in, and what they may do.

use std::thread;
use std::time::Duration;

use bottle_test_support::{App, Client, run_err, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::classes::{code_of, guest, join, listed, open};
use crate::credentials::By;
use crate::registration::{set, status_of};

#[rstest]
fn a_class_opens_in_every_mode_of_registration(#[values("open", "invite", "closed")] mode: &str) {
    let app = App::new();
    let (root, grace) = (app.operator("root"), app.teacher("grace"));
    assert_eq!(set(&root, mode).status, 200);
    let class = open(&grace, 5);
    assert_eq!(guest(&app, &code_of(&class), "Zoe").get("/api/users/self").status, 200);
}

#[rstest]
#[case::missing(json!(null), 422)]
#[case::empty(json!(""), 422)]
#[case::blank(json!(" \u{3000}"), 422)]
#[case::long(json!("x".repeat(41)), 422)]
#[case::longest(json!("雪".repeat(40)), 200)]
#[case::control(json!("a\u{7}b"), 422)]
#[case::invisible(json!("a\u{200b}b"), 422)]
fn a_nickname_has_1_to_40_characters(#[case] nickname: Value, #[case] status: u16) {
    let app = App::new();
    let class = open(&app.teacher("grace"), 5);
    let body = json!({ "code": class["code"], "nickname": nickname });
    let joined = app.anon().post("/api/guests", &body);
    assert_eq!(joined.status, status, "{}", joined.text);
    if status == 422 {
        assert_eq!(joined.data()["field"], "nickname");
    }
}

#[test]
fn guests_of_one_nickname_have_names_of_their_own() {
    let app = App::new();
    let class = open(&app.teacher("grace"), 5);
    let name = |client: &Client| client.get("/api/users/self").data()["username"].clone();
    let names: Vec<Value> = (0..3).map(|_| name(&guest(&app, &code_of(&class), "Zoe"))).collect();
    assert_eq!(names[0], "guest-Zoe");
    for name in &names[1..] {
        let number = name.as_str().unwrap().strip_prefix("guest-Zoe-").unwrap();
        assert!((1000..10_000).contains(&number.parse::<u32>().unwrap()), "{number}");
    }
}

/// A guest has a session, and no other way in.
#[test]
fn a_guest_does_what_a_guest_may() {
    let app = App::new();
    let class = open(&app.teacher("grace"), 5);
    let zoe = guest(&app, &code_of(&class), "Zoe");
    let renamed = zoe.put("/api/users/self", &json!({ "nickname": "Zoë", "gender": "female" }));
    assert_eq!((renamed.status, &renamed.data()["nickname"]), (200, &json!("Zoë")));
    let refused = [
        zoe.put("/api/users/self", &json!({ "password": "pass" })),
        zoe.put("/api/users/self", &json!({ "password": "pass", "current_password": "" })),
        zoe.json("DELETE", "/api/users/self", &json!({ "password": "pass" })),
        zoe.post("/api/tokens", &json!({ "name": "a program" })),
    ];
    for response in &refused {
        assert_eq!(
            (response.status, response.json()),
            (403, json!({ "status": "GUEST", "msg": "游客不能这样做", "data": {} }))
        );
    }
    assert_eq!(zoe.post("/api/admin/invitations", &json!({})).status, 403);
    for password in ["", "pass", "guest-Zoe"] {
        let login = json!({ "username": "guest-Zoe", "password": password });
        assert_eq!(app.anon().post("/api/sessions", &login).status, 403);
    }
    for (path, body, status) in [
        ("/user/login", json!({ "name": "guest-Zoe", "password": "x" }), 400),
        ("/api/user/login", json!({ "email": "guest-Zoe", "password": "x" }), 400),
        ("/auth/login", json!({ "user_id": "guest-Zoe", "password": "x", "terminal": "t" }), 401),
    ] {
        let response = app.anon().post(path, &body);
        assert!(response.status >= status, "{path}: {}", response.text);
    }
    let (folder, told) = (app.folder(), "this is the account of a guest");
    run_err(folder, &["user", "passwd", "guest-Zoe", "--one-time"], told);
    run_err(folder, &["user", "role", "guest-Zoe", "teacher"], told);
    let list = run_ok(folder, &["user", "list"]);
    assert!(list.contains("guest-Zoe  (guest)"), "{list}");

    // The operator may delete one, and log one out.
    run_ok(folder, &["user", "logout", "guest-Zoe"]);
    assert_eq!(zoe.get("/api/users/self").status, 401);
    run_ok(folder, &["user", "delete", "guest-Zoe", "--yes"]);
}

/// The cookie of a guest is no credential of the other contracts.
#[test]
fn other_contracts_do_not_know_the_session_of_a_guest() {
    let app = App::new();
    let class = open(&app.teacher("grace"), 5);
    let joined = join(&app.anon(), &code_of(&class), "Zoe");
    let cookie = joined.header("set-cookie").split(';').next().unwrap();
    let (_, value) = cookie.split_once('=').unwrap();
    for (by, method, path) in [
        (By::Jwt, "GET", "/card"),
        (By::Bearer, "GET", "/api/user/profile"),
        (By::Bearer, "DELETE", "/api/user/delete"),
    ] {
        let (name, value) = by.header(value);
        let response = app.anon().send(method, path, &[(name, &value)], None);
        assert!(response.status >= 400, "{path}: {}", response.text);
    }
}

#[test]
fn teachers_see_who_is_a_guest() {
    let app = App::new();
    let (grace, ada) = (app.teacher("grace"), app.user("ada"));
    let class = open(&grace, 5);
    let bottle = guest(&app, &code_of(&class), "Zoe").throw(1.0, 1.0);
    let own = ada.throw(1.0, 1.0);
    for bottle in [bottle, own] {
        let report = json!({ "reason": "unkind" });
        assert_eq!(grace.post(&format!("/api/bottles/{bottle}/report"), &report).status, 200);
    }
    let cases = grace.get("/api/teacher/bottles").data()["bottles"].clone();
    assert_eq!(cases[0]["owner"]["is_guest"], true);
    assert_eq!(cases[1]["owner"].get("is_guest"), None);
}

#[test]
fn of_fifty_at_once_a_hundred_get_in_and_no_more() {
    let app = App::new();
    let grace = app.teacher("grace");
    let class = open(&grace, 5);
    let db = Connection::open(app.database()).unwrap();
    db.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 80)
         INSERT INTO users (username, password_hash, nickname, gender, created_at, class_id)
         SELECT concat('guest', n), '', '', 'unknown', 1, 1 FROM n",
        [],
    )
    .unwrap();
    let code = &code_of(&class);
    let statuses: Vec<(u16, String)> = thread::scope(|scope| {
        let one = |_| {
            let client = app.anon();
            scope.spawn(move || status_of(&join(&client, code, "Zoe")))
        };
        let all: Vec<_> = (0..50).map(one).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count_of = |status: &str| statuses.iter().filter(|(_, found)| found == status).count();
    assert_eq!((count_of("OK"), count_of("CLASS_FULL")), (20, 30), "{statuses:?}");
    assert_eq!(listed(&grace)[0]["guests"], 100);
}

#[test]
fn guessing_a_code_is_slowed_down() {
    let app = App::with(|settings| settings.login_attempts_per_minute = 2);
    let class = open(&app.teacher("grace"), 60);
    // Ten times the limit of an account, as for passwords.
    for n in 0..20 {
        assert_eq!(join(&app.anon(), &format!("guess{n}"), "Eve").status, 403, "{n}");
    }
    let rejected = join(&app.anon(), &code_of(&class), "Zoe");
    assert_eq!((rejected.status, rejected.header("retry-after")), (429, "60"));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(join(&app.anon(), &code_of(&class), "Zoe").status, 200);
}

/// A guest who joins another class leaves the first.
#[test]
fn joining_ends_the_session_of_the_browser() {
    let app = App::new();
    let grace = app.teacher("grace");
    let (one, other) = (open(&grace, 5), open(&grace, 5));
    let zoe = guest(&app, &code_of(&one), "Zoe");
    assert_eq!(join(&zoe, &code_of(&other), "Zoe").status, 200);
    assert_eq!(zoe.get("/api/users/self").status, 401);
}

/// An export has the guests as accounts, which an import makes without a class.
#[test]
fn guests_are_exported_as_accounts() {
    let app = App::new();
    let class = open(&app.teacher("grace"), 5);
    guest(&app, &code_of(&class), "Zoe").throw(1.0, 1.0);
    run_ok(app.folder(), &["export", "sea.jsonl"]);
    let file = app.folder().join("sea.jsonl").to_string_lossy().into_owned();
    let other = App::new();
    run_ok(other.folder(), &["import", &file]);
    let list = run_ok(other.folder(), &["user", "list"]);
    assert!(list.contains("guest-Zoe") && !list.contains("(guest)"), "{list}");
}
