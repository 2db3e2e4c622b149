//! The log is the server's own: a line a request, whatever the request says.

use std::io::{Read, Write};

use bottle_test_support::{Program, bottle, read_until_closed};
use rstest::rstest;
use serde_json::json;

/// Runs the program at a level, has `talk` talk to it, and returns what it logged.
fn log_of(level: &str, talk: impl FnOnce(&Program)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bottle(folder.path(), &[]);
    command.env("ROCKET_LOG_LEVEL", level);
    let mut program = Program::start(command);
    let [printed, log] = program.read_pipes();
    talk(&program);
    program.signal("TERM");
    program.status();
    printed.join().unwrap();
    log.join().unwrap()
}

/// When, how grave, from where, who, what, how it ended, how long it took.
#[test]
fn a_request_is_one_line_with_who_and_what() {
    let log = log_of("normal", |program| {
        let mut ada = program.client();
        let account = json!({ "username": "ada", "password": "pass" });
        ada.post("/api/users", &account);
        ada.post("/api/sessions", &json!({ "username": "ada", "password": "guess" }));
        ada.log_in("ada", "pass");
        ada.get("/api/bottles/nearby?latitude=1&longitude=2&latitude_span=1&longitude_span=1");
        ada.get("/api/bottles/1/openers");
    });
    let logged: Vec<String> = log
        .lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let time = words.next().unwrap();
            assert!(time.ends_with('Z') && time.len() > 20, "no time in UTC: {line}");
            words.take(6).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        logged,
        [
            "INFO 127.0.0.1 - POST /api/users 200",
            "INFO 127.0.0.1 - POST /api/sessions 403",
            "INFO 127.0.0.1 - POST /api/sessions 200",
            "INFO 127.0.0.1 1 GET /api/bottles/nearby 200",
            "INFO 127.0.0.1 1 GET /api/bottles/1/openers 404",
        ]
    );
}

/// Neither a line of their own nor what a terminal would obey.
#[rstest]
fn nobody_writes_into_the_log(#[values("normal", "debug")] level: &str) {
    let log = log_of(level, |program| {
        for odd in [
            "\x1b[31mred",
            "%1b%5b31mred",
            "%0d%0aforged",
            "a\rforged",
            "a\nforged",
            "\u{9b}31mred",
            "a\u{85}forged",
            "a\u{2028}forged",
            "\u{202e}drawkcab",
            "\x07",
            "%00",
            "\x7f",
            "%e2%80%ae",
        ] {
            let request = format!(
                "GET /{odd} HTTP/1.1\r\nHost: a\r\nAccept: {odd}\r\nX: {odd}\r\n\
                 Content-Type: a/{odd}\r\nCookie: {odd}={odd}\r\nConnection: close\r\n\r\n"
            );
            let mut socket = program.connect();
            socket.write_all(request.as_bytes()).unwrap();
            let _ = socket.read_to_end(&mut Vec::new());
        }
    });
    for line in log.lines() {
        assert!(!line.starts_with("forged"), "{line:?}");
        let odd = line.chars().find(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(c));
        assert_eq!(odd, None, "{line:?}");
    }
}

/// Its method, which Rocket does not tell, is `-`.
#[test]
fn a_request_that_rocket_cannot_parse_is_logged_too() {
    let mut response = String::new();
    let log = log_of("normal", |program| {
        let mut socket = program.connect();
        socket.write_all(b"BREW /pot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        response = read_until_closed(socket);
    });
    let id = response.split("x-request-id: ").nth(1).unwrap().lines().next().unwrap();
    assert!(log.contains(" INFO 127.0.0.1 - - /pot 400 "), "{log}");
    assert!(log.trim_end().ends_with(id), "{log}");
}
