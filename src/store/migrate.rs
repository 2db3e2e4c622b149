//! The schema, step by step. A step that was released is never edited: the next one mends it.

use std::sync::LazyLock;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

/// Marks a file as Bottle's, in SQLite's header: the letters `BOTL`.
pub const APPLICATION_ID: i32 = 0x424F_544C;

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_bottles.sql")),
    M::up(include_str!("migrations/0002_ledger.sql")),
    M::up(include_str!("migrations/0003_counts.sql")),
    M::up(include_str!("migrations/0004_one_time_passwords.sql")),
    M::up(include_str!("migrations/0005_moderation.sql")),
    M::up(POSITIONS),
    M::up(include_str!("migrations/0007_past_openings.sql")),
];

const POSITIONS: &str = include_str!("migrations/0006_positions.sql");

static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| Migrations::from_slice(STEPS));

/// The newest version this program knows (SQLite's `user_version`).
pub fn newest_version() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Brings `db` to the newest version.
pub fn to_newest(db: &mut Connection) -> rusqlite_migration::Result<()> {
    MIGRATIONS.to_latest(db)
}

/// The query of the view `bottle_cells`, which files of a schema before 6 lack.
pub(super) fn bottle_cells() -> &'static str {
    let (_, query) = POSITIONS.split_once("CREATE VIEW bottle_cells AS").unwrap_or_default();
    query.split_once(';').unwrap_or_default().0
}

/// Every table, view, index and trigger that a file of `version` has, by name, with its SQL.
pub fn schema_of(version: i32) -> rusqlite_migration::Result<Vec<(String, String)>> {
    let mut db = Connection::open_in_memory()?;
    MIGRATIONS.to_version(&mut db, usize::try_from(version).unwrap_or_default())?;
    Ok(read_schema(&db)?)
}

/// Every table, view, index and trigger that `db` has, by name, with its SQL.
pub fn read_schema(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
