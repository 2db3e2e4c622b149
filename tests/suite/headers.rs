//! The headers of every answer, as the bytes on the socket.

use std::io::Write;

use bottle::server::config::Settings;
use bottle_test_support::{App, read_until_closed};
use rstest::rstest;

/// The headers of every response.
const COMMON: &[&str] = &[
    "connection: close",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
    "permissions-policy: geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
    "server: Rocket",
    "x-content-type-options: nosniff",
    "x-dns-prefetch-control: off",
    "x-frame-options: DENY",
];

/// Further headers of data.
const DATA: &[&str] = &[
    "cache-control: no-store",
    "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "content-type: application/json",
];

/// Further headers of the page.
const PAGE: &[&str] = &[
    "cache-control: no-cache",
    "content-security-policy: default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "content-type: text/html; charset=utf-8",
    "vary: Accept-Encoding",
];

/// The page with a map from elsewhere.
const MAP: &[&str] = &[
    "cache-control: no-cache",
    "content-security-policy: default-src 'self'; img-src 'self' data: blob: https://t.example; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "content-type: text/html; charset=utf-8",
    "vary: Accept-Encoding",
];

const SAME_ORIGIN: &str = "referrer-policy: same-origin";
const ACROSS: &str = "referrer-policy: strict-origin-when-cross-origin";
const HSTS: &str = "strict-transport-security: max-age=31536000";

/// Status line, headers and body of the answer to a request.
fn ask(app: &App, request: &str) -> (String, Vec<String>, String) {
    let mut socket = app.connect();
    let request = format!("{request}\r\nHost: bottle\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let response = read_until_closed(socket);
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n").map(str::to_owned);
    (lines.next().unwrap(), lines.collect(), body.to_owned())
}

/// Returns true if the value of the header differs between responses.
fn varies(header: &str) -> bool {
    ["date: ", "etag: ", "content-length: ", "x-request-id: "]
        .iter()
        .any(|name| header.starts_with(name))
}

#[rstest]
#[case::page("GET / HTTP/1.1", |_: &mut Settings| {}, "200 OK", &[PAGE, &[SAME_ORIGIN]])]
#[case::data("GET /healthz HTTP/1.1", |_: &mut Settings| {}, "200 OK", &[DATA, &[SAME_ORIGIN]])]
#[case::no_body("HEAD /healthz HTTP/1.1", |_: &mut Settings| {}, "200 OK", &[DATA, &[SAME_ORIGIN]])]
#[case::refusal("GET /api/users/self HTTP/1.1", |_: &mut Settings| {}, "401 Unauthorized", &[DATA, &[SAME_ORIGIN]])]
#[case::other_method(
    "DELETE /user/login HTTP/1.1",
    |_: &mut Settings| {},
    "405 Method Not Allowed",
    &[DATA, &[SAME_ORIGIN, "allow: POST"]]
)]
#[case::no_path("GET /auth/x HTTP/1.1", |_: &mut Settings| {}, "404 Not Found", &[DATA, &[SAME_ORIGIN]])]
#[case::map(
    "GET / HTTP/1.1",
    |settings: &mut Settings| settings.tile_url = "https://t.example/{z}/{x}/{y}".into(),
    "200 OK",
    &[MAP, &[ACROSS]]
)]
#[case::https(
    "GET /healthz HTTP/1.1",
    |settings: &mut Settings| settings.public_url = "https://bottle.example.org".into(),
    "200 OK",
    &[DATA, &[SAME_ORIGIN, HSTS]]
)]
fn an_answer_carries_these_headers_and_no_others(
    #[case] request: &str,
    #[case] adjust: fn(&mut Settings),
    #[case] status: &str,
    #[case] own: &[&[&str]],
) {
    let app = App::with(adjust);
    let (status_line, mut headers, _) = ask(&app, request);
    assert_eq!(status_line, format!("HTTP/1.1 {status}"));
    assert!(headers.iter().any(|header| header.starts_with("x-request-id: ")), "{headers:?}");
    headers.retain(|header| !varies(header));
    headers.sort();
    let mut expected = [COMMON, &own.concat()].concat();
    expected.sort_unstable();
    assert_eq!(headers, expected);
}

/// Rocket answers what it cannot parse without asking any fairing.
#[rstest]
#[case::unknown_method("BREW / HTTP/1.1", "{\"status\":\"BAD_REQUEST\",")]
#[case::unknown_method_in_music("BREW /api/user/login HTTP/1.1", "{\"code\":40000,")]
#[case::unknown_method_in_ledger("PROPFIND /card HTTP/1.1", "{\"code\":400,")]
#[case::unknown_method_in_bookstore("BREW /auth/login HTTP/1.1", "{\"message\":")]
#[case::no_path("GET bottle HTTP/1.1", "{\"status\":\"BAD_REQUEST\",")]
#[case::connect("CONNECT bottle:80 HTTP/1.1", "{\"status\":\"BAD_REQUEST\",")]
fn a_request_that_rocket_cannot_parse_is_answered_like_the_rest(
    #[case] request: &str,
    #[case] body: &str,
) {
    let app = App::new();
    let (status, mut headers, answered) = ask(&app, request);
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(answered.starts_with(body), "{answered}");
    assert!(headers.iter().any(|header| header.starts_with("x-request-id: ")), "{headers:?}");
    headers.retain(|header| !varies(header));
    headers.sort();
    let mut expected = [COMMON, DATA, &[SAME_ORIGIN]].concat();
    // Rocket names itself in no such answer.
    expected.retain(|header| *header != "server: Rocket");
    expected.sort_unstable();
    assert_eq!(headers, expected);
}
