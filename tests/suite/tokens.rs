//! Personal access tokens: each route accepts what the documents say it accepts, and a token that has
//! ended grants nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use bottle_test_support::document;
use bottle_test_support::{App, Client, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::credentials::{By, ROUTES};
use crate::session_races::{WRITES, overtaken, run, scene};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes a token of the client's account.
#[track_caller]
pub(crate) fn make(client: &Client, access: &str) -> Value {
    let body = json!({ "name": "weather station", "access": access });
    let made = client.post("/api/tokens", &body);
    assert_eq!(made.status, 200, "{}", made.text);
    made.data()
}

/// Makes a token of the client's account, and returns a client with it.
#[track_caller]
fn program(app: &App, client: &Client, access: &str) -> Client {
    with_token(app, make(client, access)["token"].as_str().unwrap())
}

fn with_token(app: &App, token: &str) -> Client {
    let mut program = app.anon();
    program.headers.push(("Authorization".into(), format!("Bearer {token}")));
    program
}

/// The status of the envelope, if it is one that only tokens get.
fn refusal(client: &Client, method: &str, path: &str, body: &str) -> Option<String> {
    let body = (!body.is_empty()).then_some(body.as_bytes());
    let response = client.send(method, path, &[("Content-Type", "application/json")], body);
    let status = response.json()["status"].as_str().unwrap_or_default().to_owned();
    let expected = match &*status {
        "UNAUTHORIZED" => 401,
        "READ_ONLY_TOKEN" | "SESSION_REQUIRED" => 403,
        _ => return None,
    };
    assert_eq!(response.status, expected, "{}", response.text);
    Some(status)
}

/// The routes of the Bottle contract that need a session, without the streams, which do not end.
fn routes() -> impl Iterator<Item = &'static (By, &'static str, &'static str, &'static str)> {
    ROUTES.iter().filter(|(by, _, path, _)| *by == By::Cookie && !path.contains("/live"))
}

/// Whether the document says that the route accepts a token.
fn accepts_tokens(method: &str, path: &str) -> bool {
    let accepting = document::operations_with(|operation| {
        operation["security"]
            .as_array()
            .is_some_and(|list| list.iter().any(|item| item.get("access_token").is_some()))
    });
    accepting.contains(&document::operation_for(method, path))
}

#[test]
fn a_session_is_needed_where_an_account_could_be_taken_over() {
    let refusing: BTreeSet<_> = routes()
        .filter(|(_, method, path, _)| !accepts_tokens(method, path))
        .map(|(_, method, path, _)| format!("{method} {path}"))
        .collect();
    let expected = [
        "DELETE /api/admin/invitations/1",
        "DELETE /api/admin/people/1",
        "DELETE /api/admin/people/1/sessions",
        "DELETE /api/admin/webhook",
        "DELETE /api/feed",
        "DELETE /api/sessions",
        "DELETE /api/sessions/self",
        "DELETE /api/teacher/classes/1",
        "DELETE /api/tokens/1",
        "DELETE /api/users/self",
        "DELETE /sessions/self",
        "GET /api/admin/backups",
        "GET /api/admin/backups/bottle-20261121T030000.000Z.db",
        "GET /api/admin/health",
        "GET /api/admin/invitations",
        "GET /api/admin/log",
        "GET /api/admin/people",
        "GET /api/admin/registration",
        "GET /api/admin/settings",
        "GET /api/admin/webhook",
        "GET /api/feed",
        "GET /api/teacher/classes",
        "GET /api/teacher/classes/1/sea",
        "GET /api/tokens",
        "POST /api/admin/backups",
        "POST /api/admin/check",
        "POST /api/admin/import",
        "POST /api/admin/invitations",
        "POST /api/admin/people",
        "POST /api/admin/people/1/password",
        "POST /api/admin/people/import",
        "POST /api/admin/webhook/secret",
        "POST /api/admin/webhook/test",
        "POST /api/feed",
        "POST /api/teacher/classes",
        "POST /api/tokens",
        "PUT /api/admin/people/1",
        "PUT /api/admin/people/1/mute",
        "PUT /api/admin/registration",
        "PUT /api/admin/settings/backup_keep",
        "PUT /api/admin/webhook",
        "PUT /api/teacher/classes/1/end",
    ];
    assert_eq!(refusing, expected.map(str::to_owned).into());
}

#[rstest]
fn every_route_accepts_the_tokens_that_it_documents(
    #[values("user", "teacher", "operator")] role: &str,
    #[values("read", "full")] access: &str,
) {
    let app = App::new();
    let ada = match role {
        "user" => app.user("ada"),
        "teacher" => app.teacher("ada"),
        _ => app.operator("ada"),
    };
    ada.throw(0.0, 0.0);
    let program = program(&app, &ada, access);
    for (_, method, path, body) in routes() {
        let expected = match (access, *method) {
            ("read", "POST" | "PUT" | "DELETE") => Some("READ_ONLY_TOKEN"),
            _ if accepts_tokens(method, path) => None,
            _ => Some("SESSION_REQUIRED"),
        };
        let refused = refusal(&program, method, path, body);
        assert_eq!(refused.as_deref(), expected, "{role} {access} {method} {path}");
    }
    let nickname = ada.get("/api/users/self").data()["nickname"].clone();
    assert_eq!(nickname, if access == "full" { "changed" } else { "ada" });
}

/// A token grants what the role of its account grants.
#[rstest]
#[case::user("user", 403)]
#[case::teacher("teacher", 200)]
#[case::operator("operator", 200)]
fn a_token_moderates_for_teachers_only(#[case] role: &str, #[case] status: u16) {
    let app = App::new();
    let account = match role {
        "user" => app.user("ada"),
        "teacher" => app.teacher("ada"),
        _ => app.operator("ada"),
    };
    let program = program(&app, &account, "full");
    assert_eq!(program.get("/api/teacher/log").status, status);
    assert_eq!(program.put("/api/teacher/sea", &json!({ "frozen": true })).status, status);
}

#[rstest]
fn a_token_that_is_not_live_is_refused_everywhere(
    #[values("expired", "revoked", "unknown", "truncated", "of a deleted account")] state: &str,
) {
    let app = App::new();
    let ada = app.operator("ada");
    ada.throw(0.0, 0.0);
    let made = make(&ada, "full");
    let mut token = made["token"].as_str().unwrap().to_owned();
    match state {
        "expired" => app.clock.advance(90 * DAY),
        "revoked" => {
            assert_eq!(ada.delete(&format!("/api/tokens/{}", made["token_id"])).status, 200);
        }
        "unknown" => token = format!("bottle_{}", "0".repeat(32)),
        "truncated" => token.truncate(token.len() - 1),
        _ => {
            app.operator("grace");
            let body = json!({ "password": "pass" });
            assert_eq!(ada.json("DELETE", "/api/users/self", &body).status, 200);
        }
    }
    let mut program = with_token(&app, &token);
    // The token decides, although the cookie is good.
    program.headers.extend(ada.headers);
    for (_, method, path, body) in routes() {
        let refused = refusal(&program, method, path, body);
        assert_eq!(refused.as_deref(), Some("UNAUTHORIZED"), "{state} {method} {path}");
    }
}

#[test]
fn the_token_decides_if_a_request_has_a_cookie_too() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let mut both = program(&app, &bob, "read");
    both.headers.extend(ada.headers);
    assert_eq!(both.get("/api/users/self").data()["username"], "bob");
    let change = json!({ "nickname": "changed" });
    assert_eq!(both.put("/api/users/self", &change).json()["status"], "READ_ONLY_TOKEN");
    // Bearer tokens of other contracts are none of Bottle's.
    let music = with_token(&app, &By::Bearer.log_in(&app, "bob", "pass"));
    assert_eq!(music.get("/api/users/self").status, 401);
}

#[test]
fn a_token_is_accepted_in_its_header_only() {
    let app = App::new();
    let ada = app.user("ada");
    let token = make(&ada, "full")["token"].as_str().unwrap().to_owned();
    for scheme in ["Bearer", "bearer"] {
        let value = format!("{scheme} {token}");
        let header = [("Authorization", value.as_str())];
        assert_eq!(app.anon().send("GET", "/api/users/self", &header, None).status, 200);
    }
    let cookie = format!("bottle_session={token}; {token}");
    let refused = [("Authorization", &*token), ("Cookie", &*cookie), ("token", &*token)];
    for header in refused {
        let response = app.anon().send("GET", "/api/users/self", &[header], None);
        assert_eq!(response.status, 401, "{}", header.0);
    }
    for name in ["token", "access_token", "Authorization"] {
        let path = format!("/api/users/self?{name}={token}");
        assert_eq!(app.anon().get(&path).status, 401, "{name}");
    }
    let program = with_token(&app, &token);
    for (by, method, path, body) in ROUTES.iter().filter(|(by, ..)| *by != By::Cookie) {
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let headers = [("Content-Type", "application/json"), ("token", &*token)];
        let response = program.send(method, path, &headers, body);
        assert!(response.status >= 400, "{by:?} {method} {path}: {}", response.text);
    }
}

#[test]
fn a_password_is_changed_in_a_session_only() {
    let app = App::new();
    let ada = app.user("ada");
    let program = program(&app, &ada, "full");
    for body in [
        json!({ "password": "stolen" }),
        json!({ "password": "stolen", "current_password": "pass" }),
        json!({ "nickname": "stolen", "current_password": "pass" }),
    ] {
        let response = program.put("/api/users/self", &body);
        assert_eq!(
            (response.status, &response.json()["status"]),
            (403, &"SESSION_REQUIRED".into())
        );
    }
    assert_eq!(ada.get("/api/users/self").data()["nickname"], "ada");
    app.anon().log_in("ada", "pass");
}

#[rstest]
#[case::password("password")]
#[case::password_of_another_contract("ledger")]
#[case::everywhere("everywhere")]
#[case::operator_logs_out("logout")]
#[case::operator_sets_password("passwd")]
fn a_token_ends_with_all_sessions(#[case] how: &str) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (hers, his) = (program(&app, &ada, "full"), program(&app, &bob, "full"));
    match how {
        "password" => {
            let body = json!({ "password": "newer", "current_password": "pass" });
            assert_eq!(ada.put("/api/users/self", &body).status, 200);
        }
        "ledger" => {
            let mut ledger = app.anon();
            let (name, value) = By::Jwt.header(&By::Jwt.log_in(&app, "ada", "pass"));
            ledger.headers.push((name.into(), value));
            assert_eq!(ledger.put("/user", &json!({ "password": "newer" })).status, 200);
        }
        "everywhere" => assert_eq!(ada.delete("/api/sessions").status, 200),
        "logout" => drop(run_ok(app.folder(), &["user", "logout", "ada"])),
        _ => {
            let args = ["user", "passwd", "ada"];
            bottle_test_support::run_ok_with_input(app.folder(), &args, "newer\n");
        }
    }
    assert_eq!(hers.get("/api/users/self").status, 401);
    assert_eq!(his.get("/api/users/self").status, 200);
    let db = Connection::open(app.database()).unwrap();
    let left =
        db.query_row("SELECT group_concat(user_id) FROM access_tokens", [], |row| row.get(0));
    assert_eq!(left, Ok("2".to_owned()));
}

#[test]
fn a_token_is_shown_once_and_listed_without_its_secret() {
    let app = App::new();
    let ada = app.user("ada");
    let first = make(&ada, "full");
    let token = first["token"].as_str().unwrap();
    assert_eq!(token.strip_prefix("bottle_").map(str::len), Some(32));
    let second = ada.post("/api/tokens", &json!({ "name": "雪", "expires_in_days": 1 })).data();
    assert_eq!((&second["access"], &second["last_used_at"]), (&json!("read"), &Value::Null));

    let list = ada.get("/api/tokens");
    assert!(!list.text.contains(token));
    let tokens = list.data()["tokens"].clone();
    let names: Vec<_> = tokens.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["雪", "weather station"]);
    assert_eq!(tokens[1]["last_used_at"], Value::Null);

    assert_eq!(with_token(&app, token).get("/api/users/self").status, 200);
    let used = ada.get("/api/tokens").data()["tokens"][1]["last_used_at"].clone();
    assert!(used.as_str().is_some_and(|time| time.ends_with(":00.000Z")), "{used}");

    // The other one expires, and is not listed any more.
    app.clock.advance(DAY);
    assert_eq!(ada.get("/api/tokens").data()["tokens"].as_array().map(Vec::len), Some(1));
}

#[rstest]
#[case::no_name(json!({}), "name")]
#[case::empty_name(json!({ "name": "" }), "name")]
#[case::long_name(json!({ "name": "n".repeat(65) }), "name")]
#[case::line_break(json!({ "name": "a\nb" }), "name")]
#[case::invisible(json!({ "name": "a\u{200b}b" }), "name")]
#[case::space(json!({ "name": " a" }), "name")]
#[case::access(json!({ "name": "n", "access": "write" }), "access")]
#[case::no_day(json!({ "name": "n", "expires_in_days": 0 }), "expires_in_days")]
#[case::a_long_time(json!({ "name": "n", "expires_in_days": 366 }), "expires_in_days")]
fn terms_are_checked(#[case] body: Value, #[case] field: &str) {
    let response = App::new().user("ada").post("/api/tokens", &body);
    assert_eq!((response.status, &response.data()["field"]), (422, &json!(field)));
}

#[test]
fn an_account_has_at_most_fifty_tokens_and_ends_its_own_only() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let body = json!({ "name": "n" });
    let made: Vec<u16> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    (0..10).map(|_| ada.post("/api/tokens", &body).status).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|status| **status == 200).count(), 50, "{made:?}");
    assert_eq!(ada.post("/api/tokens", &body).json()["status"], "TOO_MANY_TOKENS");
    let path = format!("/api/tokens/{}", ada.get("/api/tokens").data()["tokens"][0]["token_id"]);
    assert_eq!(bob.delete(&path).status, 404);
    assert_eq!(bob.delete("/api/tokens/x").status, 404);
    assert_eq!(ada.delete(&path).status, 200);
    assert_eq!(ada.delete(&path).status, 404);
    assert_eq!(ada.post("/api/tokens", &body).status, 200);
    assert_eq!(bob.post("/api/tokens", &body).status, 200);
}

/// A token that ends while a change that it asked for waits for the file: the change is not made.
#[test]
fn a_token_that_has_ended_changes_nothing() {
    let writes = WRITES.iter().filter(|(by, method, path, body)| {
        *by == By::Cookie && accepts_tokens(method, path) && !body.contains("password")
    });
    let mut tried = 0;
    for (_, method, path, body) in writes {
        let (app, ada) = scene(By::Cookie, path);
        let program = program(&app, &ada, "full");
        let request = || {
            let body = (!body.is_empty()).then_some(body.as_bytes());
            program.send(method, path, &[("Content-Type", "application/json")], body)
        };
        let ends = run("DELETE FROM access_tokens WHERE user_id = 1");
        let (response, changed) = overtaken(&app, request, ends);
        assert_eq!((response.status, changed), (401, false), "{method} {path} {}", response.text);
        tried += 1;
    }
    assert!(tried > 15);
}

#[rstest]
fn a_stream_ends_with_its_token(
    #[values(
        "/api/inbox/live",
        "/api/bottles/live?latitude=0&longitude=0&latitude_span=1&longitude_span=1"
    )]
    path: &str,
) {
    let app = App::new();
    let ada = app.user("ada");
    let made = make(&ada, "read");
    let program = with_token(&app, made["token"].as_str().unwrap());
    let mut lines = BufReader::new(program.stream(path, &[])).lines();
    assert!(lines.next().unwrap().is_ok());
    assert_eq!(ada.delete(&format!("/api/tokens/{}", made["token_id"])).status, 200);
    while let Some(Ok(_)) = lines.next() {}
    assert_eq!(program.get("/api/users/self").status, 401);
}

#[test]
fn the_files_hold_no_secret_and_expired_tokens_leave_them() {
    let app = App::new();
    let ada = app.user("ada");
    let token = make(&ada, "full")["token"].as_str().unwrap().to_owned();
    assert_eq!(with_token(&app, &token).get("/api/users/self").status, 200);
    let secret = token.strip_prefix("bottle_").unwrap().as_bytes();
    for entry in fs::read_dir(app.folder()).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read(&path).unwrap();
        let found = content.windows(secret.len()).any(|bytes| bytes == secret);
        assert!(!found, "{} holds the secret", path.display());
    }
    app.clock.advance(91 * DAY);
    make(&ada, "read");
    let db = Connection::open(app.database()).unwrap();
    let count = db.query_row("SELECT count(*) FROM access_tokens", [], |row| row.get(0));
    assert_eq!(count, Ok(1));
}
