//! Throwing, seeing and opening bottles.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::app::App;

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
#[case::style(json!({ "style": 2 }), 200, "")]
#[case::style_three(json!({ "style": 3 }), 422, "style")]
#[case::style_below(json!({ "style": -1 }), 422, "style")]
#[case::style_text(json!({ "style": "blue" }), 422, "style")]
#[case::longest(json!({ "content": "瓶".repeat(4000) }), 200, "")]
#[case::too_long(json!({ "content": "瓶".repeat(4001) }), 422, "content")]
#[case::empty(json!({ "content": "" }), 422, "content")]
#[case::null(json!({ "content": null }), 422, "content")]
#[case::nowhere(json!({ "location": null }), 422, "location")]
#[case::no_address(json!({ "location": { "latitude": 0, "longitude": 0 } }), 200, "")]
#[case::long_address(json!({ "location": { "formatted_address": "a".repeat(257), "latitude": 0, "longitude": 0 } }), 422, "formatted_address")]
#[case::swapped(json!({ "location": { "latitude": 113.39992, "longitude": 23.059375 } }), 422, "latitude")]
#[case::too_far_east(json!({ "location": { "latitude": 0, "longitude": 180.00000000000003 } }), 422, "longitude")]
#[case::corner(json!({ "location": { "latitude": -90, "longitude": 180 } }), 200, "")]
#[case::text(json!({ "location": { "latitude": "0", "longitude": 0 } }), 422, "location.latitude")]
fn what_may_be_thrown(#[case] change: Value, #[case] status: u16, #[case] field: &str) {
    let app = App::new();
    let answer = app.user("ada").post("/api/bottles", &bottle(change));
    assert_eq!(answer.status, status, "{}", answer.text);
    if status == 422 {
        assert_eq!(answer.data()["field"], field);
        assert!(answer.json()["msg"].as_str().unwrap().contains(field), "{}", answer.text);
    }
}

/// A public Android client (Retrofit, Gson, a cookie jar) sends its whole object, a `Content-type`
/// everywhere, and nothing at all to open a bottle.
#[rstest]
fn an_android_client_works_as_it_is() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let json = [("Content-type", "application/json;charset=UTF-8")];
    for owner in [Value::Null, json!({ "user_id": 0, "username": null, "gender": null })] {
        let whole = bottle(json!({
            "bottle_id": 0, "openers_count": 0, "is_owner": false, "owner": owner, "style": 1,
            "created_at": null, "open_at": null
        }));
        let thrown = ada.send("POST", "/api/bottles", &json, Some(whole.to_string().as_bytes()));
        assert_eq!(thrown.status, 200, "{}", thrown.text);
        assert_ne!(thrown.data()["bottle_id"], 0);
    }
    let around = "/api/bottles/nearby/?latitude=2.3059375E1&longitude=113.39992\
                  &latitude_span=5.4567E-2&longitude_span=7.6545E-2";
    let seen = bob.send("GET", around, &json, None);
    assert_eq!(seen.data()["bottles"].as_array().unwrap().len(), 2, "{}", seen.text);
    assert_eq!(seen.data()["bottles"][0]["is_owner"], false);

    let opened = bob.send("POST", "/api/bottles/1/open", &json, Some(b""));
    assert_eq!(opened.status, 200, "{}", opened.text);
    assert_eq!(opened.data()["owner"]["gender"], "unknown");
    let swapped =
        "/api/bottles/nearby/?latitude=113&longitude=23&latitude_span=0.05&longitude_span=0.07";
    let refused = bob.send("GET", swapped, &json, None);
    assert_eq!((refused.status, &refused.data()["field"]), (422, &json!("latitude")));
}

#[rstest]
fn the_first_opening_stands_for_good() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let id = ada.throw(1.0, 2.0);
    let open = |client: &crate::app::Client| {
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
fn pages(client: &crate::app::Client, path: &str, list: &str, id: &str) -> Vec<i64> {
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

#[rstest]
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
fn numbers_are_read_as_any_language_prints_them(
    #[values("1e+1", "1E1", "10.", "+10", "%2B10", "1.0e%2B1", "10.000")] ten: &str,
) {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(10.0, 10.0);
    let path = format!(
        "/api/bottles/nearby?latitude={ten}&longitude={ten}&latitude_span=.5&longitude_span=0"
    );
    assert_eq!(ada.get(&path).data()["bottles"].as_array().unwrap().len(), 1);
}

#[rstest]
fn limits_are_numbers_from_1(#[values("0", "-1", "x", "1.5", "")] limit: &str) {
    let app = App::new();
    let answer = app.user("ada").get(&format!("/api/bottles/created?limit={limit}"));
    assert_eq!((answer.status, &answer.data()["field"]), (422, &json!("limit")));
}
