//! The power goes while a server starts: for the first time, or on a file of an older schema.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bottle::store::migrate;
use bottle_test_support::{Program, bottle, run_ok};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tempfile::TempDir;

use super::{Cuts, Journal, Recorder, seed};
use crate::sea;

/// The secret of the setup link that a server has printed.
fn setup_token(program: &Program) -> String {
    let link = program.banner.split("/setup#").nth(1).unwrap();
    link.split_whitespace().next().unwrap().to_owned()
}

pub(crate) fn at_first_start(times: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    let program = Program::start(recorder.under(bottle(folder.path(), &[])));
    let (token, listening) = (setup_token(&program), recorder.position());
    sea::join(&program, "ada");
    let joined = recorder.position();
    drop(program);
    let cuts = Cuts::new();
    cuts.of(&recorder.journal(), 0..times, |cut| {
        let folder = cut.folder();
        let program = Program::start(bottle(folder.path(), &[]));
        let account = json!({ "username": "ada", "password": "pass" });
        if cut.position() < joined {
            assert!(matches!(program.client().post("/api/users", &account).status, 200 | 409));
        }
        program.client().log_in("ada", "pass");
        let token = if cut.position() < listening { setup_token(&program) } else { token.clone() };
        let root = json!({ "token": token, "username": "root", "password": "pass" });
        assert_eq!(program.client().post("/api/setup", &root).status, 200, "the link is lost");
        drop(program);
        sea::check(&folder.path().join("bottle.db"), &[]);
    });
    format!("{}; every next start was sound, and a printed setup link stayed valid", cuts.kinds())
}

/// All rows of a file by table, but for what a start writes.
type Rows = BTreeMap<String, Vec<Vec<Value>>>;

fn rows(path: &Path) -> Rows {
    let db = Connection::open(path).unwrap();
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'
                  AND name NOT IN ('meta', 'maintenance', 'past_openings')";
    let mut tables = db.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    tables
        .map(|table| {
            let table = table.unwrap();
            let mut all = db.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1, 2")).unwrap();
            let count = all.column_count();
            let values = |row: &rusqlite::Row<'_>| (0..count).map(|at| row.get(at)).collect();
            let rows = all.query_map([], values).unwrap().map(Result::unwrap).collect();
            (table, rows)
        })
        .collect()
}

fn check_rows(path: &Path, expected: &Rows) {
    let found = rows(path);
    for (table, expected) in expected {
        assert_eq!(found.get(table), Some(expected), "{}: {table}", path.display());
    }
    assert_eq!(found.len(), expected.len());
}

/// An upgrade that was recorded, and what it made of which rows.
struct Upgrade {
    schema: usize,
    journal: Journal,
    old: Rows,
    new: Rows,
}

impl Upgrade {
    fn record(schema: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bottle.db");
        let fixture = format!("{}/tests/fixtures/schema-{schema}.db", env!("CARGO_MANIFEST_DIR"));
        fs::copy(fixture, &path).unwrap();
        let old = rows(&path);
        let recorder = Recorder::new(folder.path());
        drop(Program::start(recorder.under(bottle(folder.path(), &[]))));
        Self { schema, journal: recorder.journal(), old, new: rows(&path) }
    }

    /// The next start finishes it, and there is a complete copy of the older file.
    fn check(&self, folder: &TempDir) {
        drop(Program::start(bottle(folder.path(), &[])));
        let path = folder.path().join("bottle.db");
        check_rows(&path, &self.new);
        assert_eq!(run_ok(folder.path(), &["check"]), "bottle.db: nothing is wrong\n");
        let copy = folder.path().join(format!("bottle.db.schema-{}", self.schema));
        check_rows(&copy, &self.old);
    }
}

pub(crate) fn during_migration(times: usize) -> String {
    let (schemas, cuts) = (migrate::newest_version() as usize - 1, Cuts::new());
    let each = times.div_ceil(schemas);
    for nth in 0..times.min(schemas) {
        let schema = 1 + (seed() + nth * 5) % schemas;
        let upgrade = Upgrade::record(schema);
        let cut = nth * each..times.min(nth * each + each);
        cuts.of(&upgrade.journal, cut, |cut| upgrade.check(&cut.folder()));
    }
    format!("{}; every next start ended it, each with a whole copy of the older file", cuts.kinds())
}
