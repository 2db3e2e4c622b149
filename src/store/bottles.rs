//! Bottles, where they are, and who opened them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

pub use super::pages::PageRequest;
use super::pages::{fill, row_limit};
use super::past_openings;
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::{Address, Content, Style};
use crate::model::geo::Position;

/// A bottle, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottle {
    /// Given once, never again to another.
    pub id: i64,
    /// The message.
    pub content: String,
    /// Where it was thrown, in words.
    pub formatted_address: String,
    /// Where it was thrown.
    pub position: Position,
    /// How it looks.
    pub style: Style,
    /// When it was thrown.
    pub created_at: Timestamp,
    /// How many others have opened it.
    pub openers_count: i64,
    /// Since when it is hidden from all but its owner, if it is.
    pub hidden_at: Option<Timestamp>,
}

/// A bottle as it is seen on the map, closed.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct MapBottle {
    pub id: i64,
    pub owner: i64,
    pub style: Style,
    pub position: Position,
    pub formatted_address: String,
}

impl MapBottle {
    /// How `bottle`, which `owner` threw, is seen.
    pub fn of(bottle: &Bottle, owner: i64) -> Self {
        Self {
            id: bottle.id,
            owner,
            style: bottle.style,
            position: bottle.position,
            formatted_address: bottle.formatted_address.clone(),
        }
    }
}

/// A bottle to throw.
#[derive(Clone, Debug)]
pub struct NewBottle {
    /// The message.
    pub content: Content,
    /// Where, in words.
    pub formatted_address: Address,
    /// Where.
    pub position: Position,
    /// How it looks.
    pub style: Style,
}

/// A bottle that someone opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The bottle.
    pub bottle: Bottle,
    /// Who threw it.
    pub owner: Account,
    /// When it was first opened by the one who asks.
    pub open_at: Timestamp,
}

/// Someone who opened a bottle.
#[derive(Clone, Debug, PartialEq)]
pub struct Opener {
    /// Who.
    pub account: Account,
    /// When first.
    pub open_at: Timestamp,
}

pub(super) const BOTTLE: &str =
    "bottles.id, bottles.content, bottles.formatted_address, bottles.latitude,
    bottles.longitude, bottles.style, bottles.created_at, bottles.openers_count, bottles.hidden_at";
pub(super) const BOTTLE_WIDTH: usize = 9;

/// The columns that [`spot`] reads.
pub(super) const SPOT: &str = "id, owner_id, style, latitude, longitude, formatted_address";

pub(super) fn spot(row: &Row<'_>) -> rusqlite::Result<MapBottle> {
    Ok(MapBottle {
        id: row.get(0)?,
        owner: row.get(1)?,
        style: row.get(2)?,
        position: position(row, 3)?,
        formatted_address: row.get(5)?,
    })
}

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
    })
}

pub(super) fn position(row: &Row<'_>, first: usize) -> rusqlite::Result<Position> {
    Position::new(row.get(first)?, row.get(first + 1)?)
        .map_err(|e| FromSqlError::Other(Box::new(e)).into())
}

fn opened_bottle(row: &Row<'_>) -> rusqlite::Result<Opened> {
    Ok(Opened {
        bottle: bottle(row)?,
        owner: users::account(row, BOTTLE_WIDTH)?,
        open_at: row.get(BOTTLE_WIDTH + users::WIDTH)?,
    })
}

/// Throws a bottle.
pub fn insert(db: &Connection, owner: i64, new: &NewBottle, now: Timestamp) -> Result<Bottle> {
    db.prepare_cached(&format!(
        "INSERT INTO bottles
             (owner_id, content, formatted_address, latitude, longitude, style, created_at)
         VALUES (:owner, :content, :address, :latitude, :longitude, :style, :now)
         RETURNING {BOTTLE}"
    ))?
    .query_row(
        named_params! {
            ":owner": owner,
            ":content": new.content.as_str(),
            ":address": new.formatted_address.as_str(),
            ":latitude": new.position.latitude(),
            ":longitude": new.position.longitude(),
            ":style": new.style,
            ":now": now,
        },
        bottle,
    )
    .map_err(|e| if super::is_foreign_key(&e) { Error::NotLoggedIn } else { e.into() })
}

/// Shows `show` the bottles that `owner` threw, oldest first; see [`super::pages`].
pub fn created(
    db: &Connection,
    owner: i64,
    page: PageRequest,
    show: impl FnMut(Bottle) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {BOTTLE} FROM bottles WHERE owner_id = ?1 AND id > ?2 ORDER BY id LIMIT 0 + ?3"
    ))?;
    let rows = statement.query(params![owner, page.after.unwrap_or(0), row_limit(page)])?;
    fill(rows, page, bottle, show)
}

/// Shows `show` the bottles that `opener` opened, in the order of opening; none after a bottle that was never
/// opened, or is gone for more than a day.
pub fn opened(
    db: &Connection,
    opener: i64,
    page: PageRequest,
    show: impl FnMut(Opened) -> Result<usize>,
) -> Result<bool> {
    let Some((opened_at, after)) =
        cursor(page, |bottle| past_openings::opened_at(db, bottle, opener))?
    else {
        return Ok(false);
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {BOTTLE}, {account}, opened_at
         FROM openings JOIN bottles ON bottles.id = bottle_id JOIN users ON users.id = owner_id
         WHERE opener_id = :opener AND hidden_at IS NULL
           AND (opened_at, bottle_id) > (:opened_at, :after)
         ORDER BY opened_at, bottle_id LIMIT 0 + :limit",
        account = users::COLUMNS
    ))?;
    let rows = statement.query(named_params! {
        ":opener": opener, ":opened_at": opened_at, ":after": after, ":limit": row_limit(page),
    })?;
    fill(rows, page, opened_bottle, show)
}

/// The sort key and the id after which the page begins; `None` where the sort key of `after` is unknown.
fn cursor(
    page: PageRequest,
    sort_key: impl FnOnce(i64) -> Result<Option<i64>>,
) -> Result<Option<(i64, i64)>> {
    match page.after {
        None => Ok(Some((i64::MIN, i64::MIN))),
        Some(after) => Ok(sort_key(after)?.map(|key| (key, after))),
    }
}

/// Opens a bottle: the first opening by someone else than its owner is recorded and stands for good;
/// the owner's own look is not. Whether this was recorded.
pub fn open(db: &Connection, id: i64, opener: i64, now: Timestamp) -> Result<(Opened, bool)> {
    let recorded = db
        .prepare_cached(
            "INSERT INTO openings (bottle_id, opener_id, opened_at)
         SELECT id, ?2, ?3 FROM bottles WHERE id = ?1 AND owner_id <> ?2 AND hidden_at IS NULL
         ON CONFLICT DO NOTHING",
        )?
        .execute(params![id, opener, now])?;

    let opened = db
        .prepare_cached(&format!(
            "SELECT {BOTTLE}, {account}, coalesce(opened_at, ?3)
         FROM bottles JOIN users ON users.id = owner_id
         LEFT JOIN openings ON bottle_id = bottles.id AND opener_id = ?2
         WHERE bottles.id = ?1 AND (hidden_at IS NULL OR owner_id = ?2)",
            account = users::COLUMNS
        ))?
        .query_row(params![id, opener, now], opened_bottle)
        .optional()?;
    opened.map(|opened| (opened, recorded == 1)).ok_or_else(|| Error::NoSuchBottle(id.to_string()))
}

/// Deletes a bottle with its openings and reports, if it is there; where it was, if it was on the sea.
pub fn delete(db: &Connection, id: i64) -> Result<Option<Position>> {
    let deleted = db
        .prepare_cached(
            "DELETE FROM bottles WHERE id = ?1 RETURNING latitude, longitude, hidden_at IS NULL",
        )?
        .query_row([id], |row| Ok((position(row, 0)?, row.get::<_, bool>(2)?)))
        .optional()?;
    Ok(deleted.filter(|(_, on_sea)| *on_sea).map(|(position, _)| position))
}

/// Whose bottle this is, if it is not hidden.
pub fn owner_on_sea(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached("SELECT owner_id FROM bottles WHERE id = ?1 AND hidden_at IS NULL")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Whose bottle this is.
pub fn owner(db: &Connection, id: i64) -> Result<Option<i64>> {
    Ok(ownership(db, id)?.map(|found| found.owner))
}

/// Whose a bottle is, and whether others may learn that there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ownership {
    /// The account that threw it.
    pub owner: i64,
    /// Whether it is hidden from all but its owner.
    pub is_hidden: bool,
}

/// The ownership of a bottle, if the bottle exists.
fn ownership(db: &Connection, id: i64) -> Result<Option<Ownership>> {
    Ok(db
        .prepare_cached("SELECT owner_id, hidden_at IS NOT NULL FROM bottles WHERE id = ?1")?
        .query_row([id], |row| Ok(Ownership { owner: row.get(0)?, is_hidden: row.get(1)? }))
        .optional()?)
}

/// Fails unless the bottle exists and is `account`'s. [`Error::NoSuchBottle`] if it is hidden and
/// another's: only its owner learns that it exists.
pub fn check_owner(db: &Connection, id: i64, account: i64) -> Result<()> {
    match ownership(db, id)? {
        Some(found) if found.owner == account => Ok(()),
        Some(found) if !found.is_hidden => Err(Error::NotOwner),
        _ => Err(Error::NoSuchBottle(id.to_string())),
    }
}

/// How many have opened the bottle.
pub fn openers_count(db: &Connection, id: i64) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT openers_count FROM bottles WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Shows `show` who opened the bottle, in the order of opening; a page goes on after the account with that id.
pub fn openers(
    db: &Connection,
    id: i64,
    page: PageRequest,
    show: impl FnMut(Opener) -> Result<usize>,
) -> Result<bool> {
    let Some((opened_at, after)) = cursor(page, |opener| past_openings::opened_at(db, id, opener))?
    else {
        return Ok(false);
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {account}, opened_at
         FROM openings JOIN users ON users.id = opener_id
         WHERE bottle_id = :bottle AND (opened_at, opener_id) > (:opened_at, :after)
         ORDER BY opened_at, opener_id LIMIT 0 + :limit",
        account = users::COLUMNS
    ))?;
    let rows = statement.query(named_params! {
        ":bottle": id, ":opened_at": opened_at, ":after": after, ":limit": row_limit(page),
    })?;
    let opener = |row: &Row<'_>| {
        Ok(Opener { account: users::account(row, 0)?, open_at: row.get(users::WIDTH)? })
    };
    fill(rows, page, opener, show)
}

impl ToSql for Style {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.number().into())
    }
}

impl FromSql for Style {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_i64()?).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}
