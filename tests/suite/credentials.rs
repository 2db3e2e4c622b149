//! Four ways to carry a login against every route that asks for one: whatever is wrong with what is
//! carried, the answer is the documented refusal, and nothing happens.

use std::collections::BTreeSet;
use std::time::Duration;

use bottle_test_support::document;
use bottle_test_support::{App, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rstest::rstest;
use serde_json::{Value, json};

/// The credential of each contract.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum By {
    Cookie,
    Jwt,
    Bearer,
    Terminal,
}

/// Every route that asks for a session, with a body it would take.
pub(crate) const ROUTES: &[(By, &str, &str, &str)] = &[
    (By::Cookie, "DELETE", "/api/sessions/self", ""),
    (By::Cookie, "GET", "/api/users/self", ""),
    (By::Cookie, "PUT", "/api/users/self", r#"{"nickname":"changed"}"#),
    (
        By::Cookie,
        "POST",
        "/api/bottles",
        r#"{"content":"c","location":{"latitude":1,"longitude":1}}"#,
    ),
    (
        By::Cookie,
        "GET",
        "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=1&longitude_span=1",
        "",
    ),
    (By::Cookie, "GET", "/api/bottles/created", ""),
    (By::Cookie, "GET", "/api/bottles/opened", ""),
    (By::Cookie, "POST", "/api/bottles/1/open", ""),
    (By::Cookie, "GET", "/api/bottles/1/openers", ""),
    (By::Cookie, "DELETE", "/api/sessions", ""),
    (By::Cookie, "GET", "/api/users/self/export", ""),
    (By::Cookie, "DELETE", "/api/users/self", r#"{"password":"pass"}"#),
    (
        By::Cookie,
        "GET",
        "/api/bottles/live?latitude=0&longitude=0&latitude_span=1&longitude_span=1",
        "",
    ),
    (By::Cookie, "DELETE", "/api/bottles/1", ""),
    (By::Cookie, "POST", "/api/bottles/1/report", r#"{"reason":"unkind"}"#),
    (By::Cookie, "POST", "/api/bottles/catch", ""),
    (By::Cookie, "POST", "/api/bottles/1/replies", r#"{"content":"c"}"#),
    (By::Cookie, "GET", "/api/bottles/1/replies", ""),
    (By::Cookie, "GET", "/api/bottles/1/threads", ""),
    (By::Cookie, "DELETE", "/api/replies/1", ""),
    (By::Cookie, "POST", "/api/replies/1/report", r#"{"reason":"unkind"}"#),
    (By::Cookie, "PUT", "/api/users/1/block", r#"{"blocked":true}"#),
    (By::Cookie, "GET", "/api/users/self/blocks", ""),
    (By::Cookie, "GET", "/api/inbox", ""),
    (By::Cookie, "PUT", "/api/inbox", r#"{"read_through":1}"#),
    (By::Cookie, "GET", "/api/inbox/live", ""),
    (By::Cookie, "PUT", "/api/teacher/replies/1", r#"{"hidden":true}"#),
    (By::Cookie, "GET", "/api/teacher/bottles", ""),
    (By::Cookie, "PUT", "/api/teacher/bottles/1", r#"{"hidden":true}"#),
    (By::Cookie, "PUT", "/api/teacher/users/1", r#"{"muted_minutes":1}"#),
    (By::Cookie, "GET", "/api/teacher/sea", ""),
    (By::Cookie, "PUT", "/api/teacher/sea", r#"{"frozen":true}"#),
    (By::Cookie, "GET", "/api/teacher/log", ""),
    (By::Cookie, "GET", "/api/teacher/newest", ""),
    (
        By::Cookie,
        "GET",
        "/api/xray/tree?latitude=0&longitude=0&latitude_span=1&longitude_span=1",
        "",
    ),
    (
        By::Cookie,
        "GET",
        "/api/xray/search?latitude=0&longitude=0&latitude_span=1&longitude_span=1",
        "",
    ),
    (By::Cookie, "GET", "/api/admin/registration", ""),
    (By::Cookie, "PUT", "/api/admin/registration", r#"{"registration":"closed"}"#),
    (By::Cookie, "GET", "/api/admin/invitations", ""),
    (By::Cookie, "POST", "/api/admin/invitations", r#"{"uses":2}"#),
    (By::Cookie, "DELETE", "/api/admin/invitations/1", ""),
    (By::Cookie, "POST", "/api/admin/import", crate::session_races::POINT),
    (By::Cookie, "GET", "/api/admin/webhook", ""),
    (By::Cookie, "PUT", "/api/admin/webhook", r#"{"url":"https://example.org/"}"#),
    (By::Cookie, "DELETE", "/api/admin/webhook", ""),
    (By::Cookie, "POST", "/api/admin/webhook/secret", ""),
    (By::Cookie, "POST", "/api/admin/webhook/test", ""),
    (By::Cookie, "GET", "/api/admin/people", ""),
    (By::Cookie, "POST", "/api/admin/people", r#"{"username":"new"}"#),
    (By::Cookie, "POST", "/api/admin/people/import", r#"{"csv":"username\nnew\n"}"#),
    (By::Cookie, "PUT", "/api/admin/people/1", r#"{"username":"changed"}"#),
    (By::Cookie, "POST", "/api/admin/people/1/password", ""),
    (By::Cookie, "PUT", "/api/admin/people/1/mute", r#"{"muted_minutes":5}"#),
    (By::Cookie, "DELETE", "/api/admin/people/1/sessions", ""),
    (By::Cookie, "DELETE", "/api/admin/people/1", ""),
    (By::Cookie, "GET", "/api/admin/log", ""),
    (By::Cookie, "POST", "/api/teacher/classes", r#"{"minutes":5}"#),
    (By::Cookie, "GET", "/api/teacher/classes", ""),
    (By::Cookie, "GET", "/api/teacher/classes/1/sea", ""),
    (By::Cookie, "PUT", "/api/teacher/classes/1/end", ""),
    (By::Cookie, "DELETE", "/api/teacher/classes/1", ""),
    (By::Cookie, "GET", "/api/admin/backups", ""),
    (By::Cookie, "POST", "/api/admin/backups", ""),
    (By::Cookie, "GET", "/api/admin/backups/bottle-20261121T030000.000Z.db", ""),
    (By::Cookie, "POST", "/api/admin/check", ""),
    (By::Cookie, "GET", "/api/admin/health", ""),
    (By::Cookie, "GET", "/api/admin/settings", ""),
    (By::Cookie, "PUT", "/api/admin/settings/backup_keep", r#"{"value":7}"#),
    (By::Cookie, "GET", "/api/feed", ""),
    (By::Cookie, "POST", "/api/feed", ""),
    (By::Cookie, "DELETE", "/api/feed", ""),
    (By::Cookie, "GET", "/api/tokens", ""),
    (By::Cookie, "POST", "/api/tokens", r#"{"name":"changed"}"#),
    (By::Cookie, "DELETE", "/api/tokens/1", ""),
    (By::Cookie, "DELETE", "/sessions/self", ""),
    (By::Cookie, "GET", "/users/self", ""),
    (By::Cookie, "PUT", "/users/self", r#"{"nickname":"changed"}"#),
    (By::Cookie, "POST", "/bottles", r#"{"content":"c","location":{"latitude":1,"longitude":1}}"#),
    (
        By::Cookie,
        "GET",
        "/bottles/nearby?latitude=0&longitude=0&latitude_span=1&longitude_span=1",
        "",
    ),
    (By::Cookie, "GET", "/bottles/created", ""),
    (By::Cookie, "GET", "/bottles/opened", ""),
    (By::Cookie, "POST", "/bottles/1/open", ""),
    (By::Cookie, "GET", "/bottles/1/openers", ""),
    (By::Jwt, "PUT", "/user", r#"{"password":"changed"}"#),
    (By::Jwt, "DELETE", "/user", ""),
    (By::Jwt, "POST", "/card", r#"{"name":"changed"}"#),
    (By::Jwt, "GET", "/card", ""),
    (By::Jwt, "DELETE", "/card/1", ""),
    (By::Jwt, "POST", "/member", r#"{"name":"changed"}"#),
    (By::Jwt, "GET", "/member", ""),
    (By::Jwt, "DELETE", "/member/1", ""),
    (By::Jwt, "POST", "/division", r#"{"name":"changed"}"#),
    (By::Jwt, "GET", "/division", ""),
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
        r#"{"password":"pass","new_password":"changed"}"#,
    ),
    (By::Bearer, "DELETE", "/api/user/delete", ""),
    (By::Terminal, "POST", "/auth/logout", r#"{"user_id":"ada"}"#),
];

impl By {
    const ALL: [Self; 4] = [Self::Cookie, Self::Jwt, Self::Bearer, Self::Terminal];

    /// The header that carries `credential`.
    pub(crate) fn header(self, credential: &str) -> (&'static str, String) {
        match self {
            Self::Cookie | Self::Jwt => ("Cookie", credential.to_owned()),
            Self::Bearer => ("Authorization", format!("Bearer {credential}")),
            Self::Terminal => ("token", credential.to_owned()),
        }
    }

    /// Logs `name` in, and returns what is carried from then on.
    pub(crate) fn log_in(self, app: &App, name: &str, password: &str) -> String {
        let anon = app.anon();
        let (path, body) = match self {
            Self::Cookie => ("/api/sessions", json!({ "username": name, "password": password })),
            Self::Jwt => ("/user/login", json!({ "name": name, "password": password })),
            Self::Bearer => ("/api/user/login", json!({ "email": name, "password": password })),
            Self::Terminal => {
                ("/auth/login", json!({ "user_id": name, "password": password, "terminal": "t" }))
            }
        };
        let response = anon.post(path, &body);
        assert_eq!(response.status, 200, "{}", response.text);
        let cookie = response.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        match self {
            Self::Cookie | Self::Jwt => cookie,
            Self::Bearer => response.data()["token"].as_str().unwrap().to_owned(),
            Self::Terminal => response.json()["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Fails unless `answer` is this contract's refusal of what was carried.
    pub(crate) fn check_refusal(
        self,
        response: &Response,
        path: &str,
        jwt_message: &str,
        no_token: bool,
    ) {
        let context = format!("{path}: {} {}", response.status, response.text);
        let body = response.json();
        match self {
            Self::Cookie => {
                assert_eq!(response.status, 401, "{context}");
                assert_eq!(
                    body,
                    json!({ "status": "UNAUTHORIZED", "msg": "未登录", "data": {} }),
                    "{context}"
                );
            }
            Self::Jwt => {
                assert_eq!(response.status, 400, "{context}");
                assert_eq!(body, json!({ "code": 400, "message": jwt_message }), "{context}");
            }
            Self::Bearer => {
                assert_eq!(response.status, 403, "{context}");
                let absent = no_token && path != "/api/user/profile";
                let message = if absent { "请登录后操作" } else { "无效的访问令牌" };
                assert_eq!(body, json!({ "code": 40301, "message": message }), "{context}");
            }
            Self::Terminal => {
                assert_eq!(response.status, 401, "{context}");
                assert_ne!(body["message"], Value::from("ok"), "{context}");
            }
        }
    }
}

fn app_with_ada() -> App {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(0.0, 0.0);
    app
}

/// Every route of `by`, carrying `credential`, refuses.
fn all_refuse(app: &App, by: By, credential: Option<&str>, jwt_message: &str) {
    for (route_by, method, path, body) in ROUTES {
        if *route_by != by {
            continue;
        }
        let carried = credential.map(|credential| by.header(credential));
        let mut headers: Vec<(&str, &str)> =
            carried.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.push(("Content-Type", "application/json"));
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let response = app.anon().send(method, path, &headers, body);
        by.check_refusal(&response, path, jwt_message, credential.is_none());
    }
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let changed: i64 = db
        .query_row(
            "SELECT (SELECT count(*) FROM users WHERE nickname = 'changed')
                  + (SELECT count(*) FROM cards) + (SELECT count(*) FROM access_tokens)
                  + (SELECT count(*) FROM bottles) - 1",
            [],
            |row| row.get(0),
        )
        .unwrap_or_default();
    assert!(changed <= 0, "something was changed by {by:?} {credential:?}");
}

#[rstest]
fn a_missing_credential_is_refused(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    all_refuse(&app_with_ada(), by, None, "no token found");
}

#[rstest]
#[case::word("nonsense")]
#[case::dots("eyJh.eyJh.eyJh")]
#[case::long(&"x".repeat(4000))]
#[case::hex("00000000000000000000000000000000")]
fn nonsense_is_refused(
    #[case] credential: &str,
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    let credential = match by {
        By::Cookie => format!("bottle_session={credential}"),
        _ => credential.to_owned(),
    };
    all_refuse(&app_with_ada(), by, Some(&credential), "invalid token");
}

/// A credential of one contract is rejected by the others.
#[rstest]
fn another_contracts_credential_is_refused(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    let app = app_with_ada();
    for other in By::ALL.into_iter().filter(|other| *other != by) {
        let credential = other.log_in(&app, "ada", "pass");
        let credential = match (by, other) {
            (By::Cookie, _) => format!("bottle_session={credential}"),
            (_, By::Cookie) => credential.split_once('=').unwrap().1.replace('=', ""),
            _ => credential,
        };
        all_refuse(&app, by, Some(&credential), "invalid token");
    }
}

/// A session of another contract inside a well-signed JWT opens nothing either.
#[rstest]
#[case::no_algorithm("none")]
#[case::another_key("key")]
#[case::another_algorithm("HS512")]
#[case::altered("altered")]
fn a_forged_jwt_is_refused(#[case] forgery: &str) {
    let app = app_with_ada();
    let jwt = By::Jwt.log_in(&app, "ada", "pass");
    let parts: Vec<&str> = jwt.split('.').collect();
    let claims = json!({ "aud": "1", "exp": 4_102_444_800_i64, "jti": "0".repeat(32) });
    let sign = |algorithm| {
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(b"guess"))
            .unwrap()
    };
    let forged = match forgery {
        // {"alg":"none","typ":"JWT"}
        "none" => format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", parts[1]),
        "key" => sign(Algorithm::HS256),
        "HS512" => sign(Algorithm::HS512),
        _ => format!(
            "{}.{}.{}",
            parts[0],
            sign(Algorithm::HS256).split('.').nth(1).unwrap(),
            parts[2]
        ),
    };
    all_refuse(&app, By::Jwt, Some(&forged), "invalid token");
}

#[rstest]
fn an_expired_credential_is_refused(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
) {
    let app = app_with_ada();
    let credential = by.log_in(&app, "ada", "pass");
    app.clock.advance(Duration::from_secs(366 * 24 * 60 * 60));
    all_refuse(&app, by, Some(&credential), "expired token");
}

#[rstest]
fn a_credential_after_logout_is_refused(#[values(By::Cookie, By::Terminal)] by: By) {
    let app = app_with_ada();
    let credential = by.log_in(&app, "ada", "pass");
    let (name, value) = by.header(&credential);
    let headers = [(name, value.as_str()), ("Content-Type", "application/json")];
    let out = match by {
        By::Cookie => app.anon().send("DELETE", "/api/sessions/self", &headers[..1], None),
        _ => app.anon().send("POST", "/auth/logout", &headers, Some(br#"{"user_id":"ada"}"#)),
    };
    assert_eq!(out.status, 200, "{}", out.text);
    all_refuse(&app, by, Some(&credential), "invalid token");
}

/// A second login at a terminal is the end of the first one there.
#[test]
fn a_replaced_terminal_token_is_refused() {
    let app = app_with_ada();
    let credential = By::Terminal.log_in(&app, "ada", "pass");
    By::Terminal.log_in(&app, "ada", "pass");
    all_refuse(&app, By::Terminal, Some(&credential), "");
}

/// Through whichever contract the password is changed, all others' sessions end.
#[rstest]
fn a_credential_after_a_password_change_is_refused(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] changed_by: By,
) {
    let app = app_with_ada();
    let credential = by.log_in(&app, "ada", "pass");
    let changer = changed_by.log_in(&app, "ada", "pass");
    let (name, value) = changed_by.header(&changer);
    let mut client = app.anon();
    client.headers.push((name.to_owned(), value));
    let changed = match changed_by {
        By::Cookie => client.put("/api/users/self", &json!({ "password": "newer" })),
        By::Jwt => client.put("/user", &json!({ "password": "newer" })),
        By::Bearer => client.put(
            "/api/user/update/password",
            &json!({ "password": "pass", "new_password": "newer" }),
        ),
        By::Terminal => client.post(
            "/auth/password",
            &json!({ "user_id": "ada", "oldPassword": "pass", "newPassword": "newer" }),
        ),
    };
    assert_eq!(changed.status, 200, "{}", changed.text);
    all_refuse(&app, by, Some(&credential), "invalid token");
}

/// Through whichever contract the account is deleted, its sessions end, and its bottles go with it.
#[rstest]
fn a_credential_of_a_deleted_account_is_refused(
    #[values(By::Cookie, By::Jwt, By::Bearer, By::Terminal)] by: By,
    #[values(By::Jwt, By::Bearer, By::Terminal)] deleted_by: By,
) {
    let app = app_with_ada();
    let credential = by.log_in(&app, "ada", "pass");
    let (name, value) = deleted_by.header(&deleted_by.log_in(&app, "ada", "pass"));
    let mut client = app.anon();
    client.headers.push((name.to_owned(), value));
    let deleted = match deleted_by {
        By::Jwt => client.delete("/user"),
        By::Bearer => client.delete("/api/user/delete"),
        _ => client.post("/auth/unregister", &json!({ "user_id": "ada", "password": "pass" })),
    };
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    all_refuse(&app, by, Some(&credential), "invalid token");

    let db = rusqlite::Connection::open(app.database()).unwrap();
    let left: i64 = db
        .query_row(
            "SELECT (SELECT count(*) FROM bottles) + (SELECT count(*) FROM bottles_rtree)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

/// The list above is whole: the document knows of no other route that asks for a session.
#[test]
fn every_route_that_asks_for_a_session_is_tried() {
    let tried: BTreeSet<_> =
        ROUTES.iter().map(|(_, method, path, _)| document::operation_for(method, path)).collect();
    let all = document::operations_with(|operation| operation.get("security").is_some());
    assert_eq!(tried, all);
}
