//! Bottles that end, and bottles that can be opened only near their place.

use std::time::Duration;

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AROUND: &str = "latitude=1&longitude=2&latitude_span=1&longitude_span=1";

fn throw(client: &Client, fields: &Value) -> Response {
    let mut body = json!({
        "content": "hello", "location": { "latitude": 1, "longitude": 2 }
    });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    client.post("/api/bottles", &body)
}

fn nearby(client: &Client) -> Value {
    client.get(&format!("/api/bottles/nearby?{AROUND}")).data()["bottles"].clone()
}

fn open(client: &Client, bottle: i64, body: &Value) -> Response {
    client.post(&format!("/api/bottles/{bottle}/open"), body)
}

#[rstest]
#[case(json!({ "expires_in_days": 0 }), 422)]
#[case(json!({ "expires_in_days": 1 }), 200)]
#[case(json!({ "expires_in_days": 365 }), 200)]
#[case(json!({ "expires_in_days": 366 }), 422)]
#[case(json!({ "expires_in_days": 1.5 }), 422)]
#[case(json!({ "expires_in_days": null }), 200)]
#[case(json!({ "open_within_m": 19 }), 422)]
#[case(json!({ "open_within_m": 20 }), 200)]
#[case(json!({ "open_within_m": 50_000 }), 200)]
#[case(json!({ "open_within_m": 50_001 }), 422)]
#[case(json!({ "open_within_m": "near" }), 422)]
fn the_limits_of_a_bottle_have_limits(#[case] fields: Value, #[case] status: u16) {
    let app = App::new();
    let response = throw(&app.user("ada"), &fields);
    assert_eq!(response.status, status, "{}", response.text);
}

#[test]
fn a_bottle_ends_for_all_but_its_owner() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let thrown = throw(&ada, &json!({ "expires_in_days": 1 })).data();
    let bottle = thrown["bottle_id"].as_i64().unwrap();
    assert!(thrown["expires_at"].is_string() && thrown.get("expired").is_none());
    assert_eq!(open(&bob, bottle, &json!({})).status, 200);
    app.clock.advance(DAY - Duration::from_secs(60));
    assert_eq!(nearby(&bob).as_array().unwrap().len(), 1);
    app.clock.advance(Duration::from_secs(60));

    assert_eq!(nearby(&bob), json!([]));
    assert_eq!(open(&bob, bottle, &json!({})).status, 404);
    assert_eq!(bob.get("/api/bottles/opened").data()["bottles"], json!([]));
    let counts = bob.get(&format!("/api/bottles/counts?{AROUND}&zoom=10")).data();
    assert_eq!(counts["total"], 0);
    assert_eq!(bob.send("POST", "/api/bottles/catch", &[], None).status, 404);
    let content = json!({ "content": "too late" });
    assert_eq!(bob.post(&format!("/api/bottles/{bottle}/replies"), &content).status, 404);

    let mine = ada.get("/api/bottles/created").data()["bottles"][0].clone();
    assert_eq!((&mine["expired"], mine.get("hidden")), (&json!(true), None));
    assert_eq!(open(&ada, bottle, &json!({})).data()["expired"], true);
    let item = ada.get("/api/inbox").data()["items"][0].clone();
    assert_eq!((&item["kind"], &item["bottle_id"]), (&json!("expired"), &json!(bottle)));
    assert_eq!(ada.delete(&format!("/api/bottles/{bottle}")).status, 200);
}

/// The first request after the time of a bottle finds it ended, whichever it is.
#[rstest]
#[case("GET", "bottles/1/openers", Value::Null, 404)]
#[case("GET", "bottles/1/threads", Value::Null, 404)]
#[case("DELETE", "bottles/1", Value::Null, 404)]
#[case("POST", "bottles/1/report", json!({ "reason": "unkind" }), 404)]
#[case("PUT", "inbox", json!({ "read_through": 0 }), 200)]
fn every_route_knows_at_once_that_a_bottle_has_ended(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    throw(&ada, &json!({ "expires_in_days": 1 }));
    app.clock.advance(DAY);
    let client = if path == "inbox" { &ada } else { &bob };
    let response = client.json(method, &format!("/api/{path}"), &body);
    assert_eq!(response.status, status, "{}", response.text);
    if path == "inbox" {
        assert_eq!(response.data()["unread"], 1);
    }
}

#[test]
fn a_teacher_sees_at_once_that_a_bottle_has_ended() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    throw(&ada, &json!({ "expires_in_days": 1 }));
    grace.post("/api/bottles/1/report", &json!({ "reason": "unkind" }));
    app.clock.advance(DAY);
    let cases = grace.get("/api/teacher/bottles").data()["bottles"].clone();
    assert_eq!(cases[0]["expired"], true);
}

/// A teacher who shows a bottle again does not bring it back to life.
#[test]
fn what_has_ended_stays_ended() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let bottle =
        throw(&ada, &json!({ "expires_in_days": 1 })).data()["bottle_id"].as_i64().unwrap();
    let hide = |hidden: bool| {
        let path = format!("/api/teacher/bottles/{bottle}");
        assert_eq!(grace.put(&path, &json!({ "hidden": hidden })).status, 200);
    };
    hide(true);
    app.clock.advance(DAY);
    assert_eq!(nearby(&bob), json!([]));
    hide(false);
    assert_eq!(nearby(&bob), json!([]));

    // The next server's clock is a day behind.
    let app = App::over(app.stop(), |_| {});
    let mut bob = app.anon();
    bob.log_in("bob", "pass");
    assert_eq!(nearby(&bob), json!([]));
    assert_eq!(open(&bob, bottle, &json!({})).status, 404);
}

/// Nobody asks: the server ends a bottle by itself, and says so to those who watch the map.
#[test]
fn a_bottle_ends_by_itself() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let stream = crate::live::Stream::of(&bob, 1.0, 2.0, None);
    let bottle = throw(&ada, &json!({ "expires_in_days": 1 })).data()["bottle_id"].clone();
    assert_eq!(stream.next().name, "thrown");
    app.clock.advance(DAY);
    let ended = stream.next();
    assert_eq!((ended.name.as_str(), &ended.data["bottle_id"]), ("hidden", &bottle));
}

#[test]
fn a_bottle_is_opened_only_from_nearby() {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let thrown = throw(&ada, &json!({ "open_within_m": 100 })).data();
    let bottle = thrown["bottle_id"].as_i64().unwrap();
    assert_eq!(thrown["open_within_m"], 100);
    assert_eq!(nearby(&bob)[0]["open_within_m"], 100);

    let nowhere = open(&bob, bottle, &json!({}));
    assert_eq!((nowhere.status, nowhere.json()["status"].as_str()), (403, Some("TOO_FAR")));
    assert_eq!(nowhere.data(), json!({ "open_within_m": 100 }));
    // A minute of latitude is 1,853 m.
    let far = open(&bob, bottle, &json!({ "latitude": 1.0 + 1.0 / 60.0, "longitude": 2 }));
    assert_eq!((far.status, far.data()), (403, json!({ "distance_m": 1860 })));
    let half = open(&bob, bottle, &json!({ "latitude": 1 }));
    assert_eq!((half.status, half.data()["field"].as_str()), (422, Some("longitude")));
    let off = open(&bob, bottle, &json!({ "latitude": 91, "longitude": 2 }));
    assert_eq!((off.status, off.data()["field"].as_str()), (422, Some("latitude")));
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"][0]["openers_count"], 0);

    let near = json!({ "latitude": 1.0005, "longitude": 2 });
    assert_eq!(open(&bob, bottle, &near).status, 200);
    assert_eq!(open(&bob, bottle, &json!({})).status, 200, "it was opened before");
    assert_eq!(open(&ada, bottle, &json!({})).status, 200, "it is her own");
    assert_eq!(open(&grace, bottle, &json!({})).status, 200, "a teacher opens any");
}

/// Clients of before send anything as the body.
#[rstest]
#[case(None, None)]
#[case(Some("text/plain"), Some("hello"))]
#[case(Some("application/json"), Some("not JSON"))]
#[case(Some("application/json"), Some("[1]"))]
#[case(Some("application/x-www-form-urlencoded"), Some("a=b"))]
fn other_bottles_are_opened_whatever_the_body(
    #[case] kind: Option<&str>,
    #[case] body: Option<&str>,
) {
    let app = App::new();
    let bottle = app.user("ada").throw(1.0, 2.0);
    let headers: Vec<_> = kind.iter().map(|kind| ("Content-Type", *kind)).collect();
    let path = format!("/api/bottles/{bottle}/open");
    let opened = app.user("bob").send("POST", &path, &headers, body.map(str::as_bytes));
    assert_eq!(opened.status, 200, "{}", opened.text);
}
