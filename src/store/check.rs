//! `bottle check`: finds damage in a database file, and rebuilds the rows that can be derived.

mod derived;

use std::path::Path;

use rusqlite::Connection;

use super::open::{self, OpenError};
use super::{cells, connect, files, migrate, pack, wal};
use derived::{DERIVED_ROWS, REBUILD, for_version};

/// A problem in a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The description for the operator.
    pub description: String,
    /// The repair.
    pub remedy: Remedy,
}

/// The repair of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// [`rebuild_index`]: the rows follow from tables that are intact.
    RebuildIndex,
    /// The operator deletes the rows that refer to missing rows, or restores a backup.
    DeleteRows,
    /// The operator restores a backup, or recovers the pages that SQLite can still read.
    Restore,
    /// The operator drops the trigger or view that is not Bottle's, or restores a backup.
    DropObject,
}

/// Returns all problems of the database at `path`. Writes nothing, and works while a server runs.
pub fn check(path: &Path) -> Result<Vec<Finding>, OpenError> {
    or_finding(connect::read(path, |db| {
        wal::check(&files::resolve(path)?)?;
        problems(path, db)
    }))
}

/// Returns all problems of the schema, the rows and the pages of `db`, the file at `path`.
pub(super) fn problems(path: &Path, db: &Connection) -> Result<Vec<Finding>, OpenError> {
    let mut all = match open::check_schema(path, db) {
        Err(OpenError::UnknownObject { kind, name, .. }) => vec![unknown_object(&kind, &name)],
        schema => schema.map(|_| Vec::new())?,
    };
    all.extend(findings(db).map_err(|e| open::refusal(path, e))?);
    Ok(all)
}

/// Turns a file that is too damaged to be checked into a finding.
pub(super) fn or_finding(
    result: Result<Vec<Finding>, OpenError>,
) -> Result<Vec<Finding>, OpenError> {
    match result {
        Err(OpenError::Damaged { detail, .. }) => Ok(vec![damaged(detail)]),
        result => result,
    }
}

fn unknown_object(kind: &str, name: &str) -> Finding {
    let description = format!("a {kind} {name:?} is not Bottle's and would run in its statements");
    Finding { description, remedy: Remedy::DropObject }
}

/// Returns all problems of the rows and pages of `db`.
pub(super) fn findings(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut findings = damaged_pages(db)?;
    findings.extend(broken_foreign_keys(db)?);
    // Pages that cannot be read would fail these queries too.
    if findings.iter().all(|finding| finding.remedy != Remedy::Restore) {
        let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version >= 8 {
            findings.extend(missing_messages(db)?);
        }
        for (_, query, description) in
            DERIVED_ROWS.iter().filter(|(versions, ..)| versions.contains(&version))
        {
            findings.extend(wrong_rows(db, &for_version(query, version), description)?);
        }
    }
    Ok(findings)
}

/// Returns the finding for a file that is damaged in this way.
pub(super) fn damaged(detail: String) -> Finding {
    Finding { description: format!("the file is damaged: {detail}"), remedy: Remedy::Restore }
}

/// Runs SQLite's check of its pages, which includes the nodes of the R*-tree.
fn damaged_pages(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut lines = db.prepare("PRAGMA integrity_check(20)")?;
    let lines = lines.query_map([], |row| row.get::<_, String>(0))?;
    let mut findings = Vec::new();
    for line in lines {
        let line = line?;
        match line.strip_prefix("In RTree ") {
            Some(detail) => {
                let description = format!("the R*-tree is damaged: {}", detail.replace('\n', "; "));
                findings.push(Finding { description, remedy: Remedy::RebuildIndex });
            }
            None if line != "ok" => findings.push(damaged(line.replace('\n', " "))),
            None => {}
        }
    }
    Ok(findings)
}

/// Finds bottles without a message. Foreign keys find messages without a bottle.
fn missing_messages(db: &Connection) -> rusqlite::Result<Option<Finding>> {
    let query = "SELECT count(*), min(id) FROM bottles
        WHERE id NOT IN (SELECT bottle_id FROM messages)";
    let (count, first): (i64, Option<i64>) =
        db.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.map(|first| Finding {
        description: format!("{count} bottles without their message; the first is {first}"),
        remedy: Remedy::Restore,
    }))
}

/// Finds rows whose foreign key refers to a missing row, by table.
fn broken_foreign_keys(db: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut tables = db.prepare(
        "SELECT broken.\"table\", keys.\"from\", broken.parent, count(*)
         FROM pragma_foreign_key_check AS broken
         JOIN pragma_foreign_key_list(broken.\"table\") AS keys
             ON keys.id = broken.fkid AND keys.seq = 0
         GROUP BY 1, 2, 3",
    )?;
    let findings = tables.query_map([], |row| {
        let (table, column): (String, String) = (row.get(0)?, row.get(1)?);
        let (parent, count): (String, i64) = (row.get(2)?, row.get(3)?);
        let description =
            format!("{count} rows of {table} refer (in {column}) to missing rows of {parent}");
        Ok(Finding { description, remedy: Remedy::DeleteRows })
    })?;
    findings.collect()
}

/// Counts the ids that `query` returns, and names the first.
fn wrong_rows(
    db: &Connection,
    query: &str,
    description: &str,
) -> rusqlite::Result<Option<Finding>> {
    let count_query = format!("SELECT count(*), CAST(min(id) AS TEXT) FROM ({query})");
    let (count, first): (i64, Option<String>) =
        db.query_row(&count_query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.map(|first| Finding {
        description: format!("{count} {description}; the first is {first}"),
        remedy: Remedy::RebuildIndex,
    }))
}

/// Rebuilds the R*-tree and all counts from the tables. Returns the number of bottles.
pub fn rebuild_index(path: &Path) -> Result<i64, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let (_lock, mut db) = open::open_exclusive(path)?;
    let schema = migrate::read_schema(&db).map_err(sqlite)?;
    let index = schema.iter().find(|(name, _)| name == "bottles_rtree");
    let (_, create) = index.ok_or_else(|| OpenError::Damaged {
        path: path.to_owned(),
        detail: "the table bottles_rtree is missing".into(),
    })?;
    rebuild(&mut db, create).map_err(sqlite)
}

fn rebuild(db: &mut Connection, create: &str) -> rusqlite::Result<i64> {
    let change = db.transaction()?;
    // The R*-tree may be too damaged to be emptied row by row.
    change.execute_batch("DROP TABLE bottles_rtree")?;
    change.execute_batch(create)?;
    let version: i32 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (_, sql) in REBUILD.iter().filter(|(versions, _)| versions.contains(&version)) {
        change.execute_batch(&for_version(sql, version))?;
    }
    if version >= 8 {
        pack::fill(&change, version)?;
    }
    if version >= 14 {
        cells::recount(&change)?;
    }
    let bottles = change.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0))?;
    change.commit()?;
    Ok(bottles)
}
