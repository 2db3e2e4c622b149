//! `bottle export`, `bottle import`, and one's own data by HTTP.

use std::fs;
use std::path::Path;

use bottle_test_support::{App, Program, bottle, run, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

/// Two accounts, three bottles, two openings.
fn sea() -> tempfile::TempDir {
    let app = App::new();
    let (mut ada, bob) = (app.user("ada"), app.user("bob"));
    ada.json(
        "PUT",
        "/api/users/self",
        &json!({ "nickname": "Ada, \"Countess\"", "gender": "female" }),
    );
    let first = ada.throw(1.5, -2.25);
    let message = json!({
        "content": "two\nlines — 两行", "style": 2,
        "location": { "latitude": -33.1, "longitude": 151.2, "formatted_address": "Sydney" }
    });
    let second = ada.post("/api/bottles", &message).data()["bottle_id"].as_i64().unwrap();
    bob.throw(0.0, 180.0);
    for id in [first, second] {
        bob.post(&format!("/api/bottles/{id}/open"), &json!({}));
    }
    ada.headers.clear();
    app.stop()
}

/// An empty database beside no server.
fn empty() -> tempfile::TempDir {
    App::new().stop()
}

fn rows(folder: &Path, sql: &str) -> Vec<String> {
    let db = Connection::open(folder.join("bottle.db")).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

const PEOPLE: &str =
    "SELECT concat_ws('|', username, nickname, gender, created_at) FROM users ORDER BY 1";
const BOTTLES: &str =
    "SELECT concat_ws('|', username, content, style, formatted_address, latitude, longitude,
        bottles.created_at, openers_count)
    FROM bottles JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id ORDER BY 1";

#[test]
fn an_export_is_imported_once() {
    let (from, to) = (sea(), empty());
    let file = from.path().join("sea.jsonl");
    run_ok(from.path(), &["export", "sea.jsonl"]);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 7);
    let file = file.to_str().unwrap();
    assert_eq!(run_ok(to.path(), &["import", file]), "7 rows were added, 0 were there\n");
    for sql in [PEOPLE, BOTTLES] {
        assert_eq!(rows(to.path(), sql), rows(from.path(), sql));
    }
    assert_eq!(run_ok(to.path(), &["import", file]), "0 rows were added, 7 were there\n");
    run_ok(to.path(), &["check"]);
    // The passwords stayed where they were.
    let program = Program::start(bottle(to.path(), &[]));
    let login = json!({ "username": "ada", "password": "pass" });
    assert_eq!(program.client().post("/api/sessions", &login).status, 403);
}

#[rstest]
#[case::as_written(|written: &str| written.to_owned())]
#[case::in_one_line(|written: &str| json(written).to_string())]
#[case::laid_out(|written: &str| serde_json::to_string_pretty(&json(written)).unwrap())]
#[case::as_a_map_program_writes_it(|written: &str| {
    let mut map = json(written);
    map["name"] = "sea".into();
    map["crs"] = json!({ "type": "name", "properties": { "name": "urn:ogc:def:crs:OGC:1.3:CRS84" } });
    for feature in map["features"].as_array_mut().unwrap() {
        feature["properties"]["colour"] = "blue".into();
    }
    format!("{map}\n")
})]
fn bottles_go_to_maps_and_back(#[case] rewritten: fn(&str) -> String) {
    let (from, to) = (sea(), empty());
    let written = run_ok(from.path(), &["export", "--geojson"]);
    let map = json(&written);
    assert_eq!(map["type"], "FeatureCollection");
    let sydney = &map["features"][1];
    assert_eq!(sydney["geometry"], json!({ "type": "Point", "coordinates": [151.2, -33.1] }));
    assert_eq!(sydney["properties"]["formatted_address"], "Sydney");
    fs::write(to.path().join("sea.geojson"), rewritten(&written)).unwrap();
    assert_eq!(run_ok(to.path(), &["import", "sea.geojson"]), "3 rows were added, 0 were there\n");
    let but_openers = BOTTLES.replace(", openers_count", "");
    assert_eq!(rows(to.path(), &but_openers), rows(from.path(), &but_openers));
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Features that are no bottles are reported with their number; a collection that is cut off gives what it has.
#[rstest]
#[case::not_a_bottle(|map: String| map.replacen("\"owner\"", "\"finder\"", 1), 2, "feature 1: no owner is named")]
#[case::cut_off(|map: String| map[..map.len() - 60].to_owned(), 2, "EOF while parsing")]
fn bad_features_are_told_and_left_out(
    #[case] spoiled: fn(String) -> String,
    #[case] added: usize,
    #[case] because: &str,
) {
    let (from, to) = (sea(), empty());
    let map = json(&run_ok(from.path(), &["export", "--geojson"])).to_string();
    fs::write(to.path().join("in.geojson"), spoiled(map)).unwrap();
    let output = run(to.path(), &["import", "in.geojson"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("in.geojson") && stderr.contains(because), "{stderr}");
    let expected = format!("{added} rows were added, 0 were there\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn one_accounts_data_are_its_own() {
    let from = sea();
    let bobs = run_ok(from.path(), &["export", "--user", "bob"]);
    let types: Vec<Value> = bobs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].take())
        .collect();
    assert_eq!(types, ["user", "bottle"]);
    assert!(!bobs.contains("ada") && !bobs.contains("argon2"), "{bobs}");
    let output = run(from.path(), &["export", "--user", "nobody"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no such account"));

    let program = Program::start(bottle(from.path(), &[]));
    let mut bob = program.client();
    assert_eq!(bob.get("/api/users/self/export").status, 401);
    bob.log_in("bob", "pass");
    let own = bob.get("/api/users/self/export").data();
    let types: Vec<&Value> =
        own["records"].as_array().unwrap().iter().map(|r| &r["type"]).collect();
    assert_eq!(types, ["user", "bottle", "opening", "opening"]);
}

#[test]
fn bad_lines_are_told_and_left_out() {
    let to = empty();
    let lines = [
        r#"{"type":"user","username":"ada","nickname":"Ada","gender":"female","created_at":"2026-01-01T00:00:00Z"}"#,
        "not JSON",
        "",
        r#"{"type":"user","username":"","nickname":"","gender":"other","created_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"bottle","bottle_id":1,"owner":"ada","content":"x","style":0,"location":{"latitude":91,"longitude":0},"created_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"bottle","bottle_id":2,"owner":"eve","content":"x","style":0,"location":{"latitude":1,"longitude":0},"created_at":"2026-01-01T00:00:00.5+08:00"}"#,
        r#"{"type":"opening","bottle_id":1,"opener":"ada","open_at":"2026-01-02T00:00:00Z"}"#,
        r#"{"type":"whale"}"#,
    ];
    fs::write(to.path().join("in.jsonl"), lines.join("\n")).unwrap();
    let output = run(to.path(), &["import", "in.jsonl"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2 rows were added, 0 were there\n");
    for line in [
        "line 2: not JSON",
        "line 4: username",
        "line 5: latitude",
        "line 7: bottle 1 does not exist",
        "line 8: ",
    ] {
        assert!(stderr.contains(line), "no {line} in {stderr}");
    }
    assert!(stderr.contains("5 lines were left out"), "{stderr}");
    assert_eq!(rows(to.path(), "SELECT username FROM users ORDER BY id"), ["ada", "eve"]);
}

#[test]
fn many_rows_go_in_by_parts_while_others_write() {
    let to = empty();
    let lines: Vec<String> = (0..5000)
        .map(|n| {
            format!(
                r#"{{"type":"bottle","bottle_id":{n},"owner":"user{}","content":"c","style":1,"location":{{"latitude":{},"longitude":1}},"created_at":"2026-01-01T00:00:00Z"}}"#,
                n % 7,
                f64::from(n) / 100.0
            )
        })
        .collect();
    fs::write(to.path().join("in.jsonl"), lines.join("\n")).unwrap();
    let program = Program::start(bottle(to.path(), &[]));
    let mut ada = program.client();
    ada.post("/api/users", &json!({ "username": "ada", "password": "pass" }));
    ada.log_in("ada", "pass");
    let mut import = bottle(to.path(), &["import", "in.jsonl"]).spawn().unwrap();
    let mut thrown = 0;
    while import.try_wait().unwrap().is_none() {
        ada.throw(80.0, 1.0);
        thrown += 1;
    }
    assert!(import.wait().unwrap().success());
    assert_eq!(
        rows(to.path(), "SELECT CAST(count(*) AS TEXT) FROM bottles"),
        [(5000 + thrown).to_string()]
    );
    assert_eq!(run_ok(to.path(), &["import", "in.jsonl"]), "0 rows were added, 5000 were there\n");
}

#[test]
fn no_file_is_written_over() {
    let from = sea();
    fs::write(from.path().join("sea.jsonl"), "Dear diary").unwrap();
    let output = run(from.path(), &["export", "sea.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sea.jsonl: File exists"));
    assert_eq!(fs::read_to_string(from.path().join("sea.jsonl")).unwrap(), "Dear diary");
}
