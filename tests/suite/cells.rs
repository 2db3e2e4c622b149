//! The counts by cell follow the bottles, and `bottle check` compares them one by one.

use std::collections::BTreeMap;
use std::path::Path;

use bottle_test_support::{App, Program, bottle, run, run_err, run_ok};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::json;

use crate::positions::{older_file, throw};
use crate::public_counts::{self, public_middle};

/// The cells of a database, each with its count.
fn cells(db: &Connection) -> Vec<[i64; 4]> {
    let mut cells = db.prepare("SELECT level, y, x, count FROM cells ORDER BY 1, 2, 3").unwrap();
    let cells = cells
        .query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
        .unwrap();
    cells.map(Result::unwrap).collect()
}

/// The cells that the bottles on the sea make.
fn expected(db: &Connection) -> Vec<[i64; 4]> {
    let mut places =
        db.prepare("SELECT latitude, longitude FROM bottles WHERE hidden_at IS NULL").unwrap();
    let places = places.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let places: Vec<(f64, f64)> = places.map(Result::unwrap).collect();
    let mut cells = BTreeMap::new();
    for (latitude, longitude) in places {
        for level in [2, 4, 6, 8, 10, 12, 14] {
            let size = 360.0 / f64::from(1 << level);
            let row = (((latitude + 90.0) / size) as i64).min((1 << (level - 1)) - 1);
            let column = (((longitude + 180.0) / size) as i64).min((1 << level) - 1);
            *cells.entry([i64::from(level), row, column]).or_default() += 1;
        }
    }
    cells.into_iter().map(|([level, y, x], count)| [level, y, x, count]).collect()
}

/// The sums of the positions of each cell.
fn sums(db: &Connection) -> Vec<[i64; 7]> {
    let sql =
        "SELECT level, y, x, north, east, public_north, public_east FROM cells ORDER BY 1, 2, 3";
    let mut sums = db.prepare(sql).unwrap();
    let sums = sums
        .query_map([], |row| {
            let mut numbers = [0; 7];
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = row.get(at)?;
            }
            Ok(numbers)
        })
        .unwrap();
    sums.map(Result::unwrap).collect()
}

/// The sums that the bottles on the sea make.
fn expected_sums(db: &Connection) -> Vec<[i64; 7]> {
    let mut places = db.prepare("SELECT latitude, longitude FROM bottles WHERE on_sea").unwrap();
    let places = places.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let places: Vec<(f64, f64)> = places.map(Result::unwrap).collect();
    let mut sums: BTreeMap<[i64; 3], [i64; 4]> = BTreeMap::new();
    for (latitude, longitude) in places {
        let fine = |degrees: f64| (degrees * f64::from(1 << 22) / 360.0).round() as i64;
        let (north, east) = public_middle((latitude, longitude));
        let own = [fine(latitude + 90.0), fine(longitude + 180.0), north, east];
        for level in [2, 4, 6, 8, 10, 12, 14] {
            let size = 360.0 / f64::from(1 << level);
            let row = (((latitude + 90.0) / size) as i64).min((1 << (level - 1)) - 1);
            let column = (((longitude + 180.0) / size) as i64).min((1 << level) - 1);
            let sum = sums.entry([i64::from(level), row, column]).or_default();
            *sum = std::array::from_fn(|n| sum[n] + own[n]);
        }
    }
    sums.into_iter().map(|([level, y, x], [a, b, c, d])| [level, y, x, a, b, c, d]).collect()
}

#[track_caller]
fn is_sound(folder: &Path) {
    let stdout = run_ok(folder, &["check"]);
    assert_eq!(stdout, "bottle.db: nothing is wrong\n");
}

/// A database of three bottles of ada's, two of them at one place, that nobody serves.
fn sea() -> (tempfile::TempDir, Connection) {
    let app = App::new();
    let ada = app.user("ada");
    for (latitude, longitude) in [(10.0, 20.0), (10.0, 20.0), (-60.0, 170.0)] {
        ada.throw(latitude, longitude);
    }
    let folder = app.stop();
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    (folder, db)
}

#[rstest]
#[case::moved_far("UPDATE bottles SET latitude = 80, longitude = -170 WHERE id = 1", 3)]
#[case::moved_within_its_cell("UPDATE bottles SET latitude = 10.000001 WHERE id = 1", 3)]
#[case::moved_to_the_ends("UPDATE bottles SET latitude = 90, longitude = 180", 3)]
#[case::moved_by_longitude_alone("UPDATE bottles SET longitude = -longitude", 3)]
#[case::moved_while_hidden(
    "UPDATE bottles SET hidden_at = 1 WHERE id = 1; UPDATE bottles SET latitude = 1 WHERE id = 1;
     UPDATE bottles SET hidden_at = NULL WHERE id = 1",
    3
)]
#[case::hidden("UPDATE bottles SET hidden_at = 1 WHERE id = 3", 2)]
#[case::hidden_twice("UPDATE bottles SET hidden_at = 1; UPDATE bottles SET hidden_at = 2", 0)]
#[case::hidden_and_moved("UPDATE bottles SET hidden_at = 1, latitude = 1 WHERE id = 1", 2)]
#[case::shown_elsewhere(
    "UPDATE bottles SET hidden_at = 1; UPDATE bottles SET hidden_at = NULL, longitude = 1",
    3
)]
#[case::shown_twice("UPDATE bottles SET hidden_at = NULL; UPDATE bottles SET hidden_at = NULL", 3)]
#[case::deleted("DELETE FROM bottles WHERE id = 3", 2)]
#[case::deleted_while_hidden("UPDATE bottles SET hidden_at = 1; DELETE FROM bottles", 0)]
#[case::deleted_with_the_account("DELETE FROM users", 0)]
fn counts_follow_a_bottle(#[case] change: &str, #[case] on_sea: i64) {
    let (folder, db) = sea();
    db.execute_batch(change).unwrap();
    let counted = cells(&db);
    assert_eq!(counted, expected(&db));
    assert_eq!(sums(&db), expected_sums(&db));
    let at_the_coarsest = counted.iter().filter(|cell| cell[0] == 2).map(|cell| cell[3]);
    assert_eq!(at_the_coarsest.sum::<i64>(), on_sea);
    db.close().unwrap();
    is_sound(folder.path());
}

/// As an account does it.
#[test]
fn the_last_bottle_takes_its_cell_along() {
    let app = App::new();
    let ada = app.user("ada");
    let (first, second) = (ada.throw(1.0, 1.0), ada.throw(-50.0, 1.0));
    let db = Connection::open(app.database()).unwrap();
    assert_eq!(cells(&db).len(), 14);
    assert_eq!(ada.delete(&format!("/api/bottles/{first}")).status, 200);
    assert_eq!(cells(&db).len(), 7);
    assert_eq!(ada.delete(&format!("/api/bottles/{second}")).status, 200);
    assert_eq!(cells(&db), [[0; 4]; 0]);
    ada.throw(1.0, 1.0);
    let gone = ada.json("DELETE", "/api/users/self", &json!({ "password": "pass" }));
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert_eq!(cells(&db), [[0; 4]; 0]);
}

#[rstest]
fn empty_cells_of_an_older_file_are_taken_away(#[values(3, 4, 5)] schema: usize) {
    let folder = tempfile::tempdir().unwrap();
    let db = older_file(folder.path(), schema);
    throw(&db, 1.0, 1.0);
    throw(&db, -50.0, 1.0);
    db.execute_batch("DELETE FROM bottles WHERE id = 2").unwrap();
    assert_eq!(cells(&db).len(), 14);
    db.close().unwrap();
    is_sound(folder.path());
    drop(Program::start(bottle(folder.path(), &[])));
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    assert_eq!(cells(&db).len(), 7);
    db.close().unwrap();
    is_sound(folder.path());
}

/// Each leaves every level's total as it was, but for the last two.
#[rstest]
#[case::two_are_off(
    "UPDATE cells SET count = count + iif(y > 8192 / 2, 5, -5) WHERE level = 14",
    "2 cells of the map with wrong counts; the first is level 14, row"
)]
#[case::one_is_elsewhere(
    "UPDATE cells SET x = x + 1 WHERE level = 6 AND y < 16",
    "2 cells of the map with wrong counts; the first is level 6, row 5, column 62"
)]
#[case::missing(
    "DELETE FROM cells WHERE level = 10 AND y < 256",
    "1 cells of the map with wrong counts; the first is level 10, row 85, column 995"
)]
#[case::extra(
    "INSERT INTO cells (level, y, x, count) VALUES (8, 3, 3, 1)",
    "1 cells of the map with wrong counts; the first is level 8, row 3, column 3"
)]
#[case::wrong_sum(
    "UPDATE cells SET east = east + 1 WHERE level = 10 AND y < 256",
    "1 cells of the map with wrong sums of positions; the first is level 10, row 85, column 995"
)]
#[case::wrong_sum_for_visitors(
    "UPDATE cells SET public_north = public_north - 2 WHERE level = 2",
    "2 cells of the map with wrong sums of positions; the first is level 2, row 0, column 3"
)]
fn counts_are_compared_cell_by_cell(#[case] spoil: &str, #[case] found: &str) {
    let (folder, db) = sea();
    is_sound(folder.path());
    db.execute_batch(spoil).unwrap();
    db.close().unwrap();
    let output = run(folder.path(), &["check"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && stdout.contains(found), "{stdout}");
    let stdout = run_ok(folder.path(), &["check", "--rebuild-index"]);
    assert!(stdout.contains("rebuilt from 3 bottles"), "{stdout}");
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    assert_eq!(sums(&db), expected_sums(&db));
}

/// Throws, moves, hidings, endings, deletions and imports in any order leave the sums of what is on
/// the sea, and of an empty sea none.
#[test]
fn sums_follow_all_changes() {
    let (folder, db) = sea();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    let run = |changes: &[(u8, i64, f64, f64)]| {
        for (kind, id, latitude, longitude) in changes {
            let now = if *kind % 2 == 0 { "1" } else { "NULL" };
            let sql = match kind {
                0 | 1 => format!("UPDATE bottles SET hidden_at = {now} WHERE id = {id}"),
                2 | 3 => format!("UPDATE bottles SET ended_at = {now} WHERE id = {id}"),
                4 => format!("DELETE FROM bottles WHERE id = {id}"),
                5 => format!(
                    "UPDATE bottles SET latitude = {latitude}, longitude = {longitude} WHERE id = {id}"
                ),
                _ => {
                    public_counts::throw(&db, *latitude, *longitude);
                    continue;
                }
            };
            db.execute_batch(&sql).unwrap();
        }
    };
    let latitude = prop_oneof![-90.0..=90.0, 88.0..=90.0, Just(90.0), Just(-90.0), Just(0.0)];
    let longitude = prop_oneof![-180.0..=180.0, Just(180.0), Just(-180.0)];
    let change = (0..10_u8, 1..60_i64, latitude, longitude);
    let mut runner =
        TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    runner
        .run(&proptest::collection::vec(change, 1..40), |changes| {
            run(&changes);
            prop_assert_eq!(sums(&db), expected_sums(&db));
            Ok(())
        })
        .unwrap();
    db.close().unwrap();
    is_sound(folder.path());
    let to = App::new().stop();
    std::fs::write(to.path().join("in.jsonl"), run_ok(folder.path(), &["export"])).unwrap();
    run_ok(to.path(), &["import", "in.jsonl"]);
    is_sound(to.path());
    let db = Connection::open(to.path().join("bottle.db")).unwrap();
    assert_eq!(sums(&db), expected_sums(&db));
}

/// The same of files that no release has brought up to date yet.
#[rstest]
fn the_index_of_an_older_file_is_compared_and_made_anew(#[values(1, 2, 3, 4, 5)] schema: usize) {
    let folder = tempfile::tempdir().unwrap();
    let db = older_file(folder.path(), schema);
    for n in 0..5 {
        throw(&db, f64::from(n) * 10.0, 170.0);
    }
    if schema >= 5 {
        db.execute_batch("UPDATE bottles SET hidden_at = 1 WHERE id = 2").unwrap();
    }
    let (spoil, found) = if schema < 3 {
        ("DELETE FROM bottles_rtree WHERE id = 3", "1 bottles without their row in the R*-tree")
    } else {
        (
            "UPDATE cells SET count = count + iif(y = 0, 0, iif(y % 2, 1, -1)) WHERE level = 12",
            "cells of the map with wrong counts",
        )
    };
    db.execute_batch(spoil).unwrap();
    db.close().unwrap();
    let output = run(folder.path(), &["check"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && stdout.contains(found), "{stdout}");
    run_err(folder.path(), &["serve"], "`bottle check` on the file");
    let stdout = run_ok(folder.path(), &["check", "--rebuild-index"]);
    assert!(stdout.contains("rebuilt from 5 bottles"), "{stdout}");
    drop(Program::start(bottle(folder.path(), &[])));
    is_sound(folder.path());
}
