//! Input that nobody means well with: whatever comes, the answer is a refusal in the contract's own
//! JSON, nothing is stored, and the server goes on.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use bottle_test_support::document;
use bottle_test_support::{App, Client};
use rstest::rstest;
use serde_json::{Value, json};

/// Every route that reads a body.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/api/users"),
    ("POST", "/api/sessions"),
    ("PUT", "/api/users/self"),
    ("POST", "/api/bottles"),
    ("DELETE", "/api/users/self"),
    ("POST", "/api/bottles/1/report"),
    ("POST", "/api/bottles/catch"),
    ("POST", "/api/bottles/1/replies"),
    ("POST", "/api/replies/1/report"),
    ("PUT", "/api/users/1/block"),
    ("PUT", "/api/inbox"),
    ("PUT", "/api/teacher/replies/1"),
    ("PUT", "/api/teacher/bottles/1"),
    ("PUT", "/api/teacher/users/1"),
    ("PUT", "/api/teacher/sea"),
    ("PUT", "/api/admin/registration"),
    ("POST", "/api/admin/invitations"),
    ("POST", "/api/admin/import"),
    ("PUT", "/api/admin/webhook"),
    ("POST", "/api/admin/people"),
    ("POST", "/api/admin/people/import"),
    ("PUT", "/api/admin/people/1"),
    ("PUT", "/api/admin/people/1/mute"),
    ("PUT", "/api/admin/settings/registration"),
    ("POST", "/api/tokens"),
    ("POST", "/api/teacher/classes"),
    ("POST", "/api/guests"),
    ("POST", "/api/setup"),
    ("POST", "/users"),
    ("POST", "/sessions"),
    ("PUT", "/users/self"),
    ("POST", "/bottles"),
    ("POST", "/user/register"),
    ("POST", "/user/login"),
    ("PUT", "/user"),
    ("POST", "/card"),
    ("POST", "/member"),
    ("POST", "/division"),
    ("POST", "/api/user/register"),
    ("POST", "/api/user/login"),
    ("PUT", "/api/user/update/username"),
    ("PUT", "/api/user/update"),
    ("PUT", "/api/user/update/password"),
    ("DELETE", "/api/user/delete"),
    ("POST", "/auth/register"),
    ("POST", "/auth/unregister"),
    ("POST", "/auth/login"),
    ("POST", "/auth/password"),
    ("POST", "/auth/logout"),
];

/// A body in which every field that any route knows has this value, which is JSON or nearly so.
fn everywhere(value: &str) -> Vec<u8> {
    const FIELDS: &[&str] = &[
        "username",
        "password",
        "current_password",
        "nickname",
        "gender",
        "content",
        "style",
        "location",
        "name",
        "email",
        "new_nickname",
        "new_password",
        "avatar_url",
        "user_id",
        "terminal",
        "oldPassword",
        "newPassword",
        "invitation",
        "token",
        "registration",
        "type",
        "features",
        "url",
        "form",
        "events",
        "role",
        "access",
        "expires_in_days",
        "code",
        "value",
    ];
    let fields: Vec<String> = FIELDS.iter().map(|field| format!("\"{field}\":{value}")).collect();
    format!("{{{}}}", fields.join(",")).into_bytes()
}

fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        " ",
        "null",
        "true",
        "0",
        "-1e999",
        "NaN",
        "\"text\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{]",
        "{\"a\"}",
        "{'a':1}",
        "{\"a\":1,}",
        "{} {}",
        "// no\n{}",
        "username=ada&password=pass",
        "<xml/>",
        "\u{feff}{}",
        "{\"username\":\"\\ud800\"}",
        "{\"username\":\"\\x41\"}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push("{\"a\":".repeat(5000).into_bytes());
    bodies.push("[".repeat(5000).into_bytes());
    bodies.push(b"{\"username\":\"\xff\xfe\",\"password\":\"pass\"}".to_vec());
    bodies.push(b"\x00\x01\x02".to_vec());
    for value in ["1", "true", "[1]", "{\"a\":1}", "\"\\u0000\"", "\"\\udfff\""] {
        bodies.push(everywhere(value));
    }
    bodies.push(everywhere(&format!("\"{}\"", "x".repeat(2_000_000 / 17))));
    bodies
}

/// Someone whom every contract knows: a cookie jar, a JWT, a bearer and a terminal token at once.
pub(crate) fn known(app: &App) -> Client {
    let mut ada = app.operator("ada");
    let bearer = ada.post("/api/user/login", &json!({ "email": "ada", "password": "pass" }));
    let bearer = bearer.data()["token"].as_str().unwrap().to_owned();
    let terminal = json!({ "user_id": "ada", "password": "pass", "terminal": "t" });
    let terminal = ada.post("/auth/login", &terminal).json()["token"].as_str().unwrap().to_owned();
    let jwt = ada.post("/user/login", &json!({ "name": "ada", "password": "pass" }));
    let jwt = jwt.header("set-cookie").split(';').next().unwrap().to_owned();
    for (name, value) in &mut ada.headers {
        if name == "Cookie" {
            *value = format!("{value}; {jwt}");
        }
    }
    ada.headers.push(("Authorization".into(), format!("Bearer {bearer}")));
    ada.headers.push(("token".into(), terminal));
    ada
}

/// The contract that `path` belongs to has this field in every answer.
fn mark(path: &str) -> &'static str {
    match path {
        _ if path.starts_with("/api/user/") => "code",
        _ if path.starts_with("/auth") => "message",
        _ if path.starts_with("/api/") || path.contains("users") => "msg",
        _ if path.starts_with("/sessions") || path.starts_with("/bottles") => "msg",
        _ => "code",
    }
}

fn check(status: u16, text: &str, path: &str, context: &str) {
    let refused = (400..500).contains(&status) || [508, 518].contains(&status);
    assert!(refused, "{context}: {status} {text}");
    let body: Value =
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{context}: {e}: {text}"));
    assert!(body.get(mark(path)).is_some(), "{context}: another contract's JSON: {text}");
}

pub(crate) fn stored(app: &App) -> Vec<String> {
    let db = rusqlite::Connection::open(app.database()).unwrap();
    let mut statement = db
        .prepare(
            "SELECT json_array(id, username, nickname, gender, email, avatar_url, password_version) FROM users
             UNION ALL SELECT json_array(bottle_id, content) FROM messages
             UNION ALL SELECT json_array(id, name) FROM cards
             UNION ALL SELECT json_array(id, name) FROM members
             UNION ALL SELECT json_array(id, name) FROM divisions
             UNION ALL SELECT hex(token_hash) FROM sessions
             UNION ALL SELECT json_array(id, role, uses, used) FROM invitations
             UNION ALL SELECT json_array(id, name, access) FROM access_tokens
             UNION ALL SELECT json_array(id, code, ends_at) FROM classes
             UNION ALL SELECT value FROM meta WHERE key = 'registration'",
        )
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[rstest]
fn hostile_bodies_are_refused_and_store_nothing(#[values(true, false)] logged_in: bool) {
    let app = App::new();
    let client = known(&app);
    let client = if logged_in { client } else { app.anon() };
    let before = stored(&app);
    for (method, path) in ROUTES {
        for body in bodies() {
            let context =
                format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            let json = [("Content-Type", "application/json")];
            let response = client.send(method, path, &json, Some(&body));
            check(response.status, &response.text, path, &context);
        }
    }
    assert_eq!(stored(&app), before);
}

#[rstest]
#[case::text("text/plain")]
#[case::form("application/x-www-form-urlencoded")]
#[case::multipart("multipart/form-data; boundary=x")]
#[case::nothing_known("a/b")]
fn bodies_that_are_no_json_are_415(#[case] kind: &str) {
    let app = App::new();
    let client = known(&app);
    for (method, path) in ROUTES {
        let response = client.send(method, path, &[("Content-Type", kind)], Some(b"{\"a\":1}"));
        assert_eq!(response.status, 415, "{method} {path}: {}", response.text);
        check(response.status, &response.text, path, path);
    }
}

#[test]
fn odd_paths_and_methods_are_refused() {
    let app = App::new();
    let client = known(&app);
    let paths = [
        "/api/nothing",
        "/api/bottles/%00/open",
        "/api/bottles/1/%2e%2e/open",
        "/api/bottles//open",
        "/api/bottles/99999999999999999999/open",
        "/api/bottles/-1/openers",
        "/api/bottles/1.5/open",
        "/api/user/nothing",
        "/api/user",
        "/user/nothing",
        "/card/x",
        "/card/1/2",
        "/auth/nothing",
        "/auth",
        "/nothing",
        "/%ff%fe",
        "/api/user/%f0%28",
        "/..%2f..%2fetc/passwd",
        "/api/bottles/nearby/x",
    ];
    for path in paths {
        for method in ["POST", "DELETE", "PATCH", "OPTIONS", "PUT"] {
            let response = client.send(method, path, &[], None);
            assert!((400..500).contains(&response.status), "{method} {path}: {}", response.status);
            assert!(response.json().is_object(), "{method} {path}: {}", response.text);
        }
    }
}

#[test]
fn odd_queries_are_422() {
    let app = App::new();
    let client = app.user("ada");
    let values = [
        "", "NaN", "inf", "-inf", "1e400", "0x10", "1,5", "%00", "%ff", "1%201", "[]", "١", "1_000",
    ];
    for field in ["latitude", "longitude", "latitude_span", "longitude_span"] {
        for value in values {
            let query: Vec<String> = ["latitude", "longitude", "latitude_span", "longitude_span"]
                .iter()
                .map(|name| format!("{name}={}", if *name == field { value } else { "1" }))
                .collect();
            let response = client.get(&format!("/api/bottles/nearby?{}", query.join("&")));
            assert_eq!(response.status, 422, "{field}={value}: {}", response.text);
            assert_eq!(response.data()["field"], *field, "{value}");
        }
    }
}

#[test]
fn junk_connections_do_not_hold_the_server() {
    let app = App::new();
    let junk: [&[u8]; 10] = [
        b"", b"\r\n\r\n", b"GET", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        b"GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /user HTTP/1.1\r\nHost: a\r\nCookie: \xff\xfe; ;;=;\r\nAuthorization: \xc3\x28\r\ntoken: \xff\r\n\r\n",
    ];
    let held: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut socket = app.connect();
            let _ = socket.write_all(junk[n % junk.len()]);
            socket
        })
        .collect();
    assert_eq!(app.anon().get("/api/users/self").status, 401);
    drop(held);
    assert_eq!(app.anon().get("/api/users/self").status, 401);
}

/// Headers that are no text are no credential either.
#[test]
fn odd_headers_are_no_credential() {
    let app = App::new();
    for path in ["/api/users/self", "/card", "/api/user/profile"] {
        let mut socket = app.connect();
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        socket
            .write_all(b"Cookie: \xff\xfe=\x80; eyJ\xff\r\nAuthorization: Bearer \xff\r\n\r\n")
            .unwrap();
        let mut response = Vec::new();
        socket.read_to_end(&mut response).unwrap();
        let response = String::from_utf8_lossy(&response);
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        check(status, body, path, path);
    }
}

/// The list of routes is whole: the document knows of no other that reads a body.
#[test]
fn every_route_that_reads_a_body_is_tried() {
    // These take any body, see `expiry::other_bottles_are_opened_whatever_the_body`.
    let lenient = [("POST", "/api/bottles/1/open"), ("POST", "/bottles/1/open")];
    let tried: BTreeSet<_> = ROUTES
        .iter()
        .chain(&lenient)
        .map(|(method, path)| document::operation_for(method, path))
        .collect();
    let all = document::operations_with(|operation| operation.get("requestBody").is_some());
    assert_eq!(tried, all);
}
