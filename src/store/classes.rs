//! The table `classes`: guest classes, and the accounts of their guests.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::pages::{PageRequest, fill, row_limit};
use super::sessions::MAX_CLOCK_SETBACK_MS;
use super::users::{self, Account, NewAccount};
use super::{account_deletion, sqlite_error};
use crate::model::class::ClassCode;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};

/// The maximum number of guests of a class.
pub const MAX_GUESTS: u32 = 100;

/// The number of bottles from which [`delete_guests`] leaves further guests to the next change, so
/// that other writers do not wait.
const MAX_DELETED_BOTTLES: i64 = 2_000;

/// The attempts to draw a code that no other class has.
const MAX_DRAWS: u32 = 10;

/// A guest class.
#[derive(Clone, Debug)]
pub struct Class {
    /// The id, which is never reused.
    pub id: i64,
    /// The code; `None` once nobody may join any more.
    pub code: Option<ClassCode>,
    /// The username of its teacher; `None` for the command line and a deleted account.
    pub teacher: Option<String>,
    /// The time at which it was opened.
    pub opened_at: Timestamp,
    /// The time at which it ends or has ended.
    pub ends_at: Timestamp,
    /// The number of guests that have joined.
    pub guests: u32,
    /// The number of their bottles.
    pub bottles: i64,
}

const COLUMNS: &str = "id, code, (SELECT username FROM users WHERE users.id = teacher_id),
    opened_at, ends_at, (SELECT count(*) FROM users WHERE class_id = classes.id),
    (SELECT count(*) FROM users JOIN bottles ON owner_id = users.id WHERE class_id = classes.id)";

fn class(row: &Row<'_>) -> rusqlite::Result<Class> {
    let code: Option<String> = row.get(1)?;
    Ok(Class {
        id: row.get(0)?,
        code: code.map(|code| ClassCode::presented(&code)),
        teacher: row.get(2)?,
        opened_at: row.get(3)?,
        ends_at: row.get(4)?,
        guests: row.get(5)?,
        bottles: row.get(6)?,
    })
}

/// Opens a class until `ends_at`, with a random code that no other class has.
pub fn open(
    db: &Connection,
    teacher: Option<i64>,
    now: Timestamp,
    ends_at: Timestamp,
) -> Result<Class> {
    let mut insert = db.prepare_cached(&format!(
        "INSERT INTO classes (code, teacher_id, opened_at, ends_at) VALUES (?1, ?2, ?3, ?4)
         RETURNING {COLUMNS}"
    ))?;
    for _ in 0..MAX_DRAWS {
        let code = ClassCode::random();
        match insert.query_row(params![code.as_str(), teacher, now, ends_at], class) {
            Err(e) if sqlite_error::is_duplicate(&e) => {}
            opened => return Ok(opened?),
        }
    }
    Err(Error::Unavailable("too many classes are open".into()))
}

/// Passes the classes of `teacher`, or all, to `show`, newest first; the cursor of a page is the id
/// of its last one.
pub fn list(
    db: &Connection,
    teacher: Option<i64>,
    page: PageRequest,
    show: impl FnMut(Class) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM classes
         WHERE id < ?1 AND (?2 IS NULL OR teacher_id = ?2) ORDER BY id DESC LIMIT 0 + ?3"
    ))?;
    let after = page.after.unwrap_or(i64::MAX);
    let rows = statement.query(params![after, teacher, row_limit(page)])?;
    fill(rows, page, class, show)
}

/// Returns a class of `teacher`, or of anyone. Returns [`Error::NoSuchClass`] if there is none with
/// this id.
pub fn find(db: &Connection, id: i64, teacher: Option<i64>) -> Result<Class> {
    let found = db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM classes WHERE id = ?1 AND (?2 IS NULL OR teacher_id = ?2)"
        ))?
        .query_row(params![id, teacher], class)
        .optional()?;
    found.ok_or_else(|| Error::NoSuchClass(id.to_string()))
}

/// Ends a class: nobody joins any more, and the sessions of its guests end. Returns false if it had
/// ended already.
pub fn end(db: &Connection, id: i64, now: Timestamp) -> Result<bool> {
    db.prepare_cached(
        "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE class_id = ?1)",
    )?
    .execute([id])?;
    db.prepare_cached("UPDATE classes SET code = NULL WHERE id = ?1")?.execute([id])?;
    let ended = db
        .prepare_cached("UPDATE classes SET ends_at = ?2 WHERE id = ?1 AND ends_at > ?2")?
        .execute(params![id, now])?;
    Ok(ended == 1)
}

/// Returns the id and the end of the class that this code lets into. Returns
/// [`Error::InvalidClassCode`] if the code is wrong or the class has ended, and [`Error::ClassFull`]
/// if it has [`MAX_GUESTS`]. One from the future of a clock that was set back lets nobody in.
pub fn admit(db: &Connection, code: &ClassCode, now: Timestamp) -> Result<(i64, Timestamp)> {
    let found = db
        .prepare_cached(
            "SELECT id, ends_at, (SELECT count(*) FROM users WHERE class_id = classes.id)
             FROM classes WHERE code = :code AND ends_at > :now AND opened_at <= :latest",
        )?
        .query_row(
            named_params! {
                ":code": code.as_str(), ":now": now,
                ":latest": now.millis().saturating_add(MAX_CLOCK_SETBACK_MS),
            },
            |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u32>(2)?)),
        )
        .optional()?;
    match found {
        None => Err(Error::InvalidClassCode),
        Some((.., guests)) if guests >= MAX_GUESTS => Err(Error::ClassFull(MAX_GUESTS)),
        Some((id, ends_at, _)) => Ok((id, ends_at)),
    }
}

/// Inserts the account of a guest of this class. Returns [`Error::UsernameTaken`] if another account
/// has its name.
pub fn insert_guest(
    db: &Connection,
    class: i64,
    new: &NewAccount,
    now: Timestamp,
) -> Result<Account> {
    let id = users::insert(db, new, now)?.id;
    Ok(db
        .prepare_cached(&format!(
            "UPDATE users SET class_id = ?2 WHERE id = ?1 RETURNING {}",
            users::COLUMNS
        ))?
        .query_row([id, class], |row| users::account(row, 0))?)
}

/// Returns [`Error::Guest`] if the account `id` is a guest's.
pub fn ensure_no_guest(db: &Connection, id: i64) -> Result<()> {
    let is_guest = db
        .prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND class_id IS NOT NULL")?
        .exists([id])?;
    if is_guest { Err(Error::Guest) } else { Ok(()) }
}

/// Deletes guests of a class with their bottles, and the class after the last one. Returns false if
/// some are left to the next call.
pub fn delete_guests(db: &Connection, class: i64) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT id, (SELECT count(*) FROM bottles WHERE owner_id = users.id)
         FROM users WHERE class_id = ?1 ORDER BY id",
    )?;
    let guests: Vec<(i64, i64)> = statement
        .query_map([class], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut deleted = 0;
    for (guest, bottles) in guests {
        if deleted > 0 && deleted + bottles > MAX_DELETED_BOTTLES {
            return Ok(false);
        }
        account_deletion::delete_all(db, guest, None)?;
        deleted += bottles;
    }
    db.prepare_cached("DELETE FROM classes WHERE id = ?1")?.execute([class])?;
    Ok(true)
}

/// Returns true if a class whose time has passed still has a code.
pub fn any_due(db: &Connection, now: Timestamp) -> Result<bool> {
    let sql = "SELECT 1 FROM classes WHERE ends_at <= ?1 AND code IS NOT NULL";
    Ok(db.prepare_cached(sql)?.exists([now])?)
}

/// Removes the codes of the classes whose time has passed, so that a clock that is set back later
/// does not revive them.
pub fn end_due(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE classes SET code = NULL WHERE ends_at <= ?1 AND code IS NOT NULL")?
        .execute([now])?;
    Ok(())
}

/// Returns the id of a class that ended at `end` or earlier.
pub fn ended_by(db: &Connection, end: Timestamp) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT id FROM classes WHERE ends_at <= ?1 ORDER BY ends_at LIMIT 1")?
        .query_row([end], |row| row.get(0))
        .optional()?)
}
