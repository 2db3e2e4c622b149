//! The table `maintenance`: the backups and checks that the server has made; and the night of the
//! last backup that its schedule made, in the table `meta`.

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::meta;
use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// The number of runs that are kept.
const MAX_RUNS: i64 = 1000;

const LAST_NIGHT: &str = "backup_night";

/// The kind of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Backup,
    Check,
}

impl Kind {
    /// Returns the word that the database and the contracts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Check => "check",
        }
    }
}

/// A backup or a check that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The kind.
    pub kind: Kind,
    /// The time at which it ended.
    pub ended_at: Timestamp,
    /// The name and the size in bytes of a backup that was made.
    pub file: Option<(String, u64)>,
    /// True if the check of the file, or of its copy, found nothing wrong. `None` if the run failed
    /// before it checked.
    pub is_sound: Option<bool>,
    /// The reason why it failed, or the first finding of a check.
    pub failure: Option<String>,
}

/// Stores a run, and deletes the oldest beyond [`MAX_RUNS`].
pub fn insert(db: &Connection, run: &Run) -> Result<()> {
    let (name, bytes) = run.file.as_ref().map(|(name, bytes)| (name, *bytes)).unzip();
    db.prepare_cached(
        "INSERT INTO maintenance (kind, ended_at, file, bytes, is_sound, failure)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        run.kind.as_str(),
        run.ended_at,
        name,
        bytes.and_then(|bytes| i64::try_from(bytes).ok()),
        run.is_sound,
        run.failure
    ])?;
    db.prepare_cached("DELETE FROM maintenance WHERE id <= ?1")?
        .execute([db.last_insert_rowid() - MAX_RUNS])?;
    Ok(())
}

const COLUMNS: &str = "kind, ended_at, file, bytes, is_sound, failure";

/// Returns the last backup that was made or failed.
pub fn last_backup(db: &Connection) -> Result<Option<Run>> {
    last(db, "kind = 'backup'")
}

/// Returns the last run that has checked the file or a copy of it.
pub fn last_check(db: &Connection) -> Result<Option<Run>> {
    last(db, "is_sound IS NOT NULL")
}

fn last(db: &Connection, condition: &str) -> Result<Option<Run>> {
    let sql =
        format!("SELECT {COLUMNS} FROM maintenance WHERE {condition} ORDER BY id DESC LIMIT 1");
    Ok(db.prepare_cached(&sql)?.query_row([], run).optional()?)
}

/// Returns the names and sizes of the backups that were found sound.
pub fn sound_backups(db: &Connection) -> Result<Vec<(String, u64)>> {
    let sql = "SELECT file, bytes FROM maintenance WHERE file IS NOT NULL AND is_sound";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, size(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let name: Option<String> = row.get(2)?;
    Ok(Run {
        kind: if row.get::<_, String>(0)? == "check" { Kind::Check } else { Kind::Backup },
        ended_at: row.get(1)?,
        file: name.map(|name| Ok::<_, rusqlite::Error>((name, size(row, 3)?))).transpose()?,
        is_sound: row.get(4)?,
        failure: row.get(5)?,
    })
}

fn size(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0))
}

/// Returns the date of the last night whose backup was made or has failed, or that was the current
/// one when the schedule began; `None` without a schedule.
pub fn last_night(db: &Connection) -> Result<Option<NaiveDate>> {
    Ok(meta::get(db, LAST_NIGHT)?.and_then(|text| text.parse().ok()))
}

/// Stores the date of the last night, or deletes it.
pub fn set_last_night(db: &Connection, night: Option<NaiveDate>) -> Result<()> {
    match night {
        Some(night) => Ok(meta::set(db, LAST_NIGHT, &night.to_string())?),
        None => Ok(db.execute("DELETE FROM meta WHERE key = ?1", [LAST_NIGHT]).map(drop)?),
    }
}
