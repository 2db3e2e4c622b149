//! Accounts and sessions by the Bottle contract.

use std::time::Duration;

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use serde_json::{Value, json};

fn register(client: &Client, account: &Value) -> Response {
    client.post("/api/users", account)
}

#[rstest]
#[case::longest(json!({ "username": "雪".repeat(64), "password": "p".repeat(1024) }), 200)]
#[case::name_too_long(json!({ "username": "a".repeat(65), "password": "pass" }), 422)]
#[case::password_too_long_in_bytes(json!({ "username": "a", "password": "é".repeat(513) }), 422)]
#[case::missing(json!({ "username": "a" }), 422)]
#[case::null(json!({ "username": null, "password": "pass" }), 422)]
#[case::gender(json!({ "username": "a", "password": "pass", "gender": "none" }), 422)]
#[case::gender_null(json!({ "username": "a", "password": "pass", "gender": null }), 200)]
#[case::nickname_too_long(json!({ "username": "a", "password": "pass", "nickname": "n".repeat(65) }), 422)]
fn registrations_obey_the_rules_of_their_fields(#[case] account: Value, #[case] status: u16) {
    let app = App::new();
    let response = register(&app.anon(), &account);
    assert_eq!(response.status, status, "{}", response.text);
}

#[test]
fn missing_fields_have_defaults() {
    let app = App::new();
    let data = register(&app.anon(), &json!({ "username": "ada", "password": "pass" })).data();
    assert_eq!((&data["nickname"], &data["gender"]), (&json!("ada"), &json!("unknown")));
}

/// One name: in another ASCII case, or composed in another way.
#[rstest]
#[case("ADA", "ada")]
#[case("Zoe\u{308}", "Zo\u{eb}")]
fn names_that_are_one_name(#[case] first: &str, #[case] second: &str) {
    let app = App::new();
    app.user(first);
    let response = register(&app.anon(), &json!({ "username": second, "password": "pass" }));
    assert_eq!(response.status, 409);
    app.anon().log_in(second, "pass");
}

/// Case is of ASCII alone: these are two people, each with a password of their own.
#[test]
fn names_that_differ_in_more_than_ascii_case_are_two() {
    let app = App::new();
    app.user("ärger");
    let other = json!({ "username": "Ärger", "password": "another" });
    assert_eq!(register(&app.anon(), &other).status, 200);
    app.anon().log_in("ärger", "pass");
    app.anon().log_in("ÄRGER".to_lowercase().as_str(), "pass");
    app.anon().log_in("Ärger", "another");
}

#[test]
fn a_name_stays_as_it_was_registered() {
    let app = App::new();
    app.user("Ada");
    let mut client = app.anon();
    client.log_in("aDA", "pass");
    let changed = client.put("/api/users/self", &json!({ "username": "eve", "user_id": 9 })).data();
    assert_eq!((&changed["username"], &changed["user_id"]), (&json!("Ada"), &json!(1)));
}

/// One wrong field, and nothing of a change is done.
#[rstest]
#[case(json!({ "nickname": "new", "gender": "none" }), 422)]
#[case(json!({ "nickname": "n".repeat(65), "gender": "male" }), 422)]
#[case(json!({ "nickname": "new", "password": "pas" }), 422)]
#[case(json!({ "nickname": "new", "password": "newer", "current_password": "guess" }), 403)]
fn a_change_is_whole_or_not_at_all(#[case] change: Value, #[case] status: u16) {
    let app = App::new();
    let ada = app.user("ada");
    let before = ada.get("/api/users/self").data();
    let refused = ada.put("/api/users/self", &change);
    assert_eq!(refused.status, status, "{}", refused.text);
    assert_eq!(ada.get("/api/users/self").data(), before);
    app.anon().log_in("ada", "pass");
}

#[test]
fn a_change_leaves_the_rest_as_it_was() {
    let app = App::new();
    let ada = app.user("ada");
    ada.put("/api/users/self", &json!({ "gender": "female" }));
    let data = ada.put("/api/users/self", &json!({ "nickname": "Countess" })).data();
    assert_eq!((&data["nickname"], &data["gender"]), (&json!("Countess"), &json!("female")));
    assert_eq!(ada.put("/api/users/self", &json!({})).data(), data);
    let nulls = json!({ "nickname": null, "gender": null, "password": null });
    assert_eq!(ada.put("/api/users/self", &nulls).data(), data);
    app.anon().log_in("ada", "pass");
}

#[test]
fn a_password_change_ends_every_other_session_only() {
    let app = App::new();
    let (ada, mut elsewhere) = (app.user("ada"), app.anon());
    elsewhere.log_in("ada", "pass");
    let wrong = json!({ "password": "newer", "current_password": "guess" });
    assert_eq!(ada.put("/api/users/self", &wrong).status, 403);
    assert_eq!(elsewhere.get("/api/users/self").status, 200);
    let right = json!({ "password": "newer", "current_password": "pass" });
    assert_eq!(ada.put("/api/users/self", &right).status, 200);
    assert_eq!(elsewhere.get("/api/users/self").status, 401);
    assert_eq!(ada.get("/api/users/self").status, 200);
    app.anon().log_in("ada", "newer");
}

#[test]
fn sessions_live_over_a_restart_and_end_after_a_year() {
    let app = App::new();
    let ada = app.user("ada");
    let headers = ada.headers;
    let app = App::over(app.stop(), |_| {});
    let mut ada = app.anon();
    ada.headers = headers;
    assert_eq!(ada.get("/api/users/self").status, 200);
    app.clock.advance(Duration::from_secs(365 * 24 * 60 * 60 - 60));
    assert_eq!(ada.get("/api/users/self").status, 200);
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(ada.get("/api/users/self").status, 401);
}

#[test]
fn the_cookie_says_how_long_it_lives_and_hides_from_scripts() {
    let app = App::new();
    app.user("ada");
    let response =
        app.anon().post("/api/sessions", &json!({ "username": "ada", "password": "pass" }));
    let cookie = response.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "over plain HTTP it would not come back: {cookie}");
}

/// Each character of the cookie counts, and so does the key of the file that it was made with.
#[test]
fn an_altered_or_foreign_cookie_is_none() {
    let (app, other) = (App::new(), App::new());
    let (ada, _) = (app.user("ada"), other.user("ada"));
    let cookie = ada.headers[0].1.clone();
    let status = |app: &App, cookie: &str| {
        app.anon().send("GET", "/api/users/self", &[("Cookie", cookie)], None).status
    };
    assert_eq!((status(&app, &cookie), status(&other, &cookie)), (200, 401));
    let (name, value) = cookie.split_once('=').unwrap();
    for at in (0..value.len()).step_by(7) {
        let swapped = if &value[at..=at] == "A" { "B" } else { "A" };
        let altered = format!("{name}={}{swapped}{}", &value[..at], &value[at + 1..]);
        assert_eq!(status(&app, &altered), 401, "{altered}");
    }
    assert_eq!(status(&app, &format!("other={value}")), 401);
    assert_eq!(status(&app, &format!("{name}={}", &value[..value.len() / 2])), 401);
}

#[test]
fn logout_ends_this_session_only() {
    let app = App::new();
    let (ada, mut elsewhere) = (app.user("ada"), app.anon());
    elsewhere.log_in("ada", "pass");
    let out = ada.delete("/api/sessions/self");
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    assert_eq!(ada.get("/api/users/self").status, 401);
    assert_eq!(ada.delete("/api/sessions/self").status, 401);
    assert_eq!(elsewhere.get("/api/users/self").status, 200);
}

/// A login ends the session whose cookie came with it, of whichever account.
#[rstest]
fn a_login_ends_the_session_that_was_carried(#[values("ada", "bob")] name: &str) {
    let app = App::new();
    let (ada, _bob) = (app.user("ada"), app.user("bob"));
    let mut again = ada.clone();
    let wrong = json!({ "username": name, "password": "guess" });
    assert_eq!(again.post("/api/sessions", &wrong).status, 403);
    assert_eq!(ada.get("/api/users/self").status, 200);
    again.log_in(name, "pass");
    assert_eq!(again.get("/api/users/self").status, 200);
    assert_eq!(ada.get("/api/users/self").status, 401);
}

#[test]
fn a_hash_is_made_stronger_at_the_next_login() {
    let app = App::new();
    drop(app.user("ada"));
    let app = App::over(app.stop(), |settings| settings.argon2_memory_kib = 32);
    app.anon().log_in("ada", "pass");
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let hash: String =
        db.query_row("SELECT password_hash FROM users", [], |row| row.get(0)).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{hash}");
    app.anon().log_in("ada", "pass");

    // A lower setting later weakens nothing.
    let app = App::over(app.stop(), |_| {});
    app.anon().log_in("ada", "pass");
    let kept: String =
        db.query_row("SELECT password_hash FROM users", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, hash);
}

/// The file holds hashes of tokens and passwords only.
#[test]
fn the_file_keeps_no_token() {
    let app = App::new();
    app.user("ada");
    let body = json!({ "user_id": "ada", "password": "pass", "terminal": "t" });
    let token = app.anon().post("/auth/login", &body).json()["token"].as_str().unwrap().to_owned();
    let folder = app.stop();
    let file = std::fs::read(folder.path().join("bottle.db")).unwrap();
    for secret in [token.as_bytes(), b"pass\0"] {
        assert!(!file.windows(secret.len()).any(|window| window == secret));
    }
}

/// Sessions are cached until the next commit of any program.
#[rstest]
#[case::logout("DELETE FROM sessions", 401, None)]
#[case::deletion("DELETE FROM users", 401, None)]
#[case::nickname("UPDATE users SET nickname = 'Ada L.'", 200, Some("Ada L."))]
#[case::expiry("UPDATE sessions SET expires_at = 1", 401, None)]
#[case::another_table("INSERT INTO meta VALUES ('a', 'b')", 200, Some("ada"))]
fn a_change_beside_the_server_counts_at_once(
    #[case] change: &str,
    #[case] status: u16,
    #[case] nickname: Option<&str>,
) {
    let app = App::new();
    let ada = app.user("ada");
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.execute_batch("PRAGMA foreign_keys = on").unwrap();
    for _ in 0..3 {
        assert_eq!(ada.get("/api/users/self").status, 200);
    }
    db.execute_batch(change).unwrap();
    let profile = ada.get("/api/users/self");
    assert_eq!(profile.status, status, "{}", profile.text);
    assert_eq!(profile.data()["nickname"].as_str(), nickname);
}
