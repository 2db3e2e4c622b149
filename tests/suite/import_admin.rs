//! The import of another program's points by an operator, over HTTP.

use bottle_test_support::{App, Client, Response, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

fn feature(longitude: f64, properties: &Value) -> Value {
    let geometry = json!({ "type": "Point", "coordinates": [longitude, 2.0] });
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

/// Points with each property that may be the text, and features that are no bottles.
fn wells() -> Value {
    let long = "x".repeat(4001);
    json!({ "type": "FeatureCollection", "name": "wells", "features": [
        feature(1.0, &json!({ "content": "a", "name": "not this" })),
        feature(2.0, &json!({ "name": "b", "owner": "eve", "bottle_id": 1 })),
        feature(3.0, &json!({ "title": "c" })),
        feature(4.0, &json!({ "description": "d" })),
        feature(5.0, &json!({ "height": 3 })),
        feature(200.0, &json!({ "name": "e" })),
        feature(6.0, &json!({ "name": long })),
        feature(7.0, &json!({})),
        { "type": "Feature", "geometry": { "type": "LineString", "coordinates": [] }, "properties": {} },
        7,
    ] })
}

fn import(client: &Client, query: &str, body: &Value) -> Response {
    client.post(&format!("/api/admin/import{query}"), body)
}

fn bottles(app: &App) -> Vec<String> {
    let db = Connection::open(app.database()).unwrap();
    let sql = "SELECT username || ' ' || content || ' ' || longitude
               FROM bottles JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id
               ORDER BY bottles.id";
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn points_become_bottles_after_a_trial() {
    let app = App::new();
    let (root, ada) = (app.operator("root"), app.user("ada"));
    let trial = import(&root, "?dry_run=true&owner=ADA", &wells());
    assert_eq!(trial.status, 200, "{}", trial.text);
    let trial = trial.data();
    let counts = |data: &Value| {
        ["added", "existing", "rejected_count"].map(|name| data[name].as_u64().unwrap())
    };
    assert_eq!(counts(&trial), [4, 0, 6]);
    let rejected = trial["rejected"].as_array().unwrap();
    assert_eq!((&rejected[0]["first"], &rejected[0]["count"]), (&json!(5), &json!(2)));
    let reason = rejected[0]["reason"].as_str().unwrap();
    assert!(reason.contains("content, name, title or description"), "{reason}");
    assert_eq!(rejected.len(), 5);
    assert!(bottles(&app).is_empty());

    let imported = import(&root, "?owner=ada&dry_run=false", &wells()).data();
    assert_eq!(imported, trial);
    assert_eq!(bottles(&app), ["ada a 1.0", "ada b 2.0", "ada c 3.0", "ada d 4.0"]);
    let nearby = "/api/bottles/nearby?latitude=2&longitude=2&latitude_span=9&longitude_span=9";
    assert_eq!(ada.get(nearby).data()["bottles"].as_array().unwrap().len(), 4);
    // Once more changes nothing; by default they are the operator's own.
    assert_eq!(counts(&import(&root, "?owner=ada", &wells()).data()), [0, 4, 6]);
    assert_eq!(counts(&import(&root, "", &wells()).data()), [4, 0, 6]);
    assert_eq!(bottles(&app).len(), 8);
    assert!(!run_ok(app.folder(), &["user", "list"]).contains("eve"));
    run_ok(app.folder(), &["check"]);

    let db = Connection::open(app.database()).unwrap();
    let sql = "SELECT group_concat(actor || ' ' || action || ' ' || detail, ', ') FROM audit_log";
    let log: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
    let expected =
        "root import_bottles 4 → ada, root import_bottles 0 → ada, root import_bottles 4 → root";
    assert_eq!(log, expected);
}

#[rstest]
#[case::nobody("?owner=nobody", json!({ "type": "FeatureCollection", "features": [] }), 404)]
#[case::dry_run("?dry_run=yes", json!({ "type": "FeatureCollection", "features": [] }), 422)]
#[case::a_feature("", json!({ "type": "Feature", "features": [] }), 422)]
#[case::no_features("", json!({ "type": "FeatureCollection" }), 422)]
#[case::no_list("", json!({ "type": "FeatureCollection", "features": {} }), 422)]
#[case::too_large("", json!({ "type": "FeatureCollection", "features": ["x".repeat(1 << 20)] }), 413)]
fn other_files_are_refused(#[case] query: &str, #[case] body: Value, #[case] status: u16) {
    let app = App::new();
    let response = import(&app.operator("root"), query, &body);
    assert_eq!(response.status, status, "{}", response.text);
}

#[test]
fn only_an_operator_imports() {
    let app = App::new();
    let clients = [app.anon(), app.user("ada"), app.teacher("grace"), app.operator("root")];
    for (client, expected) in clients.iter().zip([401, 403, 403, 200]) {
        assert_eq!(import(client, "", &wells()).status, expected);
    }
    assert_eq!(bottles(&app).len(), 4);
}
