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

/// What the index holds must follow from the table of bottles: since which schema, a question that finds
/// ids where it does not (to be rewritten by [`for_version`]), and what is wrong.
const INDEX: &[(i32, &str, &str)] = &[
    (
        1,
        "SELECT id FROM bottles WHERE hidden_at IS NULL AND id NOT IN (SELECT id FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which nobody nearby sees",
    ),
    (
        1,
        "SELECT id FROM bottles_rtree WHERE id NOT IN (SELECT id FROM bottles WHERE hidden_at IS NULL)",
        "rows of the R*-tree without their bottle, or with a hidden one",
    ),
    // Before schema 6 a coordinate could be denormal as a 32-bit float, which a box may miss by less than
    // the least float that is not.
    (
        1,
        "SELECT id FROM bottles JOIN bottles_rtree USING (id)
         WHERE max(min_latitude - latitude, latitude - max_latitude,
                   min_longitude - longitude, longitude - max_longitude) > 1.1754943508222875e-38",
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
        "WITH bottle_cells AS (BOTTLE_CELLS), counted AS (
             SELECT level, y, x, count(*) AS bottles FROM bottle_cells GROUP BY 1, 2, 3
         )
         SELECT concat('level ', level, ', row ', y, ', column ', x) AS id
         FROM counted FULL JOIN cells USING (level, y, x)
         WHERE coalesce(bottles, 0) <> coalesce(count, 0)",
        "cells of the map whose counts are off",
    ),
];

/// Fills an empty R*-tree and makes all counts anew: since which schema, and how.
const REBUILD: &[(i32, &str)] = &[
    (
        1,
        "INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles WHERE hidden_at IS NULL",
    ),
    (
        1,
        "UPDATE bottles
         SET openers_count = (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
    ),
    (
        3,
        "DELETE FROM cells;
         INSERT INTO cells
         SELECT level, y, x, count(*) FROM (BOTTLE_CELLS) GROUP BY 1, 2, 3",
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
            found.extend(rows(db, &for_version(question, version), what)?);
        }
    }
    Ok(found)
}

/// Rewrites `sql` for a file of this schema: `BOTTLE_CELLS` stands for the query of the view
/// `bottle_cells`, which is missing before schema 6, and no bottle is hidden before schema 5.
fn for_version(sql: &str, version: i32) -> String {
    let sql = sql.replace("BOTTLE_CELLS", migrate::bottle_cells());
    if version < 5 { sql.replace("hidden_at IS NULL", "true") } else { sql }
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
    let counted = format!("SELECT count(*), CAST(min(id) AS TEXT) FROM ({question})");
    let (count, first): (i64, Option<String>) =
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
    for (_, sql) in REBUILD.iter().filter(|(since, _)| *since <= version) {
        change.execute_batch(&for_version(sql, version))?;
    }
    let bottles = change.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0))?;
    change.commit()?;
    Ok(bottles)
}
