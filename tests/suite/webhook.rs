//! Deliveries to the webhook, to a receiver that accepts, fails, hangs, redirects and comes back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bottle::model::error::Error;
use bottle::store::outbox::{self, Event};
use bottle_test_support::{
    Answer, App, Client, Program, Received, Receiver, TIMEOUT, bottle, fast_settings_with,
    open_store,
};
use hmac::{Hmac, Mac};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::Sha256;

/// A server whose webhook may send to this machine.
pub(crate) fn app() -> App {
    App::with(|settings| {
        settings.webhook_private_hosts = vec!["127.0.0.1".to_owned()];
        settings.webhook_timeout_seconds = 1;
    })
}

/// Sets the webhook, and returns the secret.
#[track_caller]
pub(crate) fn set(operator: &Client, receiver: &Receiver, more: &Value) -> String {
    let mut body = more.clone();
    body["url"] = json!(receiver.url());
    let set = operator.put("/api/admin/webhook", &body);
    assert_eq!(set.status, 200, "{}", set.text);
    set.data()["secret"].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn status(operator: &Client) -> Value {
    operator.get("/api/admin/webhook").data()["webhook"].clone()
}

/// Waits until the status satisfies `is_reached`, and returns it.
#[track_caller]
pub(crate) fn wait_for(operator: &Client, is_reached: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let status = status(operator);
        if is_reached(&status) {
            return status;
        }
        assert!(began.elapsed() < TIMEOUT, "{status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_idle(status: &Value) -> bool {
    status["waiting"] == 0
}

/// Checks the signature as the specification says, with the secret as the operator got it.
#[track_caller]
fn check_signature(received: &Received, secret: &str) {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    assert_eq!(key.len(), 32);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{}", received.body).as_bytes());
    let signature = received.header("webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap()).unwrap();
}

fn seconds(received: &Received) -> i64 {
    received.header("webhook-timestamp").parse().unwrap()
}

/// Checks what all messages have. Returns the type and the data.
#[track_caller]
fn check_message(received: &Received, secret: &str) -> Value {
    check_signature(received, secret);
    assert_eq!(received.line, "POST /hook HTTP/1.1");
    assert_eq!(received.header("content-type"), "application/json");
    assert!(received.header("user-agent").starts_with("Bottle/"));
    let body = received.json();
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{body}");
    let content = json!([body["type"], body["data"]]);
    for hidden in ["secret", "a message", "12.3", "67.8"] {
        assert!(!content.to_string().contains(hidden), "{content}");
    }
    content
}

#[test]
fn every_event_is_sent_signed_and_without_texts_or_places() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    let secret = set(&root, &receiver, &json!({}));
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottle = ada.throw(12.345, 67.89);
    let path = |end: &str| format!("/api/bottles/{bottle}/{end}");
    for _ in 0..2 {
        assert_eq!(bob.post(&path("open"), &json!({})).status, 200);
    }
    let reply = bob.post(&path("replies"), &json!({ "content": "a secret reply" })).data();
    let reply = &reply["reply_id"];
    let report = json!({ "reason": "a secret reason" });
    for _ in 0..2 {
        assert_eq!(bob.post(&path("report"), &report).status, 200);
        assert_eq!(ada.post(&format!("/api/replies/{reply}/report"), &report).status, 200);
    }

    let received = receiver.wait_for(7);
    let mut sent: Vec<Value> = received.iter().map(|one| check_message(one, &secret)).collect();
    sent.sort_by_key(ToString::to_string);
    let [ada, bob] = [2, 3].map(|id| (id, if id == 2 { "ada" } else { "bob" }));
    let by = |(id, name): (i64, &str), mut data: Value| {
        data["user_id"] = json!(id);
        data["username"] = json!(name);
        data
    };
    let expected = [
        json!(["account.registered", by(ada, json!({}))]),
        json!(["account.registered", by(bob, json!({}))]),
        json!(["bottle.opened", by(bob, json!({ "bottle_id": bottle, "openers_count": 1 }))]),
        json!(["bottle.reported", { "bottle_id": bottle, "reports_count": 1, "hidden": false }]),
        json!(["bottle.thrown", by(ada, json!({ "bottle_id": bottle }))]),
        json!(["reply.reported", { "reply_id": reply, "bottle_id": bottle, "reports_count": 1, "hidden": false }]),
        json!(["reply.written", by(bob, json!({ "reply_id": reply, "bottle_id": bottle }))]),
    ];
    assert_eq!(sent, expected);
    let status = wait_for(&root, is_idle);
    assert!(status["last_success_at"].is_string() && status.get("last_failure").is_none());
    let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids.len() == 7 && ids.iter().all(|id| id.starts_with("msg_")), "{ids:?}");
}

/// A receiver that fails is tried again with the same id, and gets the message once when it is back.
#[rstest]
#[case::an_error(Answer::Status(500), "answered 500")]
#[case::not_found(Answer::Status(404), "answered 404")]
#[case::a_redirect(Answer::Redirect("http://127.0.0.1:1/".to_owned()), "redirects are not followed")]
#[case::a_closed_connection(Answer::Close, "broke off")]
#[case::silence(Answer::Hold, "did not answer within 1s")]
fn a_receiver_that_comes_back_gets_its_message(#[case] answer: Answer, #[case] reason: &str) {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    let secret = set(&root, &receiver, &json!({}));
    receiver.answer(answer);
    root.throw(1.0, 1.0);
    receiver.wait_for(1);
    let failed = wait_for(&root, |status| status.get("last_failure").is_some());
    assert!(failed["last_failure"].as_str().unwrap().contains(reason), "{failed}");
    assert_eq!((&failed["waiting"], failed.get("last_success_at")), (&json!(1), None));

    receiver.answer(Answer::Status(204));
    app.clock.advance(Duration::from_secs(7));
    let received = receiver.wait_for(2);
    let (first, second) = (&received[0], &received[1]);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    assert!(seconds(second) >= seconds(first) + 7);
    received.iter().for_each(|one| check_signature(one, &secret));
    wait_for(&root, is_idle);

    // Nothing is sent again: the next request is the next message.
    app.clock.advance(Duration::from_secs(4 * 24 * 60 * 60));
    root.throw(1.0, 1.0);
    wait_for(&root, is_idle);
    let received = receiver.wait_for(3);
    assert_eq!(received.len(), 3);
    assert_ne!(received[2].header("webhook-id"), first.header("webhook-id"));
}

#[test]
fn a_redirect_leads_nowhere() {
    let (app, receiver, elsewhere) = (app(), Receiver::new(), Receiver::new());
    let root = app.operator("root");
    set(&root, &receiver, &json!({}));
    receiver.answer(Answer::Redirect(elsewhere.url()));
    let test = root.post("/api/admin/webhook/test", &json!({})).data();
    assert_eq!((&test["delivered"], &test["status"]), (&json!(false), &json!(302)));
    assert!(elsewhere.received().is_empty());
}

#[test]
fn a_receiver_that_is_gone_switches_the_webhook_off() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    let secret = set(&root, &receiver, &json!({}));
    receiver.answer(Answer::Status(410));
    root.throw(1.0, 1.0);
    let gone = wait_for(&root, |status| status.get("gone_at").is_some());
    assert_eq!(gone["waiting"], 0);
    root.throw(1.0, 1.0);
    assert_eq!(status(&root)["waiting"], 0);

    receiver.answer(Answer::Status(200));
    assert_eq!(set(&root, &receiver, &json!({})), "", "the secret stays");
    assert!(status(&root).get("gone_at").is_none());
    root.throw(1.0, 1.0);
    let received = receiver.wait_for(2);
    check_signature(&received[1], &secret);
}

/// Kills the server after a commit and before its message was accepted.
#[test]
fn a_message_outlives_the_server() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::new());
    let start = || {
        let mut command = bottle(folder.path(), &[]);
        let hosts = "webhook_private_hosts=[\"127.0.0.1\"]";
        Program::start({
            command.env("ROCKET_BOTTLE", fast_settings_with(hosts));
            command
        })
    };
    let mut program = start();
    let url = receiver.url();
    bottle_test_support::run_ok(folder.path(), &["webhook", "set", &url]);
    receiver.answer(Answer::Hold);
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    ada.throw(1.0, 1.0);
    let first = receiver.wait_for(2);
    program.signal("KILL");
    program.status();

    receiver.answer(Answer::Status(200));
    let _program = start();
    let all = receiver.wait_for(4);
    let ids = |received: &[Received]| -> BTreeSet<String> {
        received.iter().map(|one| one.header("webhook-id").to_owned()).collect()
    };
    assert_eq!(ids(&first), ids(&all[2..4]));
    assert_eq!(ids(&first).len(), 2);
}

#[test]
fn twenty_messages_are_sent_at_one_time() {
    let app = App::with(|settings| {
        settings.webhook_private_hosts = vec!["127.0.0.1".to_owned()];
        settings.webhook_timeout_seconds = 120;
    });
    let receiver = Receiver::new();
    let root = app.operator("root");
    set(&root, &receiver, &json!({}));
    receiver.answer(Answer::Hold);
    (0..50).for_each(|_| assert!(root.throw(1.0, 1.0) > 0));
    receiver.wait_for(20);
    assert_eq!(status(&root)["waiting"], 50);
    receiver.answer(Answer::Status(200));
    let received = receiver.wait_for(50);
    wait_for(&root, is_idle);
    assert_eq!(receiver.max_open(), 20);
    let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((ids.len(), receiver.received().len()), (50, 50));
}

#[test]
fn a_message_is_given_up_after_the_last_attempt() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    set(&root, &receiver, &json!({}));
    receiver.answer(Answer::Status(500));
    root.throw(1.0, 1.0);
    wait_for(&root, |status| status.get("last_failure").is_some());
    let db = Connection::open(app.database()).unwrap();
    let attempt = "SELECT attempts, next_attempt_at - created_at FROM webhook_outbox";
    let (attempts, after): (i64, i64) =
        db.query_row(attempt, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!(attempts == 1 && after >= 5000, "{attempts} {after}");
    db.execute("UPDATE webhook_outbox SET attempts = 10, next_attempt_at = 0", []).unwrap();
    let given_up = wait_for(&root, |status| status["given_up"] == 1);
    assert_eq!(given_up["waiting"], 0);
}

#[test]
fn a_full_outbox_loses_its_oldest_messages() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    set(&root, &receiver, &json!({}));
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
         INSERT INTO webhook_outbox (message_id, type, data, created_at, next_attempt_at)
         SELECT 'msg_' || n, 'bottle.thrown', '{}', 1, 4102444800000 FROM numbers",
    )
    .unwrap();
    root.throw(1.0, 1.0);
    let full = wait_for(&root, |status| status["dropped"] == 100);
    assert!(full["waiting"].as_i64().unwrap() >= 9_900, "{full}");
    let oldest = "SELECT message_id FROM webhook_outbox ORDER BY id LIMIT 1";
    let oldest: String = db.query_row(oldest, [], |row| row.get(0)).unwrap();
    assert_eq!(oldest, "msg_101");
}

fn waiting(database: &std::path::Path) -> i64 {
    let db = Connection::open(database).unwrap();
    db.query_row("SELECT count(*) FROM webhook_outbox", [], |row| row.get(0)).unwrap()
}

#[test]
fn nothing_waits_for_a_webhook_that_is_off_or_did_not_choose_it() {
    let app = app();
    let root = app.operator("root");
    root.throw(1.0, 1.0);
    assert_eq!(waiting(&app.database()), 0);
    let closed = json!({ "url": "http://127.0.0.1:1/", "events": ["bottle.opened"] });
    assert_eq!(root.put("/api/admin/webhook", &closed).status, 200);
    root.throw(1.0, 1.0);
    assert_eq!(waiting(&app.database()), 0);
    let chosen = json!({ "url": "http://127.0.0.1:1/", "events": ["bottle.thrown"] });
    assert_eq!(root.put("/api/admin/webhook", &chosen).status, 200);
    root.throw(1.0, 1.0);
    assert_eq!(waiting(&app.database()), 1);
    assert_eq!(root.delete("/api/admin/webhook").status, 200);
    assert_eq!(waiting(&app.database()), 0);
}

/// The message is a part of the change: if that is undone, so is the message.
#[rstest]
#[case::done(true, 1)]
#[case::undone(false, 0)]
fn a_change_that_is_undone_sends_nothing(#[case] succeeds: bool, #[case] expected: i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("bottle.db"));
    let db = Connection::open(store.path()).unwrap();
    db.execute_batch(
        "INSERT INTO webhook (id, url, form, events, secret)
         VALUES (1, 'http://127.0.0.1:1/', 'json', 'backup.failed', 'whsec_')",
    )
    .unwrap();
    let now = bottle::model::clock::Clock::default().now();
    let change = store.write(move |db| {
        outbox::add(db, Event::BackupFailed { reason: "the disk is full" }, now)?;
        if succeeds { Ok(()) } else { Err(Error::Frozen) }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(change).is_ok(), succeeds);
    assert_eq!(waiting(store.path()), expected);
}

#[test]
fn the_disk_is_reported_once_until_it_has_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_store(&folder.path().join("bottle.db"));
    let webhook = bottle::domain::webhook::Webhook::new(
        store.clone(),
        bottle::model::clock::Clock::default(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let note = |mib: u64| runtime.block_on(webhook.note_free_space(mib << 20)).unwrap();
    note(1);
    let db = Connection::open(store.path()).unwrap();
    db.execute_batch(
        "INSERT INTO webhook (id, url, form, events, secret)
         VALUES (1, 'http://127.0.0.1:1/', 'json', 'disk.low', 'whsec_')",
    )
    .unwrap();
    for (mib, expected) in
        [(2000, 0), (512, 0), (511, 1), (5, 1), (1023, 1), (511, 1), (1024, 1), (511, 2)]
    {
        note(mib);
        assert_eq!(waiting(store.path()), expected, "{mib} MiB");
    }
}
