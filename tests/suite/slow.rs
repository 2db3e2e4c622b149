//! Clients that keep the server waiting, and clients that are too many.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use bottle_test_support::{App, TIMEOUT, read_until_closed};
use rstest::rstest;

const HEAD: &[u8] = b"GET /api/settings HTTP/1.1\r\nHost: bottle\r\n\r\n";

fn impatient() -> App {
    App::with(|settings| settings.request_timeout_seconds = 1)
}

/// Sends a request and reads the whole answer.
#[track_caller]
fn ask(socket: &mut TcpStream) {
    socket.write_all(HEAD).unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"}") {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).unwrap();
        assert!(read > 0, "the connection was closed");
        response.extend(&part[..read]);
    }
    assert!(response.starts_with(b"HTTP/1.1 200"));
}

/// Returns true if the server has neither answered nor closed this connection.
fn is_silent(socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).unwrap();
    let came = socket.peek(&mut [0]);
    socket.set_nonblocking(false).unwrap();
    match came {
        Ok(0) => false,
        Err(e) => e.kind() == ErrorKind::WouldBlock,
        Ok(_) => panic!("it was answered"),
    }
}

#[rstest]
#[case::nothing(b"")]
#[case::half_a_head(b"GET /api/settings HTTP/1.1\r\nHost: bot")]
#[case::half_a_method(b"G")]
// A request begins for us once 512 bytes of its body are there, or all.
#[case::little_of_a_body(
    b"POST /api/sessions HTTP/1.1\r\nHost: bottle\r\nContent-Length: 90\r\n\r\n{"
)]
fn a_connection_without_a_request_is_closed(#[case] sent: &[u8]) {
    let app = impatient();
    let mut socket = app.connect();
    socket.write_all(sent).unwrap();
    assert_eq!(read_until_closed(socket), "");
    assert_eq!(app.anon().get("/api/settings").status, 200);
}

#[test]
fn a_connection_that_sends_its_head_byte_by_byte_is_closed() {
    let app = impatient();
    let mut socket = app.connect();
    let began = Instant::now();
    // A byte now and then keeps no connection open: writing fails once it is closed.
    while socket.write_all(b"a").is_ok() {
        assert!(began.elapsed() < TIMEOUT, "the connection stays open");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_idle_connection_is_closed() {
    let app = impatient();
    let mut socket = app.connect();
    socket.write_all(HEAD).unwrap();
    assert!(read_until_closed(socket).starts_with("HTTP/1.1 200"));
}

#[rstest]
#[case::read_by_a_handler("/api/sessions")]
#[case::read_for_nothing("/api/bottles")]
fn a_request_whose_body_does_not_come_is_rejected(#[case] path: &str) {
    let app = impatient();
    let mut socket = app.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bottle\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&[b' '; 600]).unwrap();
    let response = read_until_closed(socket);
    assert!(
        response.starts_with("HTTP/1.1 400") || response.starts_with("HTTP/1.1 401"),
        "{response}"
    );
}

#[test]
fn a_connection_that_goes_on_sending_requests_stays() {
    // Long enough for a machine that is held up between two questions.
    let app = App::with(|settings| settings.request_timeout_seconds = 4);
    let mut socket = app.connect();
    let began = Instant::now();
    // Three times as long as a silent one may stay.
    while began.elapsed() < Duration::from_secs(12) {
        ask(&mut socket);
        thread::sleep(Duration::from_millis(300));
    }
}

#[rstest]
#[case::in_all(|settings: &mut bottle::server::config::Settings| settings.max_connections = 8)]
#[case::from_one_address(
    |settings: &mut bottle::server::config::Settings| settings.max_connections_per_address = 8
)]
fn of_too_many_those_that_wait_longest_are_closed(
    #[case] adjust: fn(&mut bottle::server::config::Settings),
) {
    let app = App::with(adjust);
    let mut idle: Vec<TcpStream> = (0..12)
        .map(|_| {
            let mut socket = app.connect();
            ask(&mut socket);
            socket
        })
        .collect();
    for socket in idle.drain(..4) {
        read_until_closed(socket);
    }
    // The others are left alone: each is answered still.
    for mut socket in idle {
        ask(&mut socket);
    }
}

/// Half-sent requests count as waiting: those that are too many are closed, and no others.
#[rstest]
#[case::in_all(|settings: &mut bottle::server::config::Settings| settings.max_connections = 8)]
#[case::from_one_address(
    |settings: &mut bottle::server::config::Settings| settings.max_connections_per_address = 8
)]
fn half_sent_bodies_that_are_too_many_are_closed(
    #[case] adjust: fn(&mut bottle::server::config::Settings),
    #[values("/api/sessions", "/api/bottles")] path: &str,
) {
    let app = App::with(adjust);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bottle\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    );
    let begin = || {
        let mut socket = app.connect();
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&[b' '; 600]).unwrap();
        socket
    };
    let mut open: Vec<TcpStream> = (0..12).map(|_| begin()).collect();
    let began = Instant::now();
    while open.len() > 8 {
        assert!(began.elapsed() < TIMEOUT, "{} stay", open.len());
        open.retain(is_silent);
    }
    for mut socket in open {
        socket.write_all(&[b' '; 300]).unwrap();
        let response = read_until_closed(socket);
        assert!(
            response.starts_with("HTTP/1.1 400") || response.starts_with("HTTP/1.1 401"),
            "{response}"
        );
    }
}

#[test]
fn a_thousand_silent_clients_keep_no_other_waiting() {
    bottle::http::connections::raise_fd_limit();
    let app = App::with(|settings| {
        settings.request_timeout_seconds = 5;
        settings.max_connections_per_address = 2048;
    });
    let silent: Vec<TcpStream> = (0..1000)
        .map(|n| {
            let mut socket = app.connect();
            socket.write_all(&HEAD[..n % HEAD.len()]).unwrap();
            socket
        })
        .collect();
    assert_eq!(app.anon().get("/api/settings").status, 200);
    for socket in silent {
        read_until_closed(socket);
    }
}
