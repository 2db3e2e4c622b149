//! The tables `bottles` and `messages`.

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::pages::{PageRequest, fill, row_limit};
use super::users::Account;
use super::{blocks, sqlite_error};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::{Address, Content, OpenWithin, Style};
use crate::model::geo::Position;

/// A bottle with its message.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottle {
    /// The id, which is never reused.
    pub id: i64,
    /// The message.
    pub content: String,
    /// The address: text that describes the position.
    pub formatted_address: String,
    /// The position.
    pub position: Position,
    /// The look: blue, green or yellow.
    pub style: Style,
    /// The time of the throw.
    pub created_at: Timestamp,
    /// The number of accounts other than the owner that have opened it.
    pub openers_count: i64,
    /// The time at which it was hidden from all accounts but its owner's.
    pub hidden_at: Option<Timestamp>,
    /// The time at which it leaves the sea by itself.
    pub expires_at: Option<Timestamp>,
    /// The time at which it left the sea by itself.
    pub ended_at: Option<Timestamp>,
    /// The distance in metres within which other accounts can open it; `None` for any.
    pub open_within_m: Option<u32>,
    /// The number of visible replies in all its threads.
    pub replies_count: i64,
    /// The number of replies that its owner has not read.
    pub unread_count: i64,
}

/// The values of a bottle before it is thrown.
#[derive(Clone, Debug)]
pub struct NewBottle {
    /// The message.
    pub content: Content,
    /// The address: text that describes the position.
    pub formatted_address: Address,
    /// The position.
    pub position: Position,
    /// The look: blue, green or yellow.
    pub style: Style,
    /// The time at which it leaves the sea by itself.
    pub expires_at: Option<Timestamp>,
    /// The distance in metres within which other accounts can open it; `None` for any.
    pub open_within: Option<OpenWithin>,
}

/// The columns of [`TABLES`] that [`bottle`] reads, in its order.
pub(super) const COLUMNS: &str =
    "bottles.id, messages.content, bottles.formatted_address, bottles.latitude,
    bottles.longitude, bottles.style, bottles.created_at, bottles.openers_count, bottles.hidden_at,
    bottles.expires_at, bottles.ended_at, bottles.open_within_m, bottles.replies_count,
    bottles.unread_count";
/// The bottles with their messages.
pub(super) const TABLES: &str = "bottles JOIN messages ON messages.bottle_id = bottles.id";
/// The number of [`COLUMNS`].
pub(super) const COLUMN_COUNT: usize = 14;

/// Reads a [`Bottle`] from [`COLUMNS`].
pub(super) fn bottle(row: &Row<'_>) -> rusqlite::Result<Bottle> {
    Ok(Bottle {
        id: row.get(0)?,
        content: row.get(1)?,
        formatted_address: row.get(2)?,
        position: position(row, 3)?,
        style: row.get(5)?,
        created_at: row.get(6)?,
        openers_count: row.get(7)?,
        hidden_at: row.get(8)?,
        expires_at: row.get(9)?,
        ended_at: row.get(10)?,
        open_within_m: row.get(11)?,
        replies_count: row.get(12)?,
        unread_count: row.get(13)?,
    })
}

/// Reads a [`Position`] from the columns `first` (latitude) and `first + 1` (longitude).
pub(super) fn position(row: &Row<'_>, first: usize) -> rusqlite::Result<Position> {
    Position::new(row.get(first)?, row.get(first + 1)?)
        .map_err(|e| FromSqlError::Other(Box::new(e)).into())
}

/// Inserts a bottle. Returns [`Error::NotLoggedIn`] if the account `owner` does not exist.
pub fn insert(db: &Connection, owner: i64, new: &NewBottle, now: Timestamp) -> Result<Bottle> {
    db.prepare_cached(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at,
                              expires_at, open_within_m)
         VALUES (:owner, :address, :latitude, :longitude, :style, :now, :expires_at, :open_within_m)",
    )?
    .execute(named_params! {
        ":owner": owner,
        ":address": new.formatted_address.as_str(),
        ":latitude": new.position.latitude(),
        ":longitude": new.position.longitude(),
        ":style": new.style,
        ":now": now,
        ":expires_at": new.expires_at,
        ":open_within_m": new.open_within.map(OpenWithin::metres),
    })
    .map_err(|e| if sqlite_error::is_foreign_key(&e) { Error::NotLoggedIn } else { e.into() })?;
    let id = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO messages (bottle_id, content) VALUES (?1, ?2)")?
        .execute(params![id, new.content.as_str()])?;
    Ok(Bottle {
        id,
        content: new.content.as_str().to_owned(),
        formatted_address: new.formatted_address.as_str().to_owned(),
        position: new.position,
        style: new.style,
        created_at: now,
        openers_count: 0,
        hidden_at: None,
        expires_at: new.expires_at,
        ended_at: None,
        open_within_m: new.open_within.map(OpenWithin::metres),
        replies_count: 0,
        unread_count: 0,
    })
}

/// Returns a bottle.
pub fn find(db: &Connection, id: i64) -> Result<Option<Bottle>> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE bottles.id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([id], bottle).optional()?)
}

/// Passes the bottles that `owner` threw to `show`, oldest first; see [`super::pages`].
pub fn by_owner(
    db: &Connection,
    owner: i64,
    page: PageRequest,
    show: impl FnMut(Bottle) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE owner_id = ?1 AND id > ?2 ORDER BY id LIMIT 0 + ?3"
    ))?;
    let rows = statement.query(params![owner, page.after.unwrap_or(0), row_limit(page)])?;
    fill(rows, page, bottle, show)
}

/// Deletes a bottle with its openings and reports. Returns its position if it was on the sea, and
/// `None` if it was hidden, had ended or does not exist.
pub fn delete(db: &Connection, id: i64) -> Result<Option<Position>> {
    let deleted = db
        .prepare_cached("DELETE FROM bottles WHERE id = ?1 RETURNING latitude, longitude, on_sea")?
        .query_row([id], |row| Ok((position(row, 0)?, row.get::<_, bool>(2)?)))
        .optional()?;
    Ok(deleted.filter(|(_, on_sea)| *on_sea).map(|(position, _)| position))
}

/// Returns the owner of a bottle that is on the sea.
pub fn owner_on_sea(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(ownership(db, id)?.filter(|ownership| ownership.on_sea).map(|ownership| ownership.owner))
}

/// Returns the owner of a bottle, on the sea or not.
pub fn owner(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(ownership(db, id)?.map(|ownership| ownership.owner))
}

/// The owner and the visibility of a bottle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The account that threw it.
    pub owner: i64,
    /// False if all accounts but the owner's must not learn that it exists.
    pub on_sea: bool,
    /// True if it has left the sea by itself.
    pub has_ended: bool,
}

/// Reads the ownership of a bottle; `None` if the bottle does not exist.
pub fn ownership(db: &Connection, id: i64) -> Result<Option<Ownership>> {
    let sql = "SELECT owner_id, on_sea, ended_at IS NOT NULL FROM bottles WHERE id = ?1";
    let ownership = |row: &Row<'_>| {
        Ok(Ownership { owner: row.get(0)?, on_sea: row.get(1)?, has_ended: row.get(2)? })
    };
    Ok(db.prepare_cached(sql)?.query_row([id], ownership).optional()?)
}

/// Checks that the bottle exists and belongs to `account`.
///
/// Returns [`Error::NotOwner`] if it belongs to another account, and the error of
/// [`visible_owner`] if this account must not learn that it exists.
pub fn check_owner(db: &Connection, id: i64, account: &Account) -> Result<()> {
    if visible_owner(db, id, account)? == account.id { Ok(()) } else { Err(Error::NotOwner) }
}

/// Returns the owner of a bottle.
///
/// Returns [`Error::NoSuchBottle`] if the bottle does not exist, or is another account's and not on
/// the sea or its owner has blocked `account`, which is not a teacher's.
pub fn visible_owner(db: &Connection, id: i64, account: &Account) -> Result<i64> {
    let ownership = ownership(db, id)?.ok_or_else(|| Error::NoSuchBottle(id.to_string()))?;
    let owner = ownership.owner;
    let is_visible = owner == account.id
        || ownership.on_sea && (account.is_teacher || !blocks::exists(db, owner, account.id)?);
    if is_visible { Ok(owner) } else { Err(Error::NoSuchBottle(id.to_string())) }
}
