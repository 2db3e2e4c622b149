//! `bottle check`: finds damage in a database file, and rebuilds the rows that can be derived.

use std::ops::RangeInclusive;
use std::path::Path;

use rusqlite::Connection;

use super::open::{self, OpenError};
use super::place::bottle_of;
use super::{connect, migrate, pack};

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

/// A check of rows that follow from other tables: the schema versions that have such rows, a query
/// for the ids of the wrong ones (rewritten by [`for_version`]), and the description.
type DerivedRows = (RangeInclusive<i32>, &'static str, &'static str);

const ALL: i32 = i32::MAX;

const DERIVED_ROWS: &[DerivedRows] = &[
    (
        1..=7,
        "SELECT id FROM bottles WHERE hidden_at IS NULL AND id NOT IN (SELECT id FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which no search finds",
    ),
    (
        1..=7,
        "SELECT id FROM bottles_rtree WHERE id NOT IN (SELECT id FROM bottles WHERE hidden_at IS NULL)",
        "rows of the R*-tree without a bottle, or with a hidden one",
    ),
    // Before schema 6 a coordinate could be subnormal as a 32-bit float. A box may miss it by less
    // than the smallest normal one.
    (
        1..=7,
        "SELECT id FROM bottles JOIN bottles_rtree USING (id)
         WHERE max(min_latitude - latitude, latitude - max_latitude,
                   min_longitude - longitude, longitude - max_longitude) > 1.1754943508222875e-38",
        "bottles at another position in the R*-tree",
    ),
    (
        8..=ALL,
        "SELECT id FROM bottles
         JOIN bottle_places ON bottle_id = id LEFT JOIN map_bottles AS shown USING (place)
         WHERE hidden_at IS NULL
           AND (shown.owner_id, shown.style, shown.latitude, shown.longitude, shown.formatted_address)
               IS NOT (bottles.owner_id, bottles.style, bottles.latitude, bottles.longitude,
                       bottles.formatted_address)",
        "bottles that are missing on the map, or shown with other values",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles
         WHERE place NOT IN (SELECT place FROM bottle_places JOIN bottles ON id = bottle_id
                             WHERE hidden_at IS NULL)",
        "bottles on the map that do not exist, or are hidden",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles
         WHERE place NOT IN (SELECT place FROM bottles_rtree)",
        "bottles without their row in the R*-tree, which no search finds",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM bottles_rtree
         WHERE place NOT IN (SELECT place FROM map_bottles)",
        "rows of the R*-tree without a bottle, or with a hidden one",
    ),
    (
        8..=ALL,
        "SELECT BOTTLE_OF_PLACE AS id FROM map_bottles JOIN bottles_rtree USING (place)
         WHERE latitude NOT BETWEEN min_latitude AND max_latitude
            OR longitude NOT BETWEEN min_longitude AND max_longitude",
        "bottles at another position in the R*-tree",
    ),
    (
        9..=ALL,
        "SELECT id FROM bottles
         JOIN bottle_places ON bottle_id = id JOIN map_bottles AS shown USING (place)
         WHERE shown.open_within_m IS NOT bottles.open_within_m",
        "bottles that the map shows with another distance within which they can be opened",
    ),
    (
        9..=ALL,
        "SELECT bottle_id AS id FROM threads
         WHERE (replies_count, last_reply_id, owner_unread, opener_unread) IS NOT (THREAD_COUNTS)",
        "bottles with wrong counts in a thread",
    ),
    (
        9..=ALL,
        "SELECT threads.bottle_id AS id FROM threads JOIN bottles ON bottles.id = threads.bottle_id
         WHERE owner_blocks <> EXISTS (
             SELECT 1 FROM blocks WHERE blocker_id = owner_id AND blocked_id = opener_id)",
        "bottles with a thread that is wrongly marked as blocked, or not",
    ),
    (
        9..=ALL,
        "SELECT id FROM bottles WHERE (replies_count, unread_count) <> (BOTTLE_COUNTS)",
        "bottles with a wrong number of replies",
    ),
    (
        9..=ALL,
        "SELECT username AS id FROM users WHERE (inbox_count, inbox_unread) <> (INBOX_COUNTS)",
        "accounts with a wrong number of inbox items",
    ),
    (
        1..=ALL,
        "SELECT id FROM bottles
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
        "bottles with a wrong number of openers",
    ),
    (
        3..=ALL,
        "WITH bottle_cells AS (BOTTLE_CELLS), counted AS (
             SELECT level, y, x, count(*) AS bottles FROM bottle_cells GROUP BY 1, 2, 3
         )
         SELECT concat('level ', level, ', row ', y, ', column ', x) AS id
         FROM counted FULL JOIN cells USING (level, y, x)
         WHERE coalesce(bottles, 0) <> coalesce(count, 0)",
        "cells of the map with wrong counts",
    ),
];

/// Fills an empty R*-tree and recomputes all counts: the schema versions with such rows, and the
/// statements. From schema 8 on, [`pack::fill`] fills the tree.
const REBUILD: &[(RangeInclusive<i32>, &str)] = &[
    (
        1..=7,
        "INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles WHERE hidden_at IS NULL",
    ),
    (8..=ALL, "DELETE FROM map_bottles"),
    (
        1..=ALL,
        "UPDATE bottles
         SET openers_count = (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)
         WHERE openers_count <> (SELECT count(*) FROM openings WHERE bottle_id = bottles.id)",
    ),
    (
        9..=ALL,
        "UPDATE threads SET owner_blocks = EXISTS (
             SELECT 1 FROM bottles JOIN blocks ON blocker_id = owner_id
             WHERE bottles.id = threads.bottle_id AND blocked_id = opener_id);
         UPDATE threads
         SET (replies_count, last_reply_id, owner_unread, opener_unread) = (THREAD_COUNTS);
         UPDATE bottles SET (replies_count, unread_count) = (BOTTLE_COUNTS)
         WHERE (replies_count, unread_count) <> (BOTTLE_COUNTS);
         UPDATE users SET (inbox_count, inbox_unread) = (INBOX_COUNTS)",
    ),
    (
        3..=ALL,
        "DELETE FROM cells;
         INSERT INTO cells
         SELECT level, y, x, count(*) FROM (BOTTLE_CELLS) GROUP BY 1, 2, 3",
    ),
];

/// The derived columns of a row of `threads`.
const THREAD_COUNTS: &str = "
    SELECT count(*), max(id), count(*) FILTER (WHERE author_id = threads.opener_id AND id > owner_read),
           count(*) FILTER (WHERE author_id <> threads.opener_id AND id > opener_read)
    FROM replies
    WHERE (replies.bottle_id, replies.opener_id) = (threads.bottle_id, threads.opener_id)
      AND hidden_at IS NULL";

/// The derived columns of a row of `bottles`.
const BOTTLE_COUNTS: &str = "
    SELECT coalesce(sum(threads.replies_count), 0), coalesce(sum(owner_unread), 0)
    FROM threads WHERE bottle_id = bottles.id AND NOT owner_blocks";

/// The derived columns of a row of `users`.
const INBOX_COUNTS: &str = "
    SELECT count(*), count(*) FILTER (WHERE inbox_items.id > inbox_read)
    FROM inbox_items WHERE user_id = users.id";

/// Returns all problems of the database at `path`. Writes nothing, and works while a server runs.
pub fn check(path: &Path) -> Result<Vec<Finding>, OpenError> {
    let result = connect::read(path, |db| {
        let mut all = match open::check_schema(path, db) {
            Err(OpenError::UnknownObject { kind, name, .. }) => vec![unknown_object(&kind, &name)],
            schema => schema.map(|_| Vec::new())?,
        };
        all.extend(findings(db).map_err(|e| open::refusal(path, e))?);
        Ok(all)
    });
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

/// Rewrites `sql` for a file of schema `version`: `BOTTLE_CELLS` stands for the query of the view
/// `bottle_cells`, which is missing before schema 6, `BOTTLE_OF_PLACE` for the bottle's id in a
/// place. No bottle is hidden before schema 5, and from schema 9 on those that ended are not on the sea
/// either.
fn for_version(sql: &str, version: i32) -> String {
    let sql = sql
        .replace("BOTTLE_CELLS", migrate::bottle_cells())
        .replace("BOTTLE_OF_PLACE", &bottle_of("place"));
    let sql = match version {
        ..5 => sql.replace("hidden_at IS NULL", "true"),
        5..9 => sql,
        _ => sql.replace("hidden_at IS NULL", "on_sea"),
    };
    sql.replace("THREAD_COUNTS", THREAD_COUNTS)
        .replace("BOTTLE_COUNTS", BOTTLE_COUNTS)
        .replace("INBOX_COUNTS", INBOX_COUNTS)
}

fn damaged(detail: String) -> Finding {
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
    let bottles = change.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0))?;
    change.commit()?;
    Ok(bottles)
}
