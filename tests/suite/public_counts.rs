//! Visitors learn nothing finer than about 10 km from counts, whatever rectangles and zooms they request.

use std::collections::BTreeSet;

use bottle_test_support::{App, Client};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::Value;

use crate::geometry::{KM_PER_DEGREE, NARROWEST_KM, oracle, visitors_cell};

/// A bottle of ada's, straight into the file.
fn throw(db: &Connection, latitude: f64, longitude: f64) {
    db.execute(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         VALUES (1, '', ?1, ?2, 0, 0)",
        [latitude, longitude],
    )
    .unwrap();
    db.execute("INSERT INTO messages VALUES (last_insert_rowid(), 'c')", []).unwrap();
}

fn counts(client: &Client, [lat, lon, lat_span, lon_span]: [f64; 4], zoom: u8) -> Value {
    let answer = client.get(&format!(
        "/api/bottles/counts?latitude={lat:?}&longitude={lon:?}&latitude_span={lat_span:?}\
         &longitude_span={lon_span:?}&zoom={zoom}"
    ));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

/// A cell's place, and its count.
fn cells(counts: &Value) -> Vec<((f64, f64), i64)> {
    let number = |value: &Value| value.as_f64().unwrap();
    let cells = counts["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            let place = (number(&cell["latitude"]), number(&cell["longitude"]));
            (place, cell["count"].as_i64().unwrap())
        })
        .collect()
}

/// 200 bottles in a row from west to east, 250 m apart.
#[rstest]
fn no_cell_is_narrower_than_about_ten_kilometres(
    #[values(0.05, 13.0, 40.0, -59.9, 70.0, 78.0, -84.5, 89.0, 89.85, -89.95, 89.999)]
    latitude: f64,
    #[values(9, 10, 22)] zoom: u8,
) {
    let app = App::new();
    let ada = app.user("ada");
    let db = Connection::open(app.database()).unwrap();
    let km_per_degree = KM_PER_DEGREE * latitude.to_radians().cos();
    for n in 0..200 {
        let longitude = 13.0 + f64::from(n) * 0.25 / km_per_degree;
        throw(&db, latitude, (longitude + 180.0).rem_euclid(360.0) - 180.0);
    }
    let around = [latitude, 0.0, 0.01, 180.0];
    let around = if latitude.abs() < 88.0 { [latitude, 13.0, 0.0, 1000.0] } else { around };
    let around = if latitude.abs() < 60.0 { [latitude, 13.0, 0.0, 1.0] } else { around };
    let seen = counts(&app.anon(), around, zoom);
    assert_eq!(seen["total"], 200);
    let most = (50.0 / NARROWEST_KM) as usize + 2;
    assert!(cells(&seen).len() <= most, "{} cells in 50 km: {seen}", cells(&seen).len());
    assert!(cells(&counts(&ada, around, zoom)).len() >= cells(&seen).len());
}

/// Its middle is the middle of all that it counts, and its size is the level's.
#[rstest]
fn a_joined_cell_is_named_by_its_middle() {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(78.0, 13.4);
    let (visitor, size) = (app.anon(), 360.0_f64 / 4096.0);
    let seen = counts(&visitor, [78.0, 13.4, 0.0, 0.0], 12);
    assert_eq!(seen["cell"], serde_json::json!({ "latitude": size, "longitude": size }));
    // At 78° eight columns are one cell.
    let first = ((13.4 + 180.0) / size / 8.0).floor() * 8.0;
    let longitude = (first + 4.0) * size - 180.0;
    assert_eq!(seen["cells"][0]["longitude"], longitude);
    let finer = counts(&ada, [78.0, 13.4, 0.0, 0.0], 12);
    assert!((finer["cells"][0]["longitude"].as_f64().unwrap() - 13.4).abs() <= 0.011, "{finer}");
}

/// Bottles everywhere, but most of them near the poles and the antimeridian, and many at corners of
/// cells.
fn sea(app: &App) -> Vec<(f64, f64)> {
    app.user("ada");
    let mut seed = 11_u64;
    let mut random = |limit: f64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0) * limit
    };
    let mut places = vec![(90.0, 0.0), (90.0, 180.0), (-90.0, -180.0), (0.0, 0.0)];
    for n in 0..300 {
        places.push(match n % 5 {
            0 => (random(90.0), random(180.0)),
            1 => (89.9 + random(0.1), random(180.0)),
            2 => (-85.0 + random(0.2), random(180.0)),
            3 => (70.0 + random(0.2), if n % 2 == 0 { 179.8 } else { -179.8 } + random(0.2)),
            _ => {
                let size = 360.0 / 4096.0;
                let corner = |value: f64| (value / size).floor() * size;
                (corner(80.0 + random(9.0)), corner(random(180.0)))
            }
        });
    }
    let mut db = Connection::open(app.database()).unwrap();
    let write = db.transaction().unwrap();
    for (latitude, longitude) in &places {
        throw(&write, *latitude, *longitude);
    }
    write.commit().unwrap();
    places
}

/// A rectangle of any size, often with its middle or an edge exactly at a bottle.
fn rectangle(places: Vec<(f64, f64)>) -> impl Strategy<Value = [f64; 4]> {
    let span = prop_oneof![
        Just(0.0),
        Just(1e-9),
        0.0..0.2,
        0.0..3.0,
        0.0..200.0,
        Just(180.0),
        Just(f64::MAX)
    ];
    let middle = prop_oneof![
        (-90.0..=90.0, -180.0..=180.0),
        (89.5..=90.0, -180.0..=180.0),
        proptest::sample::select(places.clone())
    ];
    (middle, span.clone(), span, proptest::option::of(proptest::sample::select(places))).prop_map(
        |((lat, lon), high, wide, edge)| match edge {
            Some((latitude, longitude)) => {
                [lat, lon, (lat - latitude).abs(), (lon - longitude).abs()]
            }
            None => [lat, lon, high, wide],
        },
    )
}

/// For any rectangle and zoom, each cell is one of the grid's, and is counted whole. So
/// no answers can be subtracted from each other to learn of a part of a cell.
#[rstest]
fn every_answer_is_of_one_grid() {
    let app = App::new();
    let (places, visitor) = (sea(&app), app.anon());
    let questions = (rectangle(places.clone()), 0..=22_u8);
    let mut runner =
        TestRunner::new(Config { cases: 1500, failure_persistence: None, ..Config::default() });
    runner
        .run(&questions, |(rectangle, zoom)| {
            let seen = counts(&visitor, rectangle, zoom);
            let size = seen["cell"]["latitude"].as_f64().unwrap();
            prop_assert!(size >= 360.0 / 4096.0);
            let mut named = BTreeSet::new();
            for (middle, count) in cells(&seen) {
                let cell = visitors_cell(size, middle);
                let whole = places.iter().filter(|place| visitors_cell(size, **place) == cell);
                prop_assert_eq!(whole.count() as i64, count, "in {:?} of {}", cell, &seen);
                prop_assert!(named.insert(cell), "{:?} comes twice in {}", cell, &seen);
            }
            for place in places.iter().filter(|place| oracle(rectangle, **place)) {
                prop_assert!(named.contains(&visitors_cell(size, *place)), "{:?}", place);
            }
            let total: i64 = cells(&seen).iter().map(|(_, count)| count).sum();
            prop_assert_eq!(&seen["total"], total);
            Ok(())
        })
        .unwrap();
}
