//! Throwing, seeing and opening bottles.

use std::time::Duration;

use bottle_test_support::{App, Client, Random};
use rstest::rstest;
use serde_json::{Value, json};

fn bottle(change: Value) -> Value {
    let mut bottle = json!({
        "content": "A message.",
        "location": { "formatted_address": "Somewhere", "latitude": 23.059375, "longitude": 113.39992 }
    });
    for (name, value) in change.as_object().unwrap() {
        bottle[name] = value.clone();
    }
    bottle
}

#[rstest]
#[case::plain(json!({}), 200, "")]
#[case::style_three(json!({ "style": 3 }), 422, "style")]
#[case::style_text(json!({ "style": "blue" }), 422, "style")]
#[case::too_long(json!({ "content": "瓶".repeat(4001) }), 422, "content")]
#[case::null(json!({ "content": null }), 422, "content")]
#[case::nowhere(json!({ "location": null }), 422, "location")]
#[case::style_null(json!({ "style": null }), 200, "")]
#[case::no_address(json!({ "location": { "latitude": 0, "longitude": 0 } }), 200, "")]
#[case::swapped(json!({ "location": { "latitude": 113.39992, "longitude": 23.059375 } }), 422, "latitude")]
#[case::text(json!({ "location": { "latitude": "0", "longitude": 0 } }), 422, "location.latitude")]
fn throws_obey_the_rules_of_their_fields(
    #[case] change: Value,
    #[case] status: u16,
    #[case] field: &str,
) {
    let app = App::new();
    let response = app.user("ada").post("/api/bottles", &bottle(change));
    assert_eq!(response.status, status, "{}", response.text);
    if status == 422 {
        assert_eq!(response.data()["field"], field);
        assert!(response.json()["msg"].as_str().unwrap().contains(field), "{}", response.text);
    }
}

#[test]
fn the_first_opening_stands_for_good() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 2.0);
    let open = |client: &Client| {
        client.send("POST", &format!("/api/bottles/{id}/open"), &[], None).data()["open_at"].clone()
    };
    let own = open(&ada);
    app.clock.advance(Duration::from_secs(60));
    assert_ne!(open(&ada), own, "one's own opening is not recorded");
    let first = open(&bob);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(open(&bob), first);
    let openers = ada.get(&format!("/api/bottles/{id}/openers")).data();
    assert_eq!(
        (&openers["openers_count"], openers["openers"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"][0]["openers_count"], 1);
    assert_eq!(ada.get("/api/bottles/opened").data()["bottles"], json!([]));
}

/// Follows `next` to the end of a list, three items at a time.
fn pages(client: &Client, path: &str, list: &str, id: &str) -> Vec<i64> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let data = client.get(&format!("{path}?limit=3{after}")).data();
        let part = data[list].as_array().unwrap();
        assert!(part.len() <= 3);
        ids.extend(part.iter().map(|item| item[id].as_i64().unwrap()));
        match &data["next"] {
            Value::Null => return ids,
            next => after = format!("&after={next}"),
        }
    }
}

#[test]
fn lists_come_oldest_first_and_in_pages() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let thrown: Vec<i64> = (0..8).map(|n| ada.throw(f64::from(n), 0.0)).collect();
    assert_eq!(pages(&ada, "/api/bottles/created", "bottles", "bottle_id"), thrown);

    // Opened in another order than thrown.
    let opened: Vec<i64> = [5, 2, 7, 0, 6, 1, 3].map(|n| thrown[n]).to_vec();
    for id in &opened {
        bob.send("POST", &format!("/api/bottles/{id}/open"), &[], None);
        app.clock.advance(Duration::from_millis(10));
    }
    assert_eq!(pages(&bob, "/api/bottles/opened", "bottles", "bottle_id"), opened);

    for n in 0..7 {
        app.user(&format!("user{n}")).send("POST", "/api/bottles/1/open", &[], None);
        app.clock.advance(Duration::from_millis(10));
    }
    let openers = pages(&ada, "/api/bottles/1/openers", "openers", "user_id");
    assert_eq!(openers, [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[rstest]
fn numbers_are_read_as_any_language_prints_them(#[values("1e+1", "+10", "1.0e%2B1")] ten: &str) {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(10.0, 10.0);
    let path = format!(
        "/api/bottles/nearby?latitude={ten}&longitude={ten}&latitude_span=.5&longitude_span=0"
    );
    assert_eq!(ada.get(&path).data()["bottles"].as_array().unwrap().len(), 1);
}

#[test]
fn limits_are_numbers_from_1() {
    let app = App::new();
    let response = app.user("ada").get("/api/bottles/created?limit=0");
    assert_eq!((response.status, &response.data()["field"]), (422, &json!("limit")));
}

#[rstest]
#[case("99999999999999999999", 422)]
#[case("10001", 200)]
#[case("10000", 200)]
fn a_limit_over_the_most_is_the_most(#[case] limit: &str, #[case] status: u16) {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(0.0, 0.0);
    for list in ["created", "opened"] {
        let response = ada.get(&format!("/api/bottles/{list}?limit={limit}"));
        assert_eq!(response.status, status, "{}", response.text);
    }
}

#[test]
fn a_cursor_is_a_number() {
    let app = App::new();
    let response = app.user("ada").get("/api/bottles/opened?after=x");
    assert_eq!((response.status, &response.data()["field"]), (422, &json!("after")));
}

#[test]
fn the_answer_to_a_throw_is_the_whole_bottle() {
    let app = App::new();
    let ada = app.user("ada");
    let thrown = ada.post("/api/bottles", &bottle(json!({}))).data();
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"], json!([thrown]));
    let mut thrown = thrown;
    assert!(thrown.as_object_mut().unwrap().remove("created_at").unwrap().is_string());
    assert_eq!(thrown, bottle(json!({ "bottle_id": 1, "style": 0, "openers_count": 0 })));
}

/// A bottle keeps its position to the last bit: a rectangle of no size finds it there.
#[test]
fn a_position_is_kept_to_the_last_bit() {
    let app = App::new();
    let ada = app.user("ada");
    let mut random = Random::new(3);
    for _ in 0..200 {
        let (latitude, longitude) = (random.within(90.0), random.within(180.0));
        let body = format!(
            r#"{{"content":"c","location":{{"latitude":{latitude:?},"longitude":{longitude:?}}}}}"#
        );
        let json = [("Content-Type", "application/json")];
        let response = ada.send("POST", "/api/bottles", &json, Some(body.as_bytes()));
        let place = format!(r#""latitude":{latitude:?},"longitude":{longitude:?}"#);
        assert!(response.text.contains(&place), "{place} became {}", response.text);
        let there = ada.get(&format!(
            "/api/bottles/nearby?latitude={latitude:?}&longitude={longitude:?}&latitude_span=0&longitude_span=0"
        ));
        assert!(there.text.contains(&place), "{place} is not found: {}", there.text);
    }
}

#[rstest]
#[case("")]
#[case("/")]
fn nearby_may_end_with_a_slash(#[case] slash: &str) {
    let app = App::new();
    let ada = app.user("ada");
    let spans = "latitude_span=1&longitude_span=1";
    let path = format!("/api/bottles/nearby{slash}?latitude=0&longitude=0&{spans}");
    assert_eq!(ada.get(&path).json()["msg"], "查询附近的漂流瓶成功");
}

/// A client that got no answer sends the request again.
#[test]
fn a_throw_sent_again_throws_no_second_bottle() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let throw = |client: &Client, key: &str| {
        let body = json!({ "content": "once", "location": { "latitude": 1, "longitude": 2 } });
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
        client.send("POST", "/api/bottles", &headers, Some(body.to_string().as_bytes()))
    };
    let first = throw(&ada, "k1");
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(throw(&ada, "k1").text, first.text);
    for (client, key) in [(&ada, "k2"), (&bob, "k1")] {
        assert_ne!(throw(client, key).data()["bottle_id"], first.data()["bottle_id"]);
    }
    for key in ["", "a b", "é", &"k".repeat(65)] {
        let refused = throw(&ada, key);
        assert_eq!(
            (refused.status, refused.data()["field"].as_str()),
            (422, Some("Idempotency-Key"))
        );
    }
    assert_eq!(ada.get("/api/bottles/created").data()["bottles"].as_array().unwrap().len(), 2);
    app.clock.advance(Duration::from_secs(25 * 60 * 60));
    throw(&ada, "k3");
    assert_ne!(throw(&ada, "k1").data()["bottle_id"], first.data()["bottle_id"]);
}
