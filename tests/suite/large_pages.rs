//! Answers that would be large: lists end early and go on, exports leave in chunks, and all that is under way has
//! a budget.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use bottle_test_support::{App, Client, TIMEOUT, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::Value;

/// No page is larger, but for its last item.
const MOST_BYTES: usize = (4 << 20) + (32 << 10);

/// The SQL of a message of 4,000 control characters, each of which takes six bytes of JSON.
const LONG: &str = "replace(printf('%4000s', ''), ' ', char(1))";

/// The file of the server, written beside it.
fn beside(app: &App, sql: &str) {
    Connection::open(app.database()).unwrap().execute_batch(sql).unwrap();
}

/// The SQL that adds so many bottles of `owner`.
fn bottles(owner: i64, count: usize, content: &str, address: &str) -> String {
    format!(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {count})
         SELECT {owner}, {address}, n % 90 + n / 1e4, n % 180, 0, n FROM n;
         INSERT INTO messages SELECT id, {content} FROM bottles
         WHERE id NOT IN (SELECT bottle_id FROM messages);"
    )
}

/// Follows `next` from `start` to the end of a list, and holds each page to its bounds; how many pages, and all ids.
fn pages(client: &Client, path: &str, start: &str, (list, id): (&str, &str)) -> (usize, Vec<i64>) {
    let (mut pages, mut ids) = (0, Vec::new());
    let (joint, mut after) = (if path.contains('?') { '&' } else { '?' }, start.to_owned());
    loop {
        let response = client.get(&format!("{path}{joint}{after}"));
        assert_eq!(response.status, 200, "{}", response.text);
        assert!(response.text.len() <= MOST_BYTES, "{} bytes", response.text.len());
        let data = response.data();
        let items = data[list].as_array().unwrap();
        assert!(!items.is_empty());
        ids.extend(items.iter().map(|item| item[id].as_i64().unwrap()));
        pages += 1;
        match data["next"].as_i64() {
            Some(next) => {
                assert_eq!(Some(&next), ids.last());
                after = format!("after={next}");
            }
            None => return (pages, ids),
        }
    }
}

#[rstest]
#[case::created("ada", "/api/bottles/created")]
#[case::opened("bob", "/api/bottles/opened")]
#[case::hidden("grace", "/api/teacher/bottles?state=hidden")]
fn lists_of_long_messages_end_early_and_go_on(#[case] who: &str, #[case] path: &str) {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    beside(&app, &bottles(1, 400, LONG, "''"));
    beside(&app, "INSERT INTO openings SELECT id, 2, 1000 - id FROM bottles");
    let mut expected: Vec<i64> = (1..=400).collect();
    let client = match who {
        "ada" => ada,
        "bob" => {
            expected.reverse();
            bob
        }
        _ => {
            beside(&app, "UPDATE bottles SET hidden_at = 1");
            grace
        }
    };
    let (pages, ids) = pages(&client, path, "", ("bottles", "bottle_id"));
    assert_eq!(ids, expected);
    assert_eq!(pages, 3);
}

/// Ten thousand people with the longest names.
const CROWD: &str =
    "INSERT INTO users (username, password_hash, nickname, gender, created_at)
     WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
     SELECT n || replace(printf('%59s', ''), ' ', '🍾'), '', replace(printf('%64s', ''), ' ', '🍾'), 'other', n
     FROM n;";

#[test]
fn openers_and_the_log_end_early_and_go_on() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    ada.throw(1.0, 2.0);
    beside(&app, CROWD);
    beside(&app, "INSERT INTO openings SELECT 1, id, id FROM users WHERE id > 2");
    let (count, ids) = pages(&ada, "/api/bottles/1/openers", "", ("openers", "user_id"));
    assert!(count == 2 && ids.into_iter().eq(3..10_003));

    beside(
        &app,
        "INSERT INTO audit_log (done_at, actor, action, user_id, username)
         SELECT 1, username, 'mute', id, username FROM users WHERE id > 2",
    );
    let (count, ids) = pages(&grace, "/api/teacher/log", "", ("entries", "entry_id"));
    // The entry before them is about the teacher's account.
    assert!(count == 2 && ids.into_iter().eq((2..=10_001).rev()));
}

const WORLD: &str =
    "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180";

#[test]
fn nearby_ends_early_and_goes_on_or_keeps_to_the_nearest() {
    let app = App::new();
    let ada = app.user("ada");
    beside(&app, &bottles(1, 5000, "'c'", "replace(printf('%256s', ''), ' ', char(1))"));
    let (count, ids) = pages(&ada, WORLD, "after=0", ("bottles", "bottle_id"));
    assert!(count == 2 && ids.into_iter().eq(1..=5000));

    let response = ada.get(WORLD);
    let data = response.data();
    let items = data["bottles"].as_array().unwrap();
    assert!(response.text.len() <= MOST_BYTES && response.text.len() > MOST_BYTES / 2);
    assert_eq!((&data["truncated"], &data["next"]), (&true.into(), &Value::Null));
    assert!(data["total"].as_u64().unwrap() >= 5000);
    let far = |bottle: &Value| {
        let place = &bottle["location"];
        let degree = |name: &str| place[name].as_f64().unwrap();
        crate::geometry::angle((0.0, 0.0), (degree("latitude"), degree("longitude")))
    };
    assert!(items.is_sorted_by(|a, b| far(a) <= far(b) + 1e-7), "not the nearest first");
}

#[test]
fn ten_thousand_ordinary_bottles_are_one_page() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    beside(&app, &bottles(1, 10_000, "'A message to whoever finds it.'", "'By the river'"));
    beside(&app, "INSERT INTO openings SELECT id, 2, id FROM bottles");
    for (client, path) in
        [(&ada, "/api/bottles/created"), (&bob, "/api/bottles/opened"), (&ada, WORLD)]
    {
        let data = client.get(path).data();
        assert_eq!(data["bottles"].as_array().unwrap().len(), 10_000, "{path}");
        assert_eq!(data["next"], Value::Null, "{path}");
    }
}

/// An operator's export of an account has the same form as its owner's.
#[rstest]
#[case::short(2)]
#[case::in_chunks(1000)]
fn an_export_is_what_the_operator_exports(#[case] count: usize) {
    let app = App::new();
    let ada = app.user("ada");
    app.user("bob");
    beside(&app, &bottles(1, count, LONG, "'By the river'"));
    beside(&app, "INSERT INTO openings SELECT id, 2, id FROM bottles");
    let response = ada.get("/api/users/self/export");
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.headers.contains_key("content-length"), count == 2);

    let database = app.database();
    let args = ["export", "--user", "ada", "--db", database.to_str().unwrap()];
    let lines = run_ok(app.folder(), &args);
    let records = lines.trim_end().replace('\n', ",");
    let expected =
        format!(r#"{{"status":"OK","msg":"导出成功","data":{{"records":[{records}]}}}}"#);
    assert!(response.text == expected, "{} bytes, not {}", response.text.len(), expected.len());
}

/// Asks for `path` and reads no more than the status of the answer.
fn ask(app: &App, client: &Client, path: &str) -> (TcpStream, u16) {
    let mut socket = app.connect();
    let (_, cookie) = &client.headers[0];
    let head = format!("GET {path} HTTP/1.1\r\nHost: bottle\r\nCookie: {cookie}\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut start = [0; 12];
    socket.read_exact(&mut start).unwrap();
    let status = std::str::from_utf8(&start[9..]).unwrap().parse().unwrap();
    (socket, status)
}

/// Asks again until the answer is 200.
fn until_ok(client: &Client, path: &str) {
    let began = Instant::now();
    while client.get(path).status != 200 {
        assert!(began.elapsed() < TIMEOUT, "{path} is refused for ever");
    }
}

#[test]
fn exports_that_nobody_reads_end_with_their_connections() {
    let app = App::new();
    let ada = app.user("ada");
    beside(&app, &bottles(1, 1000, LONG, "''"));
    let path = "/api/users/self/export";
    let mut unread: Vec<_> = (0..4).map(|_| ask(&app, &ada, path)).collect();
    assert!(unread.iter().all(|(_, status)| *status == 200));
    let refused = ada.get(path);
    assert_eq!(refused.status, 503, "{}", refused.text.len());
    assert_eq!(
        (refused.header("retry-after"), &refused.json()["status"]),
        ("5", &"SERVICE_UNAVAILABLE".into())
    );
    // Others are answered meanwhile, also at length.
    assert_eq!(ada.get("/api/bottles/created").status, 200);
    unread.clear();
    until_ok(&ada, path);
}

/// A bottle with three thousand reports: nine megabytes in one answer, more than the kernel takes from the server.
#[test]
fn large_answers_that_nobody_reads_have_a_budget() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    ada.throw(1.0, 2.0);
    beside(&app, CROWD);
    beside(
        &app,
        "INSERT INTO reports (bottle_id, reporter_id, reason, reported_at)
         SELECT 1, id, replace(printf('%500s', ''), ' ', char(1)), 1 FROM users
         WHERE id BETWEEN 1000 AND 3999",
    );
    let path = "/api/teacher/bottles";
    let mut unread: Vec<_> = (0..12).map(|_| ask(&app, &grace, path)).collect();
    let count = |wanted| unread.iter().filter(|(_, status)| *status == wanted).count();
    assert!(count(200) >= 5 && count(503) >= 4, "{} of 12 have it", count(200));
    let refused = grace.get(path);
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    assert_eq!(refused.json()["status"], "SERVICE_UNAVAILABLE");
    // Short answers go on.
    assert_eq!(ada.get("/api/bottles/created").status, 200);
    unread.clear();
    until_ok(&grace, path);
}
