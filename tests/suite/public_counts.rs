//! Visitors learn nothing finer than about 10 km from counts, whatever rectangles and zooms they request.

use std::collections::BTreeSet;

use bottle_test_support::{App, Client, Random};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::geometry::{KM_PER_DEGREE, NARROWEST_KM, joined_cell, oracle, visitors_cell};

/// The size of the smallest cells that visitors see.
const SMALLEST: f64 = 360.0 / 4096.0;

/// A bottle of ada's, straight into the file.
pub(crate) fn throw(db: &Connection, latitude: f64, longitude: f64) {
    db.execute(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         VALUES (1, '', ?1, ?2, 0, 0)",
        [latitude, longitude],
    )
    .unwrap();
    db.execute("INSERT INTO messages VALUES (last_insert_rowid(), 'c')", []).unwrap();
}

/// The middle of the smallest visitor's cell that a place lies in, in halves of a cell's size from the
/// south pole and from the antimeridian.
pub(crate) fn public_middle(place: (f64, f64)) -> (i64, i64) {
    let (row, column, joined) = joined_cell(SMALLEST, place);
    (2 * row + 1, 2 * column + joined)
}

fn counts(client: &Client, [lat, lon, lat_span, lon_span]: [f64; 4], zoom: u8) -> Value {
    let answer = client.get(&format!(
        "/api/bottles/counts?latitude={lat:?}&longitude={lon:?}&latitude_span={lat_span:?}\
         &longitude_span={lon_span:?}&zoom={zoom}"
    ));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

/// A latitude and a longitude.
type Place = (f64, f64);

/// A cell's middle, its count, and the mean position of its bottles.
fn cells(counts: &Value) -> Vec<(Place, i64, Place)> {
    let place =
        |value: &Value| (value["latitude"].as_f64().unwrap(), value["longitude"].as_f64().unwrap());
    let cells = counts["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| (place(cell), cell["count"].as_i64().unwrap(), place(&cell["centroid"])))
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
    assert_eq!(seen["cell"], json!({ "latitude": size, "longitude": size }));
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
            prop_assert!(size >= SMALLEST);
            let mut named = BTreeSet::new();
            for (middle, count, centroid) in cells(&seen) {
                let cell = visitors_cell(size, middle);
                let whole = places.iter().filter(|place| visitors_cell(size, **place) == cell);
                let middles: Vec<_> = whole.map(|place| public_middle(*place)).collect();
                prop_assert_eq!(middles.len() as i64, count, "in {:?} of {}", cell, &seen);
                let mean = |sum: i64| sum as f64 / count as f64 * SMALLEST / 2.0;
                let north = mean(middles.iter().map(|(north, _)| north).sum()) - 90.0;
                let east = mean(middles.iter().map(|(_, east)| east).sum()) - 180.0;
                let off = (centroid.0 - north).abs().max((centroid.1 - east).abs());
                prop_assert!(off < 1e-5, "{:?} of {}, not {} {}", cell, &seen, north, east);
                prop_assert!(named.insert(cell), "{:?} comes twice in {}", cell, &seen);
            }
            for place in places.iter().filter(|place| oracle(rectangle, **place)) {
                prop_assert!(named.contains(&visitors_cell(size, *place)), "{:?}", place);
            }
            let total: i64 = cells(&seen).iter().map(|(_, count, _)| count).sum();
            prop_assert_eq!(&seen["total"], total);
            Ok(())
        })
        .unwrap();
}

/// An account sees where the bottles of a cell are; a visitor, the middle of the smallest cell.
#[test]
fn a_cell_names_the_mean_position_of_its_bottles() {
    let app = App::new();
    let ada = app.user("ada");
    for (latitude, longitude) in [(39.9, 116.4), (37.57, 126.98), (23.13, 113.26)] {
        ada.throw(latitude, longitude);
    }
    let around = [30.0, 120.0, 5.0, 5.0];
    let [seen, seen_by_ada] = [&app.anon(), &ada].map(|client| cells(&counts(client, around, 0)));
    let mean = (33.53333, 118.88);
    for (found, tolerance) in [(&seen, SMALLEST / 2.0), (&seen_by_ada, 1e-4)] {
        let [(_, 3, centroid)] = found[..] else { panic!("{found:?}") };
        let off = (centroid.0 - mean.0).abs().max((centroid.1 - mean.1).abs());
        assert!(off < tolerance, "{centroid:?}");
    }
    let guangzhou = cells(&counts(&app.anon(), [23.13, 113.26, 0.0, 0.0], 22));
    let [(middle, 1, centroid)] = guangzhou[..] else { panic!("{guangzhou:?}") };
    assert!((middle.0 - centroid.0).abs().max((middle.1 - centroid.1).abs()) < 1e-5);
}

/// Each row of the public grid, at which the width of its cells changes, is the same in the sums.
#[test]
fn the_sums_of_visitors_are_of_one_middle_per_cell() {
    let app = App::new();
    app.user("ada");
    let mut db = Connection::open(app.database()).unwrap();
    let write = db.transaction().unwrap();
    for row in 0..2048 {
        let longitude = f64::from(row * 7919 % 3600) / 10.0 - 180.0;
        throw(&write, (f64::from(row) + 0.3) * SMALLEST - 90.0, longitude);
    }
    write.commit().unwrap();
    let mut middles = db
        .prepare(
            "SELECT latitude, longitude, public_north, public_east
             FROM bottle_cells JOIN bottles ON id = bottle_id WHERE level = 12",
        )
        .unwrap();
    let mut rows = middles.query([]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let place = (row.get(0).unwrap(), row.get(1).unwrap());
        assert_eq!(public_middle(place), (row.get(2).unwrap(), row.get(3).unwrap()), "{place:?}");
        count += 1;
    }
    assert_eq!(count, 2048);
}

/// The other end of the smallest visitor's cell that a place lies in.
fn elsewhere_in_its_cell(place: (f64, f64)) -> (f64, f64) {
    let (row, column, joined) = joined_cell(SMALLEST, place);
    let across = |start: f64, width: f64, at: f64| {
        start + width * if at - start < width / 2.0 { 0.999 } else { 0.001 }
    };
    let latitude = across(row as f64 * SMALLEST - 90.0, SMALLEST, place.0);
    let width = joined as f64 * SMALLEST;
    (latitude, across(column as f64 * SMALLEST - 180.0, width, place.1))
}

/// Visitors do not learn where in their smallest cells the bottles are: two seas whose bottles differ
/// in that alone give the same answers to all questions, also after each throw,
/// deletion and hiding. So no difference of answers tells a place.
#[test]
fn no_visitor_finds_an_exact_place() {
    let seas = [App::new(), App::new()];
    let mut rng = Random::new(5);
    let mut places: Vec<(f64, f64)> = Vec::new();
    let accounts = seas.each_ref().map(|app| app.user("ada"));
    let teachers = seas.each_ref().map(|app| app.teacher("grace"));
    for step in 0..24_i64 {
        // Many near each other and near a pole.
        let place = match step % 3 {
            0 => (rng.between(-90.0, 90.0), rng.between(-180.0, 180.0)),
            1 => (48.0 + rng.between(0.0, 0.3), 2.0 + rng.between(0.0, 0.3)),
            _ => (89.0 + rng.between(0.0, 1.0), rng.between(-180.0, 180.0)),
        };
        accounts[0].throw(place.0, place.1);
        let other = elsewhere_in_its_cell(place);
        assert_eq!(public_middle(place), public_middle(other));
        accounts[1].throw(other.0, other.1);
        places.extend([place, other]);
        let id = step / 2 + 1;
        for (account, teacher) in accounts.iter().zip(&teachers) {
            let hidden = json!({ "hidden": step % 4 == 1 });
            match step % 4 {
                0 => _ = account.delete(&format!("/api/bottles/{id}")),
                _ => _ = teacher.put(&format!("/api/teacher/bottles/{id}"), &hidden),
            }
        }
        for _ in 0..12 {
            let (latitude, longitude) = places[rng.between(0.0, places.len() as f64) as usize];
            let span = 10_f64.powf(rng.between(-6.0, 2.2));
            let around = [latitude, longitude, rng.between(0.0, span), rng.between(0.0, span)];
            let zoom = rng.between(0.0, 23.0) as u8;
            let [one, other] = seas.each_ref().map(|app| counts(&app.anon(), around, zoom));
            assert_eq!(one, other, "{around:?} at zoom {zoom}");
        }
    }
    for app in &seas {
        for route in ["nearby", "live"] {
            let around = "latitude=48&longitude=2&latitude_span=1&longitude_span=1";
            assert_eq!(app.anon().get(&format!("/api/bottles/{route}?{around}")).status, 401);
        }
    }
}
