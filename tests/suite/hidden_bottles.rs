//! A bottle that a teacher hid is, to all but its author and teachers, as one that never was.

use bottle_test_support::{App, Client};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case::openers("GET", "/openers")]
#[case::delete("DELETE", "")]
#[case::open("POST", "/open")]
#[case::report("POST", "/report")]
fn a_hidden_bottle_is_as_none(#[case] method: &str, #[case] path: &str) {
    let app = App::new();
    let (ada, bob, grace) = (app.user("ada"), app.user("bob"), app.teacher("grace"));
    let id = ada.throw(1.0, 2.0);
    let opened = bob.post(&format!("/api/bottles/{id}/open"), &json!({}));
    assert_eq!(opened.status, 200);
    let hidden = json!({ "hidden": true });
    assert_eq!(grace.put(&format!("/api/teacher/bottles/{id}"), &hidden).status, 200);

    let ask = |client: &Client, id: i64| {
        let body = json!({ "reason": "unkind" }).to_string();
        let body = (method == "POST").then_some(body.as_bytes());
        let response = client.send(method, &format!("/api/bottles/{id}{path}"), &[], body);
        (response.status, response.text.replace(&id.to_string(), "ID"))
    };
    for other in [&bob, &grace] {
        let none = ask(other, id + 1000);
        assert_eq!(none.0, 404);
        assert_eq!(ask(other, id), none);
    }
    if path != "/report" {
        assert_eq!(ask(&ada, id).0, 200);
    }
}
