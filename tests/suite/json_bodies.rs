//! A JSON array is no object, wherever a body has one.

use bottle_test_support::App;
use rstest::rstest;
use serde_json::{Value, json};

#[rstest]
#[case::location(json!({ "content": "c", "location": [null, 1, 1] }))]
#[case::of_all(json!({ "content": "c", "location": ["", 1, 1] }))]
#[case::empty(json!({ "content": "c", "location": [] }))]
fn an_array_is_no_location(#[case] body: Value, #[values("/api", "")] base: &str) {
    let app = App::new();
    let response = app.user("ada").post(&format!("{base}/bottles"), &body);
    assert_eq!(response.status, 422, "{}", response.text);
    assert_eq!(
        response.json(),
        json!({
            "status": "UNPROCESSABLE_ENTITY", "msg": "字段location的类型不正确",
            "data": { "field": "location" }
        })
    );
}

/// Fields that nobody knows may hold what they like.
#[test]
fn arrays_that_nobody_asked_for_are_ignored() {
    let app = App::new();
    let location = json!({ "latitude": 1, "longitude": 2, "accuracy": [1, [2, { "a": [] }]] });
    let body = json!({ "content": "c", "location": location, "openers": [{ "a": 1 }] });
    assert_eq!(app.user("ada").post("/api/bottles", &body).status, 200);
}
