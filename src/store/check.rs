//! What is wrong with a file, if anything, and what to do about it.

use std::path::Path;

use rusqlite::Connection;

use super::open::{self, OpenError};
use super::{connect, migrate};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, for people.
    pub what: String,
    /// What mends it.
    pub remedy: Remedy,
}

/// What mends a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// [`rebuild_index`]: it follows from the tables, which are whole.
    RebuildIndex,
    /// Rows that name what is not there are to be deleted by hand, or a backup restored.
    DeleteRows,
    /// Only a backup, or what SQLite can still read.
    Restore,
    /// A trigger or view that is not Bottle's is to be dropped by hand, or a backup restored.
    DropObject,
}

/// The counts by cell, as they follow from the bottles.
macro_rules! counts_by_cell {
    () => {
        "SELECT level,
                min(CAST((latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
                min(CAST((longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1) AS x,
                count(*) AS count
         FROM levels CROSS JOIN bottles WHERE ON_SEA
         GROUP BY 1, 2, 3"
    };
}

/// What the index holds must follow from the table of bottles: since which schema, a question that finds
/// ids where it does not (`ON_SEA` for what is true of bottles that are not hidden), and what is wrong.
const INDEX: &[(i32, &str, &str)] = &[
    (
        1,
        "SELECT id FROM bottles WHERE ON_SEA AND id NOT IN (SELECT id FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which nobody nearby sees",
    ),
    (
        1,
        "SELECT id FROM bottles_rtree WHERE id NOT IN (SELECT id FROM bottles WHERE ON_SEA)",
        "rows of the R*-tree without their bottle, or with a hidden one",
    ),
    (
        1,
        // Schema 5 and older may have positions nearer to 0 than 32-bit boxes hold: off by less than 1.2e-38.
        "SELECT id FROM bottles JOIN bottles_rtree USING (id)
         WHERE latitude NOT BETWEEN min_latitude - 1.2e-38 AND max_latitude + 1.2e-38
            OR longitude NOT BETWEEN min_longitude - 1.2e-38 AND max_longitude + 1.2e-38",
        "bottles that the R*-tree has at another place",
    ),
    (
        1,
        "SELECT id FROM bottles
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
        "bottles whose number of openers is off",
    ),
    (
        3,
        concat!(
            "SELECT level AS id FROM (
                 SELECT level, y, x, count FROM cells
                 UNION ALL SELECT level, y, x, -count FROM (",
            counts_by_cell!(),
            ")) GROUP BY level, y, x HAVING sum(count) <> 0"
        ),
        "cells of the map whose counts are off, by level",
    ),
];

/// All that is wrong with the database at `path`, which is left as it is, also while it is served.
pub fn check(path: &Path) -> Result<Vec<Finding>, OpenError> {
    let found = connect::read(path, |db| {
        let mut found = match open::check_schema(path, db) {
            Err(OpenError::ForeignObject { kind, name, .. }) => vec![foreign(&kind, &name)],
            schema => schema.map(|_| Vec::new())?,
        };
        found.extend(findings(db).map_err(|e| open::refusal(path, e))?);
        Ok(found)
    });
    match found {
        Err(OpenError::Damaged { detail, .. }) => Ok(vec![torn(detail)]),
        found => found,
    }
}

fn foreign(kind: &str, name: &str) -> Finding {
    let what = format!("a {kind} {name:?} that is not Bottle's acts by itself");
    Finding { what, remedy: Remedy::DropObject }
}

/// All that is wrong with the rows and pages of `db`.
pub(super) fn findings(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut found = pages(db)?;
    found.extend(dangling(db)?);
    // What cannot be read cannot be compared either.
    if found.iter().all(|finding| finding.remedy != Remedy::Restore) {
        let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for (_, question, what) in INDEX.iter().filter(|(since, ..)| *since <= version) {
            found.extend(rows(db, &question.replace("ON_SEA", on_sea(version)), what)?);
        }
    }
    Ok(found)
}

/// What is true of bottles that are not hidden.
fn on_sea(version: i32) -> &'static str {
    if version < 5 { "true" } else { "hidden_at IS NULL" }
}

fn torn(detail: String) -> Finding {
    Finding { what: format!("the file is damaged: {detail}"), remedy: Remedy::Restore }
}

/// What SQLite says of its pages, and of the R*-tree's nodes.
fn pages(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut lines = db.prepare("PRAGMA integrity_check(20)")?;
    let lines = lines.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for line in lines {
        let line = line?;
        match line.strip_prefix("In RTree ") {
            Some(detail) => {
                let what = format!("the R*-tree is damaged: {}", detail.replace('\n', "; "));
                found.push(Finding { what, remedy: Remedy::RebuildIndex });
            }
            None if line != "ok" => found.push(torn(line.replace('\n', " "))),
            None => {}
        }
    }
    Ok(found)
}

/// Foreign keys that point nowhere, by table.
fn dangling(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut tables = db.prepare(
        "SELECT broken.\"table\", keys.\"from\", broken.parent, count(*)
         FROM pragma_foreign_key_check AS broken
         JOIN pragma_foreign_key_list(broken.\"table\") AS keys ON keys.id = broken.fkid
         GROUP BY 1, 2, 3",
    )?;
    let found = tables.query_map([], |row| {
        let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
        let (parent, count): (String, i64) = (row.get(2)?, row.get(3)?);
        let what =
            format!("{count} rows of {table} name (in {column}) {parent} that are not there");
        Ok(Finding { what, remedy: Remedy::DeleteRows })
    })?;
    found.collect()
}

/// How many ids `question` finds, and the first of them.
fn rows(db: &Connection, question: &str, what: &str) -> rusqlite::Result<Option<Finding>> {
    let counted = format!("SELECT count(*), min(id) FROM ({question})");
    let (count, first): (i64, Option<i64>) =
        db.query_row(&counted, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.map(|first| Finding {
        what: format!("{count} {what}; the first is {first}"),
        remedy: Remedy::RebuildIndex,
    }))
}

/// Makes the R*-tree and all counts anew from the tables; how many bottles there are.
pub fn rebuild_index(path: &Path) -> Result<i64, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let (_lock, mut db) = open::open_alone(path)?;
    let schema = migrate::read_schema(&db).map_err(sqlite)?;
    let index = schema.iter().find(|(name, _)| name == "bottles_rtree");
    let (_, create) = index.ok_or_else(|| OpenError::Damaged {
        path: path.to_owned(),
        detail: "it has no R*-tree".into(),
    })?;
    rebuild(&mut db, create).map_err(sqlite)
}

fn rebuild(db: &mut Connection, create: &str) -> rusqlite::Result<i64> {
    let change = db.transaction()?;
    // It may be too damaged to be emptied row by row.
    change.execute_batch("DROP TABLE bottles_rtree")?;
    change.execute_batch(create)?;
    let version: i32 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let sql = concat!(
        "INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles WHERE ON_SEA;
         UPDATE bottles
         SET openers_count = (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id);
         DELETE FROM cells;
         INSERT INTO cells ",
        counts_by_cell!(),
        ";"
    );
    change.execute_batch(&sql.replace("ON_SEA", on_sea(version)))?;
    let bottles = change.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0))?;
    change.commit()?;
    Ok(bottles)
}
