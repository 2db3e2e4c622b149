//! Every exchange of the documents, replayed over TCP from `tests/exchanges/*.http`.
//!
//! The files are data to be read beside the documents. An exchange is:
//!
//! ```text
//! ### What the document calls it          (or `---` for a step that only prepares)
//! POST /api/sessions
//! Content-Type: application/json
//!
//! {"username": "user", "password": "pass"}
//!
//! 200
//! Set-Cookie: {cookie=ada}
//! {"status": "OK", "data": {"user_id": "{integer}"}}
//! ```
//!
//! The expected body names what must be there; further fields may come. `{integer}`, `{string}` and
//! `{time}` stand for any value of the kind, `{name=...}` keeps what came, and `${name}` says it again.
//! A line `@advance SECONDS` before the request moves the clock; `@lock` holds the file's write lock
//! while the request is made.

use std::collections::HashMap;
use std::time::Duration;

use bottle_test_support::{App, Response};
use rstest::rstest;
use serde_json::Value;

#[rstest]
#[case::bottle("bottle.http", 25)]
#[case::bottle_draft("bottle-draft.http", 10)]
#[case::ledger("ledger.http", 16)]
#[case::music("music.http", 25)]
#[case::bookstore("bookstore.http", 15)]
fn documented_exchanges_hold(#[case] file: &str, #[case] documented: usize) {
    assert_eq!(replay(file), documented);
}

/// Makes the exchanges of a file; how many of them are the document's own.
pub(crate) fn replay(file: &str) -> usize {
    let path = format!("{}/tests/exchanges/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let exchanges = parse(&text);
    let app = App::with(|settings| settings.busy_timeout_ms = 200);
    let mut kept = HashMap::new();
    for exchange in &exchanges {
        exchange.replay(&app, &mut kept);
    }
    exchanges.iter().filter(|exchange| exchange.documented).count()
}

/// A request and what must come back.
#[derive(Default, Debug)]
struct Exchange {
    title: String,
    documented: bool,
    advance: u64,
    lock: bool,
    request: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    response_headers: Vec<(String, String)>,
    response: String,
}

fn parse(text: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("### ").or(line.strip_prefix("--- ")) {
            exchanges.push(Exchange {
                title: title.to_owned(),
                documented: line.starts_with('#'),
                ..Exchange::default()
            });
        } else if let Some(exchange) = exchanges.last_mut() {
            exchange.read(line);
        }
    }
    exchanges
}

impl Exchange {
    fn read(&mut self, line: &str) {
        let is_body =
            line.starts_with(['{', '[']) || line.starts_with(' ') || line.starts_with('}');
        let header = line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        match (line, header) {
            ("", _) => {}
            ("@lock", _) => self.lock = true,
            _ if line.starts_with("@advance ") => self.advance = line[9..].parse().unwrap(),
            _ if line.len() == 3 && line.parse::<u16>().is_ok() => {
                self.status = line.parse().unwrap();
            }
            _ if self.request.is_empty() => self.request = line.to_owned(),
            _ if is_body && self.status == 0 => self.body += line,
            _ if is_body => self.response += line,
            (_, Some(header)) if self.status == 0 => self.headers.push(header),
            (_, Some(header)) => self.response_headers.push(header),
            _ => panic!("{}: what is {line:?}?", self.title),
        }
    }

    fn replay(&self, app: &App, kept: &mut HashMap<String, String>) {
        app.clock.advance(Duration::from_secs(self.advance));
        let (method, path) = self.request.split_once(' ').unwrap();
        let headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| (name.clone(), fill(value, kept))).collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = fill(&self.body, kept);
        let body = (!body.is_empty()).then_some(body.as_bytes());

        let lock = self.lock.then(|| {
            let db = rusqlite::Connection::open(app.database()).unwrap();
            db.execute_batch("BEGIN IMMEDIATE").unwrap();
            db
        });
        let response = app.anon().send(method, &fill(path, kept), &headers, body);
        drop(lock);
        self.check(&response, kept);
    }

    fn check(&self, response: &Response, kept: &mut HashMap<String, String>) {
        let context = format!("{}\n{}\n{}", self.title, self.request, response.text);
        assert_eq!(response.status, self.status, "{context}");
        for (name, expected) in &self.response_headers {
            let value = response.header(name).split(';').next().unwrap_or_default();
            matches(&Value::from(expected.as_str()), &Value::from(value), kept, &context);
        }
        let expected: Value =
            serde_json::from_str(&self.response).unwrap_or_else(|e| panic!("{e}: {context}"));
        matches(&expected, &response.json(), kept, &context);
    }
}

fn fill(text: &str, kept: &HashMap<String, String>) -> String {
    kept.iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// Fails unless `actual` is all that `expected` asks for.
fn matches(expected: &Value, actual: &Value, kept: &mut HashMap<String, String>, context: &str) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                let actual = actual.get(name).unwrap_or_else(|| panic!("no {name}: {context}"));
                matches(expected, actual, kept, context);
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            assert_eq!(expected.len(), actual.len(), "{context}");
            for (expected, actual) in expected.iter().zip(actual) {
                matches(expected, actual, kept, context);
            }
        }
        (Value::String(pattern), _) if pattern.starts_with('{') && pattern.ends_with('}') => {
            let pattern = &pattern[1..pattern.len() - 1];
            let text = actual.as_str().map_or_else(|| actual.to_string(), str::to_owned);
            match pattern.split_once('=') {
                Some((name, _)) => {
                    assert!(!text.is_empty(), "nothing to keep as {name}: {context}");
                    kept.insert(name.to_owned(), text);
                }
                None => match pattern {
                    "integer" => assert!(actual.is_i64(), "{actual} is no integer: {context}"),
                    "string" => assert!(actual.is_string(), "{actual} is no string: {context}"),
                    "time" => assert!(is_time(&text), "{actual} is no time: {context}"),
                    _ => panic!("what is {{{pattern}}}? {context}"),
                },
            }
        }
        _ => assert_eq!(expected, actual, "{context}"),
    }
}

/// Exactly `2017-12-24T07:02:23.000Z`.
fn is_time(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == form.len()
        && text
            .chars()
            .zip(form.chars())
            .all(|(c, f)| if f == 'd' { c.is_ascii_digit() } else { c == f })
}
