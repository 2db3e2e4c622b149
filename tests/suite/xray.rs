//! The R*-tree from inside: what `/xray` shows is what SQLite has.

use std::collections::HashMap;

use bottle_test_support::{App, Client, Program, Random, bottle};
use rusqlite::{Connection, params};
use serde_json::Value;

/// South, north, west, east.
type Bounds = [f64; 4];

/// A sea with many bottles, so that its tree has levels.
fn sea() -> App {
    let app = App::new();
    app.user("ada");
    let folder = app.stop();
    let mut db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let mut random = Random::new(1);
    let change = db.transaction().unwrap();
    for _ in 0..5000 {
        let place = params![random.within(90.0), random.within(180.0)];
        let sql = "INSERT INTO bottles
                (owner_id, formatted_address, latitude, longitude, style, created_at)
            VALUES (1, '', ?1, ?2, 0, 0)";
        change.execute(sql, place).unwrap();
    }
    change.commit().unwrap();
    App::over(folder, |_| {})
}

/// Every node of the tree with its box, by SQLite's own word on rows and parents alone.
fn nodes(db: &Connection) -> HashMap<i64, Bounds> {
    let mut found: HashMap<i64, Bounds> = HashMap::new();
    let mut widen = |node: i64, by: Bounds| {
        let all = found.entry(node).or_insert(by);
        *all = [all[0].min(by[0]), all[1].max(by[1]), all[2].min(by[2]), all[3].max(by[3])];
    };
    let mut rows = db
        .prepare(
            "WITH RECURSIVE up (row, node) AS (
                 SELECT rowid, nodeno FROM bottles_rtree_rowid
                 UNION ALL
                 SELECT row, parentnode FROM up JOIN bottles_rtree_parent ON nodeno = node)
             SELECT node, min_latitude, max_latitude, min_longitude, max_longitude
             FROM up JOIN bottles_rtree ON place = row",
        )
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let bounds = [1, 2, 3, 4].map(|column| row.get(column).unwrap());
        widen(row.get(0).unwrap(), bounds);
    }
    found
}

fn search(client: &Client, [south, north, west, east]: Bounds) -> Value {
    let (latitude, longitude) = ((south + north) / 2.0, (west + east) / 2.0);
    let spans =
        format!("latitude_span={}&longitude_span={}", (north - south) / 2.0, (east - west) / 2.0);
    let path = format!("/api/xray/search?latitude={latitude}&longitude={longitude}&{spans}");
    let response = client.get(&path);
    assert_eq!(response.status, 200, "{}", response.text);
    response.data()
}

#[test]
fn a_search_visits_the_nodes_that_a_count_of_all_finds() {
    let app = sea();
    let grace = app.teacher("grace");
    let db = Connection::open(app.database()).unwrap();
    let all = nodes(&db);
    assert!(all.len() > 100, "{}", all.len());
    let world = "latitude=0&longitude=0&latitude_span=90&longitude_span=180";
    let tree = grace.get(&format!("/api/xray/tree?{world}")).data();
    assert_eq!(tree["nodes"].as_array().unwrap().len(), all.len());
    assert_eq!(tree["complete"], true);

    let mut random = Random::new(2);
    for _ in 0..200 {
        let (latitude, longitude) = (random.within(80.0), random.within(170.0));
        let size = random.between(0.0, 10.0);
        let bounds = [latitude - size, latitude + size, longitude - size, longitude + size];
        let seen = search(&grace, bounds);
        let mut visited: Vec<i64> = seen["visited"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["node"].as_i64().unwrap())
            .collect();
        visited.sort_unstable();
        let touches = |[south, north, west, east]: &Bounds| {
            *north >= bounds[0] && *south <= bounds[1] && *east >= bounds[2] && *west <= bounds[3]
        };
        let mut expected: Vec<i64> = all
            .iter()
            .filter(|(node, bounds)| **node == 1 || touches(bounds))
            .map(|(node, _)| *node)
            .collect();
        expected.sort_unstable();
        assert_eq!(visited, expected, "{bounds:?}");
        let number = |name: &str| seen[name].as_i64().unwrap();
        assert_eq!(number("proposed"), number("found") + number("refused_count"), "{bounds:?}");
    }
}

/// 16777217 and 16777216 are one 32-bit float; so are these longitudes.
#[test]
fn a_match_that_only_exact_coordinates_reject_is_named() {
    let app = App::new();
    let (ada, grace) = (app.user("ada"), app.teacher("grace"));
    let bottle = ada.throw(10.0, 100.000_000_1);
    let seen = search(&grace, [9.0, 11.0, 98.0, 100.0]);
    assert_eq!((&seen["proposed"], &seen["found"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(seen["refused"][0]["bottle_id"], bottle);
    assert!(seen["sql"].as_str().unwrap().contains("SELECT place FROM bottles_rtree"));
}

#[test]
fn only_a_teacher_looks_inside_but_anyone_in_the_demo() {
    let path = "/api/xray/tree?latitude=0&longitude=0&latitude_span=90&longitude_span=180";
    let app = App::new();
    assert_eq!(app.anon().get(path).status, 401);
    assert_eq!(app.user("ada").get(path).status, 403);
    let folder = tempfile::tempdir().unwrap();
    let mut demo = bottle(folder.path(), &["demo"]);
    demo.env("TMPDIR", folder.path());
    assert_eq!(Program::start(demo).client().get(path).status, 200);
}
