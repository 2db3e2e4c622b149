//! While nothing can be written: another program holds the file's lock, or there is no room.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bottle_test_support::{App, Client, Program, Response, bottle};
use serde_json::{Value, json};

#[test]
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
        check_refusal(&ada.post("/api/bottles", &bottle));
        let first = started.elapsed();
        assert_eq!(ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 1);
        let (late, waited) = late.join().unwrap();
        assert_eq!(late.status, 503);
        assert!(waited < first * 3 / 2, "{waited:?} after one that waited {first:?}");
    });

    db.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ada.post("/api/bottles", &bottle).status, 200);
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 2);
}

/// A write is rejected with a status that says so; a read succeeds.
#[test]
fn every_write_is_put_off_and_no_read() {
    let app = App::with(|settings| settings.busy_timeout_ms = 100);
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 1.0);
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();

    let account = json!({ "username": "eve", "password": "pass" });
    for refused in [
        app.anon().post("/api/users", &account),
        app.anon().post("/users", &account),
        app.anon().post("/api/sessions", &json!({ "username": "ada", "password": "pass" })),
        ada.put("/api/users/self", &json!({ "nickname": "Countess" })),
        bob.send("POST", &format!("/api/bottles/{id}/open"), &[], None),
        ada.delete("/api/sessions/self"),
    ] {
        check_refusal(&refused);
        assert_eq!(refused.header("set-cookie"), "");
    }
    let around = "/api/bottles/nearby?latitude=1&longitude=1&latitude_span=1&longitude_span=1";
    let openers = format!("/api/bottles/{id}/openers");
    for path in [around, "/api/bottles/created", "/api/bottles/opened", "/api/users/self", &openers]
    {
        assert_eq!(ada.get(path).status, 200, "{path}");
    }

    db.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ada.get(&openers).data()["openers_count"], 0);
    assert_eq!(app.anon().post("/api/users", &account).status, 200);
}

fn check_refusal(refused: &Response) {
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.json()["status"], "SERVICE_UNAVAILABLE");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
}

/// A limit on the size of its files stands in for a full disk.
#[test]
fn on_a_full_disk_reads_go_on_and_writes_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let served = bottle(folder.path(), &[]);
    let mut limited = Command::new("bash");
    limited
        .args(["-c", "ulimit -S -f 600; trap '' XFSZ; exec \"$0\""])
        .arg(served.get_program())
        .current_dir(folder.path())
        .envs(served.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let program = Program::start(limited);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");

    let bottle =
        json!({ "content": "c".repeat(4000), "location": { "latitude": 1, "longitude": 1 } });
    let thrown = throw_until_refused(&ada, &bottle);
    let count =
        |ada: &Client| ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len();
    assert_eq!(count(&ada), thrown);
    check_refusal(&ada.post("/api/bottles", &bottle));
    assert_eq!(count(&ada), thrown);

    program.remove_limit("fsize");
    assert_eq!(ada.post("/api/bottles", &bottle).status, 200);
    assert_eq!(count(&ada), thrown + 1);
}

/// Throws until there is no room; how many bottles there was room for.
fn throw_until_refused(client: &Client, bottle: &Value) -> usize {
    for thrown in 0..1000 {
        let response = client.post("/api/bottles", bottle);
        if response.status != 200 {
            check_refusal(&response);
            return thrown;
        }
    }
    panic!("a thousand bottles found room");
}
