//! A public Android client of this API (Retrofit, Gson, a persistent cookie jar), as it is.

use bottle_test_support::{App, Client, Response};
use rstest::rstest;
use serde_json::{Value, json};

/// The header that it sends with every request, also without a body.
const TYPE: [(&str, &str); 1] = [("Content-type", "application/json;charset=UTF-8")];

/// A phone: it keeps a cookie only if that says how long it lives, and fails where Gson's model has
/// no place for null.
struct Phone {
    client: Client,
}

impl Phone {
    fn new(app: &App, username: &str) -> Self {
        let mut phone = Self { client: app.anon() };
        // Gson leaves out what is null; the form has no field for the gender.
        phone.send("POST", "/users", Some(json!({ "username": username, "password": "pass" })));
        let login = json!({ "username": username, "password": "pass" });
        let response = phone.send("POST", "/sessions", Some(login));
        let mut parts = response.header("set-cookie").split("; ");
        let cookie = parts.next().unwrap().to_owned();
        let lives = parts.find_map(|part| part.strip_prefix("Max-Age="));
        assert!(lives.unwrap().parse::<i64>().unwrap() > 0, "the jar would not keep it");
        phone.client.headers.push(("Cookie".into(), cookie));
        phone
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: Option<Value>) -> Response {
        let body = body.map(|body| body.to_string());
        let body = body.as_deref().map(str::as_bytes);
        let response = self.client.send(method, &format!("/api{path}"), &TYPE, body);
        assert_eq!(response.status, 200, "{path}: {}", response.text);
        check_for_gson(&response.json());
        response
    }

    /// Retrofit sends a POST without a body with `Content-Length: 0`.
    fn open(&self, id: i64) -> Value {
        let response =
            self.client.send("POST", &format!("/api/bottles/{id}/open"), &TYPE, Some(b""));
        assert_eq!(response.status, 200, "{}", response.text);
        check_for_gson(&response.json());
        response.data()
    }
}

/// Every time has exactly the form that the client's parser knows, and no person lacks a field.
fn check_for_gson(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(check_for_gson),
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "created_at" | "open_at" => check_time(value.as_str().unwrap()),
                    "gender" | "nickname" | "username" | "content" | "formatted_address" => {
                        assert!(value.is_string(), "{name}: {value}");
                    }
                    "user_id" | "bottle_id" | "style" | "openers_count" => {
                        assert!(value.is_i64(), "{name}: {value}");
                    }
                    _ => check_for_gson(value),
                }
            }
        }
        _ => {}
    }
}

fn check_time(time: &str) {
    let form: String = time.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
    assert_eq!(form, "dddd-dd-ddTdd:dd:dd.dddZ", "{time}");
}

/// Its whole bottle object, most of it made up.
fn whole_bottle(owner: &Value) -> Value {
    json!({
        "bottle_id": 0, "content": "A message.", "style": 1, "openers_count": 0, "is_owner": false,
        "owner": owner, "created_at": null, "open_at": null,
        "location": { "formatted_address": "大学城", "latitude": 23.059375, "longitude": 113.39992 }
    })
}

#[rstest]
#[case::nobody(Value::Null)]
#[case::someone(json!({ "user_id": 0, "username": null, "nickname": null, "gender": null }))]
#[case::nonsense(json!([1, { "user_id": "x" }]))]
fn its_whole_bottle_is_taken(#[case] owner: Value) {
    let app = App::new();
    let ada = Phone::new(&app, "ada");
    let thrown = ada.send("POST", "/bottles", Some(whole_bottle(&owner))).data();
    assert_eq!(
        (&thrown["bottle_id"], &thrown["style"], &thrown["openers_count"]),
        (&json!(1), &json!(1), &json!(0)),
        "what it made up is not believed, what it chose is"
    );
    assert_eq!(thrown["location"]["formatted_address"], "大学城");
}

#[test]
fn it_goes_through_its_whole_day() {
    let app = App::new();
    let (ada, bob) = (Phone::new(&app, "ada"), Phone::new(&app, "bob"));
    ada.send("POST", "/bottles", Some(whole_bottle(&Value::Null)));

    let around = "/bottles/nearby/?latitude=2.3059375E1&longitude=113.39992\
                  &latitude_span=5.4567E-2&longitude_span=7.6545E-2";
    let seen = bob.send("GET", around, None).data();
    assert_eq!(seen["bottles"].as_array().unwrap().len(), 1);
    assert_eq!(seen["bottles"][0]["is_owner"], false);
    assert_eq!(ada.send("GET", around, None).data()["bottles"][0]["is_owner"], true);

    let opened = bob.open(1);
    assert_eq!(
        opened["owner"],
        json!({
            "user_id": 1, "username": "ada", "nickname": "ada", "gender": "unknown"
        })
    );
    let list = bob.send("GET", "/bottles/opened", None).data();
    assert_eq!(list["bottles"], json!([opened]));
    assert_eq!(ada.send("GET", "/bottles/created", None).data()["bottles"][0]["openers_count"], 1);
    let openers = ada.send("GET", "/bottles/1/openers", None).data();
    assert_eq!(
        (&openers["openers_count"], &openers["openers"][0]["gender"]),
        (&json!(1), &json!("unknown"))
    );

    let profile = json!({ "user_id": 2, "username": "bob", "nickname": "Bobby", "gender": "male" });
    assert_eq!(bob.send("PUT", "/users/self", Some(profile)).data()["nickname"], "Bobby");
    assert_eq!(bob.send("GET", "/users/self", None).data()["gender"], "male");
    bob.send("DELETE", "/sessions/self", None);
}

/// Without a position it has latitude and longitude the wrong way round.
#[test]
fn its_swapped_position_is_told() {
    let app = App::new();
    let ada = Phone::new(&app, "ada");
    let around =
        "/api/bottles/nearby/?latitude=113&longitude=23&latitude_span=0.05&longitude_span=0.07";
    let mut swapped = whole_bottle(&Value::Null);
    swapped["location"] = json!({ "formatted_address": "", "latitude": 113, "longitude": 23 });
    for refused in [
        ada.client.send("GET", around, &TYPE, None),
        ada.client.send("POST", "/api/bottles", &TYPE, Some(swapped.to_string().as_bytes())),
    ] {
        assert_eq!((refused.status, &refused.data()["field"]), (422, &json!("latitude")));
        assert!(refused.json()["msg"].as_str().unwrap().contains("latitude"), "{}", refused.text);
    }
}
