//! Positions nearer to 0 than a 32-bit float can tell: new ones, and those in files of older schemas.

use std::fs;
use std::path::Path;

use bottle_test_support::{App, Program, bottle, run_ok};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::upgrades;

/// The least 32-bit float that has all its digits.
const LEAST: f64 = f32::MIN_POSITIVE as f64;

/// Values that an R*-tree's box cannot hold, or nearly so.
const TINY: [f64; 8] =
    [1e-50, -1e-50, 1e-39, -1e-39, 5.9e-39, 3e-45, f64::MIN_POSITIVE, LEAST.next_down()];

/// `bottle.db` in `folder`, as the releases up to this schema made it, with an account named ada.
pub(crate) fn older_file(folder: &Path, schema: usize) -> Connection {
    let db = upgrades::create(&folder.join("bottle.db"), schema);
    db.execute_batch(
        "INSERT INTO users (username, password_hash, nickname, gender, created_at)
         VALUES ('ada', '', '', 'other', 0)",
    )
    .unwrap();
    db
}

/// A bottle of ada's in a file of schema 7 or older.
pub(crate) fn throw(db: &Connection, latitude: f64, longitude: f64) -> i64 {
    db.execute(
        "INSERT INTO bottles (owner_id, content, formatted_address, latitude, longitude, style, created_at)
         VALUES (1, 'c', '', ?1, ?2, 0, 0)",
        [latitude, longitude],
    )
    .unwrap();
    db.last_insert_rowid()
}

fn places(path: &Path) -> Vec<(f64, f64)> {
    let db = Connection::open(path).unwrap();
    let mut places = db.prepare("SELECT latitude, longitude FROM bottles ORDER BY id").unwrap();
    let places = places.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    places.map(Result::unwrap).collect()
}

#[test]
fn tiny_positions_leave_the_file_sound() {
    let app = App::new();
    let ada = app.user("ada");
    for value in TINY {
        let location = json!({ "formatted_address": "", "latitude": value, "longitude": -value });
        let thrown = ada.post("/api/bottles", &json!({ "content": "c", "location": location }));
        assert_eq!(thrown.status, 200, "{}", thrown.text);
        assert!(thrown.text.contains(r#""latitude":0.0"#), "{}", thrown.text);
        assert!(thrown.text.contains(r#""longitude":0.0"#), "{}", thrown.text);
        let around = format!("latitude={value:e}&longitude={value:e}");
        let path = format!("/api/bottles/nearby?{around}&latitude_span=0&longitude_span=0");
        assert!(ada.get(&path).data()["total"].as_u64() >= Some(1), "{value:e} is not found");
    }
    ada.throw(LEAST, -LEAST);
    let folder = app.stop();
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    run_ok(folder.path(), &["backup", "copy.db"]);
    let mut expected = vec![(0.0, 0.0); TINY.len()];
    expected.push((LEAST, -LEAST));
    assert_eq!(places(&folder.path().join("copy.db")), expected);
}

#[rstest]
fn tiny_positions_of_older_files_are_accepted_and_mended(#[values(1, 2, 3, 4, 5)] schema: usize) {
    let folder = tempfile::tempdir().unwrap();
    let db = older_file(folder.path(), schema);
    for value in TINY {
        throw(&db, value, 10.0);
        throw(&db, 10.0, value);
        throw(&db, -value, value);
    }
    throw(&db, LEAST, -LEAST);
    if schema == 5 {
        db.execute_batch("UPDATE bottles SET hidden_at = 1 WHERE id % 5 = 0").unwrap();
    }
    db.close().unwrap();
    let before = places(&folder.path().join("bottle.db"));
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    run_ok(folder.path(), &["backup", "copy.db"]);
    assert_eq!(places(&folder.path().join("copy.db")), before);

    drop(Program::start(bottle(folder.path(), &[])));
    assert_eq!(places(&folder.path().join(format!("bottle.db.schema-{schema}"))), before);
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    let mended = |value: f64| if value.abs() < LEAST { 0.0 } else { value };
    let expected: Vec<(f64, f64)> =
        before.into_iter().map(|(lat, lon)| (mended(lat), mended(lon))).collect();
    assert_eq!(places(&folder.path().join("bottle.db")), expected);
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let off: i64 = db
        .query_row(
            "SELECT count(*) FROM map_bottles JOIN bottles_rtree USING (place)
             WHERE latitude NOT BETWEEN min_latitude AND max_latitude
                OR longitude NOT BETWEEN min_longitude AND max_longitude",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(off, 0);
}

/// An export of a release that stored such values comes in once.
#[rstest]
fn tiny_positions_are_imported_once(#[values("jsonl", "geojson")] format: &str) {
    let folder = App::new().stop();
    let at = "2026-01-01T00:00:00Z";
    let rows: Vec<String> = TINY
        .iter()
        .enumerate()
        .map(|(n, value)| match format {
            "jsonl" => json!({
                "type": "bottle", "bottle_id": n, "owner": "ada", "content": format!("{n}"),
                "style": 0, "location": { "latitude": value, "longitude": -value },
                "created_at": at,
            })
            .to_string(),
            _ => json!({
                "type": "Feature",
                "geometry": { "type": "Point", "coordinates": [value, -value] },
                "properties": { "bottle_id": n, "owner": "ada", "content": format!("{n}"),
                    "style": 0, "formatted_address": "", "created_at": at },
            })
            .to_string(),
        })
        .collect();
    let file = match format {
        "jsonl" => rows.join("\n"),
        _ => format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, rows.join(",")),
    };
    fs::write(folder.path().join("in"), file).unwrap();
    let n = TINY.len();
    let imported = |file: &str| run_ok(folder.path(), &["import", file]);
    assert_eq!(imported("in"), format!("{n} rows were added, 0 were there\n"));
    assert_eq!(imported("in"), format!("0 rows were added, {n} were there\n"));
    let out = run_ok(folder.path(), &["export"]);
    fs::write(folder.path().join("out"), &out).unwrap();
    assert!(out.contains(r#""latitude":0.0"#) && !out.contains("-0.0"), "{out}");
    assert_eq!(imported("out"), format!("0 rows were added, {} were there\n", n + 1));
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
}
