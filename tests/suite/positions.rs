//! Positions that the R*-tree's 32-bit boxes cannot hold.

use bottle_test_support::{App, Client, Program, bottle, run_ok};
use rstest::rstest;
use rusqlite::Connection;

use crate::upgrades::copy_of_fixture;

const AROUND_ZERO: &str =
    "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=1&longitude_span=1";

/// The positions of the bottles around (0, 0).
#[track_caller]
fn positions(client: &Client) -> Vec<(f64, f64)> {
    let bottles = client.get(AROUND_ZERO).data()["bottles"].clone();
    let place = |bottle: &serde_json::Value, name: &str| bottle["location"][name].as_f64().unwrap();
    let bottles = bottles.as_array().unwrap().iter();
    bottles.map(|bottle| (place(bottle, "latitude"), place(bottle, "longitude"))).collect()
}

#[rstest]
#[case(1e-50, -1e-50)]
#[case(5e-324, 1e-45)]
#[case(-1.17e-38, 0.0)]
fn a_position_next_to_zero_is_stored_as_zero(#[case] latitude: f64, #[case] longitude: f64) {
    let app = App::new();
    let ada = app.user("ada");
    ada.throw(latitude, longitude);
    assert_eq!(positions(&ada), [(0.0, 0.0)]);
    let folder = app.stop();
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    run_ok(folder.path(), &["backup", "copy.db"]);
    run_ok(folder.path(), &["export", "sea.jsonl"]);
    for _ in 0..2 {
        let imported = run_ok(folder.path(), &["import", "sea.jsonl"]);
        assert_eq!(imported, "0 rows were added, 2 were there\n");
    }
}

/// Files that were written before have such rows: they are read, copied and mended.
#[test]
fn an_older_file_with_such_a_position_is_brought_up() {
    let folder = copy_of_fixture(5);
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    run_ok(folder.path(), &["backup", "copy.db"]);

    drop(Program::start(bottle(folder.path(), &[])));
    assert!(folder.path().join("bottle.db.schema-5").exists());
    assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let sql = "SELECT latitude FROM bottles WHERE content = 'too near to zero'";
    let latitude: f64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(latitude, 0.0);
}

/// A cell whose last bottle has gone leaves no row behind.
#[test]
fn a_cell_without_bottles_has_no_row() {
    let app = App::new();
    let ada = app.user("ada");
    let id = ada.throw(1.0, 1.0);
    assert_eq!(ada.delete(&format!("/api/bottles/{id}")).status, 200);
    let folder = app.stop();
    let db = Connection::open(folder.path().join("bottle.db")).unwrap();
    let cells: i64 = db.query_row("SELECT count(*) FROM cells", [], |row| row.get(0)).unwrap();
    assert_eq!(cells, 0);
}
