//! Events of the sea reach every subscriber at once.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::thread;

use bottle_test_support::{App, Client, Program, TIMEOUT, bottle, run_ok};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::RcvBuf;
use rstest::rstest;
use serde_json::{Value, json};

/// An event as it came.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) name: String,
    id: String,
    pub(crate) data: Value,
}

/// A stream of events, read by a thread of its own.
pub(crate) struct Stream(Receiver<Event>);

impl Stream {
    /// The client's stream around a place, as a degree to each side of it.
    pub(crate) fn of(client: &Client, latitude: f64, longitude: f64, last: Option<&str>) -> Self {
        let place = format!("latitude={latitude}&longitude={longitude}");
        let path = format!("/api/bottles/live?{place}&latitude_span=1&longitude_span=1");
        let headers: Vec<_> = last.iter().map(|id| ("Last-Event-ID", *id)).collect();
        let body = client.stream(&path, &headers);
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut event = Event::default();
            for line in BufReader::new(body).lines().map_while(Result::ok) {
                match line.split_once(':') {
                    Some(("event", name)) => event.name = name.to_owned(),
                    Some(("id", id)) => event.id = id.to_owned(),
                    Some(("data", data)) => {
                        event.data = serde_json::from_str(data).unwrap_or_default();
                    }
                    Some(_) => {}
                    None if event.name.is_empty() => {}
                    None => {
                        let _ = sender.send(std::mem::take(&mut event));
                    }
                }
            }
        });
        Self(receiver)
    }

    #[track_caller]
    pub(crate) fn next(&self) -> Event {
        self.0.recv_timeout(TIMEOUT).unwrap()
    }

    /// True if the server has ended the stream.
    fn ends(&self) -> bool {
        loop {
            match self.0.recv_timeout(TIMEOUT) {
                Ok(_) => {}
                Err(e) => return e == RecvTimeoutError::Disconnected,
            }
        }
    }
}

#[test]
fn events_inside_the_rectangle_are_published() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let (hers, his) = (Stream::of(&ada, 10.0, 20.0, None), Stream::of(&bob, 10.0, 20.0, None));
    ada.throw(30.0, 20.0);
    let bottle = ada.throw(10.5, 20.5);
    for (stream, is_owner) in [(&hers, true), (&his, false)] {
        let thrown = stream.next();
        assert_eq!(thrown.name, "thrown");
        assert_eq!(thrown.data["bottle_id"], bottle);
        assert_eq!(thrown.data["is_owner"], is_owner);
        let around = "latitude=10&longitude=20&latitude_span=1&longitude_span=1";
        let client = if is_owner { &ada } else { &bob };
        let seen = client.get(&format!("/api/bottles/nearby?{around}")).data();
        assert_eq!(thrown.data, seen["bottles"][0], "as nearby shows it");
    }
    for _ in 0..2 {
        bob.post(&format!("/api/bottles/{bottle}/open"), &json!({}));
    }
    let put = |hidden: bool| {
        grace.put(&format!("/api/teacher/bottles/{bottle}"), &json!({ "hidden": hidden }))
    };
    put(true);
    put(false);
    ada.delete(&format!("/api/bottles/{bottle}"));
    let opened = his.next();
    assert_eq!(opened.name, "opened");
    assert_eq!(opened.data, json!({ "bottle_id": bottle, "openers_count": 1 }), "and not by whom");
    let rest: Vec<(String, Value)> = (0..3)
        .map(|_| his.next())
        .map(|event| (event.name, event.data["bottle_id"].clone()))
        .collect();
    let event = |name: &str| (name.to_owned(), json!(bottle));
    assert_eq!(rest, [event("hidden"), event("thrown"), event("hidden")]);
}

#[test]
fn a_subscriber_that_returns_gets_missed_events() {
    let app = App::new();
    let ada = app.user("ada");
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    ada.throw(0.1, 0.1);
    let seen = stream.next();
    let missed = [ada.throw(0.2, 0.2), ada.throw(0.3, 0.3)];
    ada.throw(50.0, 50.0);
    let again = Stream::of(&ada, 0.0, 0.0, Some(&seen.id));
    for bottle in missed {
        assert_eq!(again.next().data["bottle_id"], bottle);
    }
    let later = ada.throw(0.4, 0.4);
    assert_eq!(again.next().data["bottle_id"], later);
}

#[rstest]
#[case::of_another_start("00000000-1")]
#[case::in_the_future("SAME-99")]
#[case::of_nothing("x")]
fn an_unknown_last_event_resets_the_stream(#[case] last: &str) {
    let app = App::new();
    let ada = app.user("ada");
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    ada.throw(0.1, 0.1);
    let start = stream.next().id.split('-').next().unwrap().to_owned();
    let again = Stream::of(&ada, 0.0, 0.0, Some(&last.replace("SAME", &start)));
    assert_eq!(again.next().name, "reset");
    let bottle = ada.throw(0.2, 0.2);
    assert_eq!(again.next().data["bottle_id"], bottle);
}

#[test]
fn no_more_listen_than_may() {
    let app = App::with(|settings| settings.max_event_streams = 2);
    let ada = app.user("ada");
    let path = "/api/bottles/live?latitude=0&longitude=0&latitude_span=1&longitude_span=1";
    assert_eq!(app.anon().get(path).status, 401);
    let streams = [(); 2].map(|()| Stream::of(&ada, 0.0, 0.0, None));
    let refused = ada.get(path);
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    ada.throw(0.1, 0.1);
    for stream in &streams {
        assert_eq!(stream.next().name, "thrown");
    }
}

/// A listener that takes nothing falls behind alone, and is dropped: those who throw and those who listen
/// go on.
#[test]
fn a_subscriber_that_does_not_read_is_dropped_and_delays_nobody() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let mut slow = app.connect();
    setsockopt(&slow, RcvBuf, &4096).unwrap();
    let cookie = &bob.headers.iter().find(|(name, _)| name == "Cookie").unwrap().1;
    let path = "/api/bottles/live?latitude=0&longitude=0&latitude_span=1&longitude_span=1";
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: sea\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    slow.write_all(request.as_bytes()).unwrap();
    slow.read_exact(&mut [0; 12]).unwrap();

    // More than sockets and queues hold: 8 MB of events.
    let stream = Stream::of(&bob, 0.0, 0.0, None);
    let address = "海".repeat(256);
    let location = json!({ "latitude": 0, "longitude": 0, "formatted_address": address });
    let bottle = json!({ "content": "hello", "location": location });
    const THROWS: usize = 9000;
    // On a busy machine the other subscriber must not fall behind too.
    let (permit, permits) = sync_channel(500);
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                for _ in 0..THROWS / 30 {
                    permit.send(()).unwrap();
                    assert_eq!(ada.post("/api/bottles", &bottle).status, 200);
                }
            });
        }
        for _ in 0..THROWS {
            assert_eq!(stream.next().name, "thrown");
            permits.recv().unwrap();
        }
    });
    // It hears what was on its way, and then the end, long before it heard all.
    setsockopt(&slow, RcvBuf, &(1 << 20)).unwrap();
    let mut received = Vec::new();
    slow.read_to_end(&mut received).unwrap();
    let events = received.windows(13).filter(|text| text == b"event:thrown\n").count();
    assert!(0 < events && events < THROWS, "{events}");
}

#[test]
fn an_account_that_goes_takes_its_bottles_from_the_map() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let stream = Stream::of(&bob, 0.0, 0.0, None);
    ada.throw(0.1, 0.1);
    assert_eq!(stream.next().name, "thrown");
    ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" }));
    assert_eq!(stream.next().name, "reset");
    // The stream of a deleted account ends.
    let own = Stream::of(&bob, 0.0, 0.0, None);
    bob.json("DELETE", "/api/users/self", &json!({ "password": "pass" }));
    assert!(own.0.recv_timeout(TIMEOUT).is_err_and(|e| e == RecvTimeoutError::Disconnected));
}

/// Changes that the operator makes by the command line, without a request.
#[rstest]
#[case::an_account_that_goes(&["user", "delete", "ada", "--yes"])]
#[case::bottles_that_come(&["import", "in.jsonl"])]
fn a_change_by_another_process_is_published(#[case] args: &[&str]) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.throw(0.1, 0.1);
    let line = r#"{"type":"bottle","bottle_id":1,"owner":"eve","content":"x","style":0,"location":{"latitude":1,"longitude":0},"created_at":"2026-01-01T00:00:00Z"}"#;
    fs::write(app.folder().join("in.jsonl"), line).unwrap();
    let stream = Stream::of(&bob, 0.0, 0.0, None);
    run_ok(app.folder(), args);
    assert_eq!(stream.next().name, "reset");
    // It is published once, and later events follow one by one.
    let bottle = bob.throw(0.2, 0.2);
    assert_eq!(stream.next().data["bottle_id"], bottle);
}

#[test]
fn streams_end_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(bottle(folder.path(), &[]));
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    let stream = Stream::of(&ada, 0.0, 0.0, None);
    ada.throw(0.1, 0.1);
    assert_eq!(stream.next().name, "thrown");
    program.signal("TERM");
    assert!(program.status().success());
    assert!(stream.ends());
}
