//! An import of most of a sea's bottles builds the R*-tree anew, in as few nodes as possible.

use std::fs;
use std::path::Path;
use std::thread;

use bottle_test_support::{App, Client, run_ok};
use rusqlite::Connection;

const WORLD: &str =
    "/api/bottles/nearby?latitude=0&longitude=0&latitude_span=90&longitude_span=180";

/// Imports the bottles with these numbers, each at a position of its own.
fn import(folder: &Path, numbers: std::ops::Range<u32>) {
    let row = |n: u32| {
        let (latitude, longitude) = (n * 7919 % 17_801, n * 104_729 % 35_801);
        format!(
            r#"{{"type":"bottle","bottle_id":{n},"owner":"bob","content":"c","style":0,"location":{{"latitude":{},"longitude":{}}},"created_at":"2026-01-01T00:00:00Z"}}"#,
            f64::from(latitude) / 100.0 - 89.0,
            f64::from(longitude) / 100.0 - 179.0,
        )
    };
    let rows: Vec<String> = numbers.map(row).collect();
    fs::write(folder.join("in.jsonl"), rows.join("\n")).unwrap();
    run_ok(folder, &["import", "in.jsonl"]);
}

/// Returns the number of nodes of the R*-tree, and the smallest number that its bottles need.
fn nodes(path: &Path) -> (u32, u32) {
    let sql = "SELECT count(*), max(length(data)), (SELECT count(*) FROM map_bottles)
        FROM bottles_rtree_node";
    let row = Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let (nodes, node_bytes, mut entries): (u32, u32, u32) = row.unwrap();
    let capacity = (node_bytes - 4) / 24;
    let mut fewest = 1;
    while entries > capacity {
        entries = entries.div_ceil(capacity);
        fewest += entries;
    }
    (nodes, fewest)
}

#[track_caller]
fn total(client: &Client) -> u64 {
    let data = client.get(WORLD).data();
    assert_eq!(data["total"], data["bottles"].as_array().unwrap().len());
    data["total"].as_u64().unwrap()
}

#[test]
fn an_import_packs_the_tree_if_at_least_half_of_the_sea_is_new() {
    let app = App::new();
    let ada = app.user("ada");
    let packed = || {
        let (nodes, fewest) = nodes(&app.database());
        nodes == fewest
    };
    let checked = |bottles: u64| {
        assert_eq!(run_ok(app.folder(), &["check"]), "bottle.db: nothing is wrong\n");
        assert_eq!(total(&ada), bottles);
    };

    import(app.folder(), 0..2000);
    assert!(packed());
    checked(2000);

    // The nodes are full, so that each further bottle splits some.
    import(app.folder(), 2000..3999);
    assert!(!packed(), "1,999 of 3,999 are less than half");
    checked(3999);
    ada.throw(1.0, 1.0);
    import(app.folder(), 0..10);
    assert!(!packed(), "no bottle was new");
    checked(4000);

    import(app.folder(), 4000..8000);
    assert!(packed());
    checked(8000);

    // The server goes on with the tree that another program built.
    let id = ada.throw(-1.0, -1.0);
    checked(8001);
    assert_eq!(ada.delete(&format!("/api/bottles/{id}")).status, 200);
    checked(8000);
}

/// A search beside an import that packs the tree never finds fewer bottles than one before it.
#[test]
fn searches_go_on_while_an_import_packs_the_tree() {
    let app = App::new();
    let ada = app.user("ada");
    import(app.folder(), 0..500);
    thread::scope(|scope| {
        let import = scope.spawn(|| import(app.folder(), 500..3500));
        let mut last = 500;
        while !import.is_finished() {
            let found = total(&ada);
            assert!(found >= last, "{found} after {last}");
            last = found;
        }
        import.join().unwrap();
    });
    assert_eq!(total(&ada), 3500);
    let (nodes, fewest) = nodes(&app.database());
    assert_eq!(nodes, fewest);
}
