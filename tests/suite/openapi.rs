//! The OpenAPI document says what is mounted and what is answered: every answer that any test of
//! this suite gets is held against it.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use bottle::model::token::Token;
use bottle_test_support::document::{CHECKED, DOCUMENT, operations};
use bottle_test_support::{App, Client, run_ok};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::admin_backups;
use crate::exchanges;
use crate::routes::mounted;

/// Routes that are for browsers, not for programs.
const PAGES: [&str; 6] = [
    "GET ",
    "GET /{}",
    "GET /places",
    "GET /tiles/{}/{}/{}",
    "GET /api/join.svg",
    "GET /api/teacher/classes/{}/join.svg",
];

#[test]
fn the_document_lists_what_is_mounted() {
    let listed: BTreeSet<String> = operations()
        .map(|(method, path, _)| format!("{} {}", method.to_uppercase(), anonymous(path, '{', '}')))
        .collect();
    let mounted: BTreeSet<String> = mounted()
        .iter()
        .map(|route| anonymous(route, '<', '>'))
        .filter(|route| !PAGES.contains(&route.as_str()))
        .collect();
    assert_eq!(listed, mounted);
}

/// A path without the names of its parameters.
fn anonymous(path: &str, open: char, close: char) -> String {
    let part = |part: &str| if part.contains([open, close]) { "{}" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_answers_as_the_document_says() {
    for file in ["bottle", "bottle-draft", "ledger", "music", "bookstore"] {
        exchanges::replay(&format!("{file}.http"));
    }
    request_all_others();

    let checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    let successes = operations().flat_map(|(method, path, operation)| {
        // A stream has no end at which to hold it against anything, and a file no schema.
        let responses = operation["responses"].as_object().unwrap().iter();
        responses
            .filter(|(status, response)| {
                status.starts_with('2') && response["content"].get("application/json").is_some()
            })
            .map(move |(status, _)| (method.to_uppercase(), path.to_owned(), status.clone()))
    });
    let missing: Vec<_> = successes.filter(|key| !checked.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Sends a successful request for every operation that no document has an exchange of.
fn request_all_others() {
    let app = App::new();
    let ada = app.user("ada");
    let bottle = ada.throw(23.1, 113.3);
    let around = "latitude=23&longitude=113&latitude_span=1&longitude_span=1";
    let openers = format!("/bottles/{bottle}/openers");
    let nearby = format!("/bottles/nearby?{around}");
    for path in ["/api/settings", "/api/join", "/healthz", "/readyz", "/api/users/self/export"] {
        assert_eq!(ada.get(path).status, 200);
    }
    assert_eq!(ada.get(&format!("/api/bottles/counts?{around}&zoom=3")).status, 200);
    let location = json!({ "latitude": 1, "longitude": 2 });
    let thrown = ada.post("/bottles", &json!({ "content": "a message", "location": location }));
    assert_eq!(thrown.status, 200);
    for path in ["/users/self", "/bottles/created", "/bottles/opened", &openers, &nearby] {
        assert_eq!(ada.get(path).status, 200);
    }
    let grace = app.teacher("grace");
    for path in ["teacher/bottles", "teacher/sea", "teacher/log", "teacher/newest"] {
        assert_eq!(grace.get(&format!("/api/{path}")).status, 200);
    }
    for path in ["tree", "search"] {
        assert_eq!(grace.get(&format!("/api/xray/{path}?{around}")).status, 200);
    }
    let bottle_path = format!("/bottles/{bottle}");
    let teachers = [
        (bottle_path.as_str(), json!({ "hidden": false })),
        ("/users/1", json!({ "muted_minutes": 0 })),
        ("/sea", json!({ "frozen": false })),
    ];
    for (path, body) in teachers {
        assert_eq!(grace.put(&format!("/api/teacher{path}"), &body).status, 200);
    }
    request_admission(&app);
    request_class(&app, &grace);
    request_feed(&app, &ada);
    let made = ada.post("/api/tokens", &json!({ "name": "a program" }));
    assert_eq!(ada.get("/api/tokens").status, 200);
    let path = format!("/api/tokens/{}", made.data()["token_id"]);
    assert_eq!(ada.delete(&path).status, 200);
    let complaint = json!({ "reason": "unkind" });
    assert_eq!(grace.post(&format!("/api{bottle_path}/report"), &complaint).status, 200);
    request_conversation(&app, &ada, &grace, bottle);
    let gone = ada.throw(5.0, 5.0);
    assert_eq!(ada.delete(&format!("/api/bottles/{gone}")).status, 200);
    assert_eq!(ada.delete("/api/sessions").status, 200);
    let bob = app.user("bob");
    assert_eq!(bob.post(&format!("/bottles/{bottle}/open"), &json!({})).status, 200);
    assert_eq!(bob.json("DELETE", "/api/users/self", &json!({ "password": "pass" })).status, 200);
}

/// Sends a successful request for every operation that decides who gets in.
fn request_admission(app: &App) {
    let link = Token::random();
    let db = Connection::open(app.database()).unwrap();
    db.execute("INSERT INTO meta VALUES ('setup_hash', ?1)", [link.hash().to_hex()]).unwrap();
    let account = json!({ "token": link.secret(), "username": "root", "password": "pass" });
    assert_eq!(app.anon().post("/api/setup", &account).status, 200);
    let mut root = app.anon();
    root.log_in("root", "pass");
    assert_eq!(root.get("/api/admin/registration").status, 200);
    let mode = json!({ "registration": "open" });
    assert_eq!(root.put("/api/admin/registration", &mode).status, 200);
    let made = root.post("/api/admin/invitations", &json!({ "uses": 2 }));
    assert_eq!(root.get("/api/admin/invitations").status, 200);
    let path = format!("/api/admin/invitations/{}", made.data()["invitation_id"]);
    assert_eq!(root.delete(&path).status, 200);
    let points = json!({ "type": "FeatureCollection", "features": [] });
    assert_eq!(root.post("/api/admin/import", &points).status, 200);
    let webhook = json!({ "url": "http://127.0.0.1:9/" });
    assert_eq!(root.put("/api/admin/webhook", &webhook).status, 200);
    assert_eq!(root.get("/api/admin/webhook").status, 200);
    for path in ["secret", "test"] {
        assert_eq!(root.post(&format!("/api/admin/webhook/{path}"), &json!({})).status, 200);
    }
    assert_eq!(root.delete("/api/admin/webhook").status, 200);
    let added = root.post("/api/admin/people", &json!({ "username": "mallory" }));
    let path = format!("/api/admin/people/{}", added.data()["user_id"]);
    let class = "username,nickname\nmax,Max\nmax,\nmallory,\n,no name\n";
    let file = json!({ "csv": class, "dry_run": true });
    assert_eq!(root.post("/api/admin/people/import", &file).status, 200);
    assert_eq!(root.post("/api/admin/people/import", &json!({ "csv": class })).status, 200);
    assert_eq!(root.put(&path, &json!({ "role": "teacher" })).status, 200);
    let mute = json!({ "muted_minutes": 5 });
    assert_eq!(root.put(&format!("{path}/mute"), &mute).status, 200);
    assert_eq!(root.get("/api/admin/people").status, 200);
    assert_eq!(root.post(&format!("{path}/password"), &json!({})).status, 200);
    assert_eq!(root.delete(&format!("{path}/sessions")).status, 200);
    assert_eq!(root.delete(&path).status, 200);
    assert_eq!(root.get("/api/admin/log").status, 200);
    request_administration(&root);
}

/// Sends a successful request for every operation with which an operator runs the server.
fn request_administration(root: &Client) {
    for path in ["backups", "health", "settings"] {
        assert_eq!(root.get(&format!("/api/admin/{path}")).status, 200);
    }
    let value = json!({ "value": 4 });
    assert_eq!(root.put("/api/admin/settings/backup_hour", &value).status, 200);
    for path in ["backups", "check"] {
        assert_eq!(root.post(&format!("/api/admin/{path}"), &json!({})).status, 202);
        admin_backups::wait(root);
    }
}

/// Sends a successful request for every operation of a feed.
fn request_feed(app: &App, ada: &Client) {
    let links = ada.post("/api/feed", &json!({})).data();
    assert_eq!(ada.get("/api/feed").status, 200);
    let path = |link: &Value| link.as_str().unwrap().split_at(app.origin().len()).1.to_owned();
    let around = "latitude=23&longitude=113&latitude_span=1&longitude_span=1";
    assert_eq!(app.anon().get(&format!("{}?{around}", path(&links["nearby"]))).status, 200);
    assert_eq!(app.anon().get(&path(&links["inbox"])).status, 200);
    assert_eq!(ada.delete("/api/feed").status, 200);
}

/// Sends a successful request for every operation of a guest class.
fn request_class(app: &App, grace: &Client) {
    let opened = grace.post("/api/teacher/classes", &json!({ "minutes": 5 })).data();
    let guest = json!({ "code": opened["code"], "nickname": "Zoe" });
    assert_eq!(app.anon().post("/api/guests", &guest).status, 200);
    assert_eq!(grace.get("/api/teacher/classes").status, 200);
    let path = format!("/api/teacher/classes/{}", opened["class_id"]);
    assert_eq!(grace.get(&format!("{path}/sea")).status, 200);
    assert_eq!(grace.put(&format!("{path}/end"), &json!({})).status, 200);
    assert_eq!(grace.delete(&path).status, 200);
}

/// Sends a successful request for every operation of a conversation about ada's bottle.
fn request_conversation(app: &App, ada: &Client, grace: &Client, bottle: i64) {
    let eve = app.user("eve");
    let path = |end: &str| format!("/api/bottles/{bottle}/{end}");
    assert_eq!(eve.post("/api/bottles/catch", &json!({})).status, 200);
    assert_eq!(eve.post(&path("open"), &json!({})).status, 200);
    let reply = eve.post(&path("replies"), &json!({ "content": "found" })).data();
    assert_eq!(eve.get(&path("replies")).status, 200);
    assert_eq!(ada.get(&path("threads")).status, 200);
    let reply = format!("replies/{}", reply["reply_id"]);
    let complaint = json!({ "reason": "unkind" });
    assert_eq!(ada.post(&format!("/api/{reply}/report"), &complaint).status, 200);
    let shown = json!({ "hidden": false });
    assert_eq!(grace.put(&format!("/api/teacher/{reply}"), &shown).status, 200);
    assert_eq!(eve.delete(&format!("/api/{reply}")).status, 200);
    let block = format!("/api/users/{}/block", account_id(&eve));
    assert_eq!(ada.put(&block, &json!({ "blocked": true })).status, 200);
    assert_eq!(ada.get("/api/users/self/blocks").status, 200);
    assert_eq!(ada.get("/api/inbox").status, 200);
    assert_eq!(ada.put("/api/inbox", &json!({ "read_through": 0 })).status, 200);
}

/// Returns the id of the client's account.
fn account_id(client: &Client) -> Value {
    client.get("/api/users/self").data()["user_id"].clone()
}

#[test]
fn names_are_unique_and_references_lead_somewhere() {
    let ids: Vec<&str> =
        operations().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let text = DOCUMENT.to_string();
    for reference in text.split(r##""$ref":"#"##).skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(DOCUMENT.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

#[test]
fn it_is_served_and_printed() {
    let app = App::new();
    let served = app.anon().get("/api/openapi.json");
    assert!(served.header("content-type").starts_with("application/json"));
    let folder = tempfile::tempdir().unwrap();
    let printed: Value = serde_json::from_str(&run_ok(folder.path(), &["openapi"])).unwrap();
    assert_eq!(served.json(), printed);
    let current = *DOCUMENT == printed;
    assert!(current, "run: cargo run --example openapi > static/api/openapi.json");
    assert_eq!(printed["openapi"], "3.1.0");
    assert_eq!(app.anon().get("/docs").status, 200);
}
