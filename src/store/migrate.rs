//! The list of migrations. A released migration is never edited: the next one corrects it.

use std::sync::LazyLock;

use rusqlite::{Connection, Transaction};
use rusqlite_migration::{M, Migrations};

use super::{cells, messages};

/// The `application_id` in SQLite's header that marks a file as Bottle's: the letters `BOTL`.
pub const APPLICATION_ID: i32 = 0x424F_544C;

/// The steps, each of which raises the schema version by one.
static STEPS: LazyLock<Vec<M<'static>>> = LazyLock::new(|| {
    vec![
        M::up(include_str!("migrations/0001_bottles.sql")),
        M::up(include_str!("migrations/0002_ledger.sql")),
        M::up(include_str!("migrations/0003_counts.sql")),
        M::up(include_str!("migrations/0004_one_time_passwords.sql")),
        M::up(include_str!("migrations/0005_moderation.sql")),
        M::up(POSITIONS),
        M::up(include_str!("migrations/0007_past_openings.sql")),
        M::up_with_hook(MESSAGES, |db: &Transaction<'_>| Ok(messages::move_all(db)?)),
        M::up(include_str!("migrations/0009_replies.sql")),
        M::up(include_str!("migrations/0010_blocks.sql")),
        M::up(include_str!("migrations/0011_operators.sql")),
        M::up(include_str!("migrations/0012_tokens.sql")),
        M::up(include_str!("migrations/0013_administration.sql")),
        M::up_with_hook(PLACES_AND_STANDBY, |db: &Transaction<'_>| Ok(cells::recount(db)?)),
    ]
});

const POSITIONS: &str = include_str!("migrations/0006_positions.sql");
const MESSAGES: &str = include_str!("migrations/0008_messages.sql");
const PLACES_AND_STANDBY: &str = include_str!("migrations/0014_places_and_standby.sql");

static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| Migrations::from_slice(&STEPS));

/// Returns the newest schema version that this program knows (SQLite's `user_version`).
pub fn newest_version() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

/// Migrates `db` to the newest version.
pub fn to_newest(db: &mut Connection) -> rusqlite_migration::Result<()> {
    MIGRATIONS.to_latest(db)
}

/// Migrates `db`, whose version is at most `version`, to that version.
pub fn to_version(db: &mut Connection, version: i32) -> rusqlite_migration::Result<()> {
    MIGRATIONS.to_version(db, usize::try_from(version).unwrap_or_default())
}

/// Returns the query of the view `bottle_cells`, which files before schema 6 lack.
pub(super) fn bottle_cells() -> &'static str {
    let (_, query) = POSITIONS.split_once("CREATE VIEW bottle_cells AS").unwrap_or_default();
    query.split_once(';').unwrap_or_default().0
}

/// Returns the name and SQL of each table, view, index and trigger of schema `version`.
pub fn schema_of(version: i32) -> rusqlite_migration::Result<Vec<(String, String)>> {
    let mut db = Connection::open_in_memory()?;
    to_version(&mut db, version)?;
    Ok(read_schema(&db)?)
}

/// Returns the name and SQL of each table, view, index and trigger in `db`.
pub fn read_schema(db: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
