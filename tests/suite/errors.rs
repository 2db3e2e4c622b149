//! One envelope for every failure of the Bottle contract, in both its revisions: the status, the word
//! for it, a message, and `data`.

use std::io::{Read, Write};
use std::net::Shutdown;

use bottle_test_support::{App, Response, read_until_closed};
use rstest::rstest;
use serde_json::{Value, json};

use crate::hostile;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Fails unless `answer` is the envelope of this refusal, and nothing else.
#[track_caller]
fn check(response: &Response, status: u16, word: &str) {
    assert_eq!(response.status, status, "{}", response.text);
    assert_eq!(response.header("content-type"), JSON);
    let Value::Object(body) = response.json() else { panic!("no object: {}", response.text) };
    assert_eq!(body.keys().map(String::as_str).collect::<Vec<_>>(), ["data", "msg", "status"]);
    assert_eq!(body["status"], word);
    assert!(body["data"].is_object() && !body["msg"].as_str().unwrap().is_empty());
}

#[rstest]
#[case::malformed("POST", "/users", JSON, "{\"username\":", 400, "BAD_REQUEST")]
#[case::empty("POST", "/users", JSON, "", 400, "BAD_REQUEST")]
#[case::two_values("POST", "/sessions", JSON, "{} {}", 400, "BAD_REQUEST")]
#[case::number_too_large("POST", "/bottles", JSON, "{\"style\":1e999}", 400, "BAD_REQUEST")]
#[case::wrong_password(
    "POST",
    "/sessions",
    JSON,
    r#"{"username":"ada","password":"guess"}"#,
    403,
    "FORBIDDEN"
)]
#[case::unknown_name(
    "POST",
    "/sessions",
    JSON,
    r#"{"username":"nobody","password":"pass"}"#,
    403,
    "FORBIDDEN"
)]
#[case::current_password(
    "PUT",
    "/users/self",
    JSON,
    r#"{"current_password":"guess"}"#,
    403,
    "FORBIDDEN"
)]
#[case::not_the_owner("GET", "/bottles/2/openers", "", "", 403, "FORBIDDEN")]
#[case::no_bottle("POST", "/bottles/99/open", "", "", 404, "NOT_FOUND")]
#[case::no_path("GET", "/bottles/1/closers", "", "", 404, "NOT_FOUND")]
#[case::no_path_to_send_to("POST", "/bottles/1/closers", JSON, "{}", 404, "NOT_FOUND")]
#[case::wrong_method("POST", "/bottles/created", JSON, "{}", 405, "METHOD_NOT_ALLOWED")]
#[case::patch("PATCH", "/users/self", JSON, "{}", 405, "METHOD_NOT_ALLOWED")]
#[case::taken(
    "POST",
    "/users",
    JSON,
    r#"{"username":"ADA","password":"pass"}"#,
    409,
    "CONFLICT_USERNAME"
)]
#[case::text("POST", "/users", "text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE")]
#[case::form("POST", "/users", FORM, "username=a&password=pass", 415, "UNSUPPORTED_MEDIA_TYPE")]
#[case::a_forms_method("POST", "/sessions/self", FORM, "_method=delete", 405, "METHOD_NOT_ALLOWED")]
#[case::a_forms_put(
    "POST",
    "/users/self",
    FORM,
    "_method=put&nickname=a",
    405,
    "METHOD_NOT_ALLOWED"
)]
#[case::a_forms_late_put("POST", "/users/self", FORM, "&_method=put", 405, "METHOD_NOT_ALLOWED")]
#[case::array("POST", "/users", JSON, "[]", 422, "UNPROCESSABLE_ENTITY")]
#[case::bad_limit("GET", "/bottles/created?limit=x", "", "", 422, "UNPROCESSABLE_ENTITY")]
fn failures_come_in_the_envelope(
    #[case] method: &str,
    #[case] path: &str,
    #[case] kind: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] word: &str,
    #[values("/api", "")] base: &str,
) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.throw(0.0, 0.0);
    bob.throw(0.0, 0.0);
    let headers = [("Content-Type", kind)];
    let headers = if kind.is_empty() { &headers[..0] } else { &headers };
    let body = (method != "GET").then_some(body.as_bytes());
    // At `/` a path that is unknown may be the page's, which a client that asks for JSON does not want.
    let mut ada = ada;
    ada.headers.push(("Accept".into(), JSON.into()));
    let response = ada.send(method, &format!("{base}{path}"), headers, body);
    check(&response, status, word);
    assert_eq!(status == 405, !response.header("allow").is_empty());
    assert_eq!(ada.get("/api/users/self").status, 200, "the server, or the session, has ended");
}

#[rstest]
#[case("POST", "/api/bottles/created", "DELETE, GET")]
#[case("GET", "/api/bottles/1/open", "POST")]
#[case("POST", "/api/users/self", "DELETE, GET, PUT")]
fn a_wrong_method_is_told_the_right_ones(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allowed: &str,
) {
    let app = App::new();
    assert_eq!(app.anon().send(method, path, &[], None).header("allow"), allowed);
}

/// A wrong type, by the field's name and never with the value: it may be a password.
#[rstest]
#[case("/users", json!({ "username": 7, "password": "s3cret" }), "username")]
#[case("/users", json!({ "username": "a", "password": ["s3cret"] }), "password")]
#[case("/users", json!({ "username": "a", "password": { "s3cret": 1 } }), "password")]
#[case("/users", json!({ "username": "s3cret\u{0}", "password": "s3cret" }), "username")]
#[case("/users", json!({ "username": "a", "password": "s3cret\u{0}" }), "password")]
#[case("/users", json!({ "username": "a", "password": "s3cret", "gender": "s3cret" }), "gender")]
#[case("/users", json!({ "username": "a", "password": "s3cret", "nickname": "\u{7}" }), "nickname")]
#[case("/sessions", json!({ "username": true, "password": "s3cret" }), "username")]
#[case("/sessions", json!({ "username": "a" }), "password")]
#[case("/bottles", json!({ "content": 1 }), "content")]
#[case("/bottles", json!({ "content": "c\u{0}", "location": { "latitude": 0, "longitude": 0 } }), "content")]
#[case("/bottles", json!({ "content": "c", "location": [] }), "location")]
#[case("/bottles", json!({ "content": "c", "location": { "latitude": 0 } }), "longitude")]
#[case("/bottles", json!({ "content": "c", "style": 1.5, "location": { "latitude": 0, "longitude": 0 } }), "style")]
fn a_wrong_field_is_named(
    #[case] path: &str,
    #[case] body: Value,
    #[case] field: &str,
    #[values("/api", "")] base: &str,
) {
    let app = App::new();
    let response = app.user("ada").post(&format!("{base}{path}"), &body);
    check(&response, 422, "UNPROCESSABLE_ENTITY");
    assert_eq!(response.data()["field"], field);
    assert!(response.json()["msg"].as_str().unwrap().contains(field), "{}", response.text);
    assert!(!response.text.contains("s3cret"), "{}", response.text);
}

/// Sends all bytes before it reads, as a simple client does, and returns the response.
fn exchange(app: &App, bytes: &[u8]) -> String {
    let mut socket = app.connect();
    socket.write_all(bytes).unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

/// A client that sends all before it listens hears the refusal, and no reset.
#[rstest]
#[case::open("POST", "/api/users", 413)]
#[case::guarded("POST", "/api/bottles", 401)]
#[case::no_path("POST", "/api/nothing", 404)]
#[case::no_body_wanted("DELETE", "/api/sessions/self", 401)]
fn a_body_that_is_too_large_is_answered(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[values(2_000_000, 12_000_000)] size: usize,
) {
    let app = App::new();
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    )
    .into_bytes();
    request.resize(request.len() + size, b'1');
    let response = exchange(&app, &request);
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    assert!(response.contains("\"msg\":"), "{response}");
}

#[rstest]
#[case::no_http("nonsense\r\n\r\n", "400")]
#[case::spaces("GET  /api/users/self  HTTP/1.1\r\n\r\n", "400")]
#[case::header_without_colon("GET /api/users/self HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", "400")]
#[case::no_length("POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n{}", "400")]
#[case::two_lengths(
    "POST /api/users HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "400"
)]
#[case::old_http("GET /api/users/self HTTP/1.0\r\n\r\n", "401")]
#[case::no_host("GET /api/users/self HTTP/1.1\r\nConnection: close\r\n\r\n", "401")]
#[case::another_host(
    "GET http://elsewhere/api/users/self HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "401"
)]
#[case::odd_type(
    "POST /api/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ;;/\r\nContent-Length: 2\r\n\r\n{}",
    "4"
)]
#[case::tunnel("CONNECT a:80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "4")]
#[case::unknown_method("BREW /api/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "4")]
fn odd_http_is_answered_and_ends_nothing(#[case] request: &str, #[case] status: &str) {
    let app = App::new();
    let response = exchange(&app, request.as_bytes());
    let got = response.split(' ').nth(1).unwrap_or_default();
    assert!(got.starts_with(status), "{response}");
    assert_eq!(app.anon().get("/api/users/self").status, 401);
}

/// A client that goes in the middle of its body takes nothing with it.
#[rstest]
#[case("Transfer-Encoding: chunked\r\n\r\n5\r\n{")]
#[case("Content-Length: 99\r\n\r\n{")]
fn a_cut_body_ends_nothing(#[case] rest: &str) {
    let app = App::new();
    let mut socket = app.connect();
    write!(socket, "POST /api/users HTTP/1.1\r\nHost: a\r\n{rest}").unwrap();
    drop(socket);
    assert_eq!(app.anon().get("/api/users/self").status, 401);
}

/// More headers than anyone sends, and longer ones.
#[rstest]
#[case::many(10_000, 10)]
#[case::long(1, 1_000_000)]
fn too_much_head_is_refused(#[case] count: usize, #[case] length: usize) {
    let app = App::new();
    let header = format!("X-Much: {}\r\n", "x".repeat(length)).repeat(count);
    let request = format!("GET /api/users/self HTTP/1.1\r\nHost: a\r\n{header}\r\n");
    let mut socket = app.connect();
    // The server may well close before it has taken all.
    let _ = socket.write_all(request.as_bytes());
    let mut response = Vec::new();
    let _ = socket.read_to_end(&mut response);
    assert!(!String::from_utf8_lossy(&response).contains(" 200 "));
    assert_eq!(app.anon().get("/api/users/self").status, 401);
}

/// Not even one that could be whole: its sender may have wanted to say more.
#[rstest]
#[case::shorter_than_its_length("Content-Length: 90\r\n\r\n{\"name\":\"x\"}")]
#[case::without_its_last_chunk("Transfer-Encoding: chunked\r\n\r\nc\r\n{\"name\":\"x\"}\r\n")]
#[case::longer(
    "Content-Length: 90\r\n\r\n{\"name\":\"x\",\"note\":\"more than the server reads ahead\"}"
)]
fn a_cut_body_is_not_acted_on(#[case] rest: &str) {
    let app = App::new();
    let ada = hostile::known(&app);
    let (_, cookie) = ada.headers.iter().find(|(name, _)| name == "Cookie").unwrap();
    let mut socket = app.connect();
    write!(socket, "POST /card HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n{rest}").unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    read_until_closed(socket);
    assert_eq!(ada.get("/card").data(), json!([]));
}
