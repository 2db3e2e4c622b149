//! The routes and commands of the webhook: who may use them, and what they refuse.

use bottle_test_support::{Answer, App, Receiver, run_err, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::webhook::{app, set, status, wait_for};

/// Each role on each route: visitor, user, teacher, operator.
#[rstest]
#[case("GET", "/api/admin/webhook", "", [401, 403, 403, 200])]
#[case("PUT", "/api/admin/webhook", r#"{"url":"https://example.org"}"#, [401, 403, 403, 200])]
#[case("POST", "/api/admin/webhook/secret", "", [401, 403, 403, 200])]
#[case("POST", "/api/admin/webhook/test", "", [401, 403, 403, 200])]
#[case("DELETE", "/api/admin/webhook", "", [401, 403, 403, 200])]
fn only_an_operator_has_a_webhook(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] expected: [u16; 4],
) {
    let app = App::new();
    let root = app.operator("root");
    let url = "http://ada:s3cret@127.0.0.1:1/";
    assert_eq!(root.put("/api/admin/webhook", &json!({ "url": url })).status, 200);
    let clients = [app.anon(), app.user("ada"), app.teacher("grace"), root];
    for (client, expected) in clients.iter().zip(expected) {
        let headers = [("Content-Type", "application/json")];
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let response = client.send(method, path, &headers, body);
        assert_eq!(response.status, expected, "{method} {path}: {}", response.text);
        assert!(expected == 200 || !response.text.contains("s3cret"));
    }
}

#[test]
fn a_webhook_is_set_changed_and_turned_off() {
    let app = app();
    let root = app.operator("root");
    assert_eq!(root.get("/api/admin/webhook").data(), json!({}));
    for (method, path) in [("POST", "/secret"), ("POST", "/test"), ("DELETE", "")] {
        let response = root.send(method, &format!("/api/admin/webhook{path}"), &[], None);
        assert_eq!(response.status, 404, "{method} {path}");
    }
    let first = root.put("/api/admin/webhook", &json!({ "url": "http://127.0.0.1:1/" })).data();
    let secret = first["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    assert_eq!(first["webhook"]["events"].as_array().unwrap().len(), 8);
    assert_eq!(first["webhook"]["form"], "json");
    assert!(!root.get("/api/admin/webhook").text.contains("whsec_"));

    let change =
        json!({ "url": "https://:tk@ntfy.example.org/x", "form": "text", "events": ["disk.low"] });
    let changed = root.put("/api/admin/webhook", &change).data();
    assert!(changed.get("secret").is_none());
    let shown = status(&root);
    assert_eq!(shown, changed["webhook"]);
    assert_eq!(
        (&shown["url"], &shown["form"], &shown["events"]),
        (&change["url"], &change["form"], &change["events"])
    );
    let renewed = root.post("/api/admin/webhook/secret", &json!({})).data();
    assert_ne!(renewed["secret"], json!(secret));
    assert_eq!(root.delete("/api/admin/webhook").status, 200);
    assert_eq!(root.get("/api/admin/webhook").data(), json!({}));

    let db = Connection::open(app.database()).unwrap();
    let mut log = db
        .prepare(
            "SELECT actor || ' ' || action || ' ' || detail FROM audit_log WHERE actor = 'root'",
        )
        .unwrap();
    let log: Vec<String> =
        log.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let expected = ["127.0.0.1", "ntfy.example.org", "a new secret", "off"];
    assert_eq!(log, expected.map(|detail| format!("root set_webhook {detail}")));
}

#[rstest]
#[case("url", json!({}))]
#[case("url", json!({ "url": "ntfy.sh/x" }))]
#[case("url", json!({ "url": "ftp://ntfy.sh/x" }))]
#[case("url", json!({ "url": "http://" }))]
#[case("url", json!({ "url": "http://a b/" }))]
#[case("url", json!({ "url": format!("http://a/{}", "x".repeat(2048)) }))]
#[case("form", json!({ "url": "http://a/", "form": "xml" }))]
#[case("events", json!({ "url": "http://a/", "events": [] }))]
#[case("events", json!({ "url": "http://a/", "events": ["bottle.lost"] }))]
fn a_wrong_webhook_is_refused(#[case] field: &str, #[case] body: Value) {
    let app = App::new();
    let root = app.operator("root");
    let response = root.put("/api/admin/webhook", &body);
    assert_eq!((response.status, &response.data()["field"]), (422, &json!(field)));
    assert_eq!(root.get("/api/admin/webhook").data(), json!({}));
}

/// Every way to write an address of this machine is refused unless the settings name it so.
#[rstest]
fn a_private_address_is_refused_unless_the_settings_name_it(
    #[values(
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "0x7f000001",
        "2130706433",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0"
    )]
    host: &str,
) {
    let receiver = Receiver::new();
    let url = receiver.url().replace("127.0.0.1", host);
    // Another name for the same address does not count.
    let app = App::with(|settings| settings.webhook_private_hosts = vec!["127.0.0.2".to_owned()]);
    let root = app.operator("root");
    assert_eq!(root.put("/api/admin/webhook", &json!({ "url": url })).status, 200);
    let test = root.post("/api/admin/webhook/test", &json!({})).data();
    assert_eq!(test["delivered"], false);
    let reason = test["reason"].as_str().unwrap();
    let is_refused = reason.contains("webhook_private_hosts") || reason.contains("cannot find");
    assert!(is_refused, "{reason}");
    assert!(receiver.received().is_empty());

    if host == "LOCALHOST" {
        let named = |settings: &mut bottle::server::config::Settings| {
            settings.webhook_private_hosts = vec!["localhost".to_owned()];
        };
        let app = App::over(app.stop(), named);
        let mut root = app.anon();
        root.log_in("root", "pass");
        let test = root.post("/api/admin/webhook/test", &json!({})).data();
        assert_eq!(test, json!({ "delivered": true, "status": 200 }));
    }
}

#[test]
fn a_test_message_says_how_it_went() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    set(&root, &receiver, &json!({ "events": ["disk.low"] }));
    let test = || root.post("/api/admin/webhook/test", &json!({})).data();
    assert_eq!(test(), json!({ "delivered": true, "status": 200 }));
    let received = receiver.wait_for(1);
    assert_eq!(
        (&received[0].json()["type"], &received[0].json()["data"]),
        (&json!("webhook.test"), &json!({}))
    );
    assert!(status(&root)["last_success_at"].is_string());
    receiver.answer(Answer::Status(503));
    let failed = test();
    assert_eq!((&failed["delivered"], &failed["status"]), (&json!(false), &json!(503)));
    assert_eq!(status(&root)["last_failure"], failed["reason"]);
    assert_eq!(receiver.wait_for(2).len(), 2, "it is sent once");
}

#[test]
fn the_text_form_is_what_ntfy_shows() {
    let (app, receiver) = (app(), Receiver::new());
    let root = app.operator("root");
    let url = receiver.url().replace("http://", "http://:tk_a%2Fb@");
    let body = json!({ "url": url, "form": "text" });
    assert_eq!(root.put("/api/admin/webhook", &body).status, 200);
    let eve = app.user("伊芙");
    let bottle = eve.throw(1.0, 1.0);
    let report = json!({ "reason": "unkind" });
    assert_eq!(root.post(&format!("/api/bottles/{bottle}/report"), &report).status, 200);
    let mut received = receiver.wait_for(3);
    received.sort_by(|a, b| a.header("title").cmp(b.header("title")));
    let shown: Vec<[&str; 3]> = received
        .iter()
        .map(|one| {
            assert_eq!(one.header("content-type"), "text/plain; charset=utf-8");
            // The username is empty, and the password `tk_a/b`.
            assert_eq!(one.header("authorization"), "Basic OnRrX2EvYg==");
            assert!(one.header("webhook-signature").starts_with("v1,"));
            [one.header("title"), one.header("priority"), one.body.as_str()]
        })
        .collect();
    let expected = [
        ["Account registered", "default", "伊芙 registered."],
        ["Bottle reported", "high", "Bottle 1 has 1 report to settle."],
        ["Bottle thrown", "default", "伊芙 threw bottle 1."],
    ];
    assert_eq!(shown, expected);
}

#[test]
fn the_command_line_sets_it_while_it_is_served() {
    let (app, receiver) = (app(), Receiver::new());
    let (root, folder) = (app.operator("root"), app.folder());
    assert_eq!(run_ok(folder, &["webhook", "show"]), "the webhook is off\n");
    run_err(folder, &["webhook", "test"], "there is no webhook");
    run_err(folder, &["webhook", "off"], "there is no webhook");
    run_err(folder, &["webhook", "set", "ntfy.sh"], "url must be one of");
    run_err(folder, &["webhook", "set", "https://a", "--events", "x"], "events must be one of");

    let set = ["webhook", "set", &receiver.url(), "--events", "bottle.thrown,disk.low", "--json"];
    let made: Value = serde_json::from_str(&run_ok(folder, &set)).unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    root.throw(1.0, 1.0);
    receiver.wait_for(1);
    wait_for(&root, |status| status["waiting"] == 0);
    let shown = run_ok(folder, &["webhook", "show"]);
    assert!(shown.contains("Events: bottle.thrown, disk.low\n"), "{shown}");
    let shown: Value =
        serde_json::from_str(&run_ok(folder, &["webhook", "show", "--json"])).unwrap();
    assert_eq!(shown, status(&root));
    assert!(run_ok(folder, &["webhook", "secret"]).starts_with("Secret: whsec_"));
    // The settings of the command line name no private host.
    run_err(folder, &["webhook", "test"], "webhook_private_hosts");
    assert_eq!(run_ok(folder, &["webhook", "off"]), "the webhook is off\n");
    assert_eq!(root.get("/api/admin/webhook").data(), json!({}));
}
