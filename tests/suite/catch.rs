//! Catching a random bottle.

use std::collections::BTreeMap;

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

fn catch(client: &Client) -> Response {
    client.send("POST", "/api/bottles/catch", &[], None)
}

#[test]
fn a_catch_opens_each_bottle_once_and_then_finds_none() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let thrown: Vec<i64> = (0..5).map(|n| ada.throw(f64::from(n), 2.0)).collect();
    bob.throw(1.0, 2.0);
    let mut caught: Vec<i64> = (0..5)
        .map(|_| {
            let response = catch(&bob);
            assert_eq!(response.status, 200, "{}", response.text);
            response.data()["bottle_id"].as_i64().unwrap()
        })
        .collect();
    caught.sort_unstable();
    assert_eq!(caught, thrown);
    let none = catch(&bob);
    assert_eq!((none.status, none.json()["status"].as_str()), (404, Some("NOT_FOUND")));
    let opened = ada.get("/api/bottles/created").data()["bottles"].clone();
    assert!(opened.as_array().unwrap().iter().all(|bottle| bottle["openers_count"] == 1));
}

/// The answer has the form of an opening.
#[test]
fn a_catch_is_answered_like_an_opening() {
    let app = App::new();
    let (ada, bob, eve) = (app.user("ada"), app.user("bob"), app.user("eve"));
    let bottle = ada.throw(1.0, 2.0);
    let caught = catch(&bob).data();
    let opened = eve.send("POST", &format!("/api/bottles/{bottle}/open"), &[], None).data();
    let names = |data: &serde_json::Value| -> Vec<String> {
        data.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&caught), names(&opened));
    assert_eq!(ada.get("/api/inbox").data()["items"][0]["kind"], "opened");
}

#[rstest]
#[case::hidden("UPDATE bottles SET hidden_at = 1")]
#[case::ended("UPDATE bottles SET ended_at = 1")]
#[case::reported("INSERT INTO reports VALUES (1, 3, 'unkind', 1, NULL)")]
#[case::nearby_only("UPDATE bottles SET open_within_m = 100")]
#[case::blocked("INSERT INTO blocks VALUES (1, 2, 1)")]
#[case::opened("INSERT INTO openings VALUES (1, 2, 1)")]
#[case::own("UPDATE bottles SET owner_id = 2")]
fn what_is_not_eligible_is_not_caught(#[case] change: &str) {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    drop(app.user("eve"));
    ada.throw(1.0, 2.0);
    Connection::open(app.database()).unwrap().execute_batch(change).unwrap();
    assert_eq!(catch(&bob).status, 404, "{change}");
}

#[test]
fn a_catch_stays_in_its_rectangle() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let inside = ada.throw(10.0, 179.9);
    let across = ada.throw(10.0, -179.9);
    ada.throw(10.0, 178.0);
    let rectangle = json!({
        "latitude": 10, "longitude": 180, "latitude_span": 0.5, "longitude_span": 0.5
    });
    let mut caught: Vec<i64> = (0..2)
        .map(|_| bob.post("/api/bottles/catch", &rectangle).data()["bottle_id"].as_i64().unwrap())
        .collect();
    caught.sort_unstable();
    assert_eq!(caught, [inside, across]);
    assert_eq!(bob.post("/api/bottles/catch", &rectangle).status, 404);
    let half = bob.post("/api/bottles/catch", &json!({ "latitude": 1, "longitude_span": 1 }));
    assert_eq!((half.status, half.data()["field"].as_str()), (422, Some("longitude")));
}

/// The places of the last cell end with the greatest integer.
#[test]
fn a_bottle_at_the_end_of_the_grid_is_caught() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let bottle = ada.throw(90.0, 180.0);
    assert_eq!(catch(&bob).data()["bottle_id"], bottle);
}

/// 300 bottles, half of them in one place and the others spread; a third is not eligible. By chi-squared, the
/// counts are even: the bound is exceeded by one of 10,000 fair runs.
#[test]
fn every_eligible_bottle_is_equally_likely() {
    const CATCHES: usize = 3000;
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    ada.throw(0.0, 0.0);
    let db = Connection::open(app.database()).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
         INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         SELECT 1, '', iif(i % 2, 48.85, i / 4.0), iif(i % 2, 2.29, i - 160.0), 0, 1 FROM n;
         INSERT INTO messages SELECT id, 'm' FROM bottles WHERE id > 1;
         INSERT INTO openings SELECT id, 2, 1 FROM bottles WHERE id % 3 = 0;",
    )
    .unwrap();
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    for _ in 0..CATCHES {
        let id = catch(&bob).data()["bottle_id"].as_i64().unwrap();
        *counts.entry(id).or_default() += 1.0;
        db.execute("DELETE FROM openings WHERE bottle_id = ?1 AND opener_id = 2", [id]).unwrap();
    }
    let expected = CATCHES as f64 / 200.0;
    assert_eq!(counts.len(), 200);
    let chi_squared: f64 = counts.values().map(|count| (count - expected).powi(2) / expected).sum();
    // 199 degrees of freedom.
    assert!(chi_squared < 281.0, "{chi_squared}");
}
