//! While another program holds the file's write lock.

use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::app::App;

#[rstest]
fn writes_are_put_off_reads_go_on_and_writes_go_on_afterwards() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(1.0, 1.0);
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();

    let bottle = json!({ "content": "c", "location": { "latitude": 1, "longitude": 1 } });
    let started = Instant::now();
    thread::scope(|scope| {
        // A second one that comes while the first waits waits no longer for that.
        let late = scope.spawn(|| {
            thread::sleep(Duration::from_millis(500));
            let started = Instant::now();
            (ada.post("/api/bottles", &bottle), started.elapsed())
        });
        let refused = ada.post("/api/bottles", &bottle);
        assert_eq!(refused.status, 503);
        assert_eq!(refused.json()["status"], "SERVICE_UNAVAILABLE");
        assert!(!refused.header("retry-after").is_empty());
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 1);
        let (late, waited) = late.join().unwrap();
        assert_eq!(late.status, 503);
        assert!(waited < Duration::from_secs(5), "{waited:?}");
    });

    db.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ada.post("/api/bottles", &bottle).status, 200);
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 2);
}
