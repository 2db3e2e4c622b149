//! The end of the program, and of a handler.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use bottle::model::clock::Clock;
use bottle::server::config;
use bottle::server::{self, AppState as Served};
use bottle_test_support::{fast_settings, open_store};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rusqlite::Connection;
use serde_json::Value;

use crate::sea::{Sea, a_bottle, wait_until};

/// SIGTERM while 16 clients throw, each over a connection that stays open.
pub(crate) fn terminated(times: usize) -> String {
    let sea = Sea::new();
    let turned_away = AtomicUsize::new(0);
    for _ in 0..times {
        let mut program = sea.start();
        let (ended, thrown) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            let clients = [(); 16].map(|()| {
                scope.spawn(|| {
                    let (error, kept) = sea.throw_on(program.port, &thrown);
                    assert!(ended.load(Ordering::SeqCst), "{error}");
                    // Nobody is there for a new connection, but who may keep one is answered on it.
                    assert!(!kept, "cut off without an answer: {error}");
                    let refused = matches!(&error, ureq::Error::Io(e)
                        if e.kind() == std::io::ErrorKind::ConnectionRefused);
                    turned_away.fetch_add(usize::from(!refused), Ordering::SeqCst);
                })
            });
            wait_until(&clients, || thrown.load(Ordering::SeqCst) >= 200);
            ended.store(true, Ordering::SeqCst);
            program.signal("TERM");
        });
        assert_eq!(program.status().code(), Some(0));
        drop(program);
        sea.check();
        let db = Connection::open(sea.path()).unwrap();
        let stored: i64 =
            db.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0)).unwrap();
        assert_eq!(stored as usize, sea.acknowledged(), "something was stored, but not answered");
    }
    format!(
        "exit 0; {} throws stored, each of them answered; {} clients were disconnected before their request was accepted",
        sea.acknowledged(),
        turned_away.into_inner()
    )
}

#[get("/api/panics")]
fn panics() -> &'static str {
    panic!("a bug")
}

pub(crate) fn handler_panics(times: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("bottle.db"));
    let figment = config::figment().merge(("log_level", "off"));
    let rocket = server::build(figment, &fast_settings(), Served::new(store, Clock::default()));
    let client = Client::untracked(rocket.mount("/", routes![panics])).unwrap();
    for _ in 0..times {
        let response = client.get("/api/panics").dispatch();
        assert_eq!(response.status().code, 500);
        let body: Value = serde_json::from_str(&response.into_string().unwrap()).unwrap();
        assert_eq!(body["status"], "INTERNAL_SERVER_ERROR");
        assert_eq!(client.get("/api/settings").dispatch().status().code, 200);
        let refused = client.post("/api/bottles").body(a_bottle("c").to_string()).dispatch();
        assert_eq!(refused.status().code, 401);
    }
    "500 in the contract's JSON, the next request is fine".into()
}
