//! The table `openings`: the first opening of a bottle by each account.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::bottles::{Bottle, COLUMN_COUNT, COLUMNS, TABLES, bottle};
use super::pages::{PageRequest, fill, row_limit};
use super::past_openings;
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};

/// A bottle that an account opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The bottle.
    pub bottle: Bottle,
    /// The account that threw it.
    pub owner: Account,
    /// The time at which the account first opened it.
    pub open_at: Timestamp,
}

/// An account that opened a bottle.
#[derive(Clone, Debug, PartialEq)]
pub struct Opener {
    /// The account.
    pub account: Account,
    /// The time of its first opening.
    pub open_at: Timestamp,
}

fn opened_bottle(row: &Row<'_>) -> rusqlite::Result<Opened> {
    Ok(Opened {
        bottle: bottle(row)?,
        owner: users::account(row, COLUMN_COUNT)?,
        open_at: row.get(COLUMN_COUNT + users::COLUMN_COUNT)?,
    })
}

/// Passes the bottles that `opener` opened to `show`, in the order of opening; see
/// [`super::pages`]. Nothing follows a cursor whose opening never existed, or was deleted more than
/// a day ago.
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
        "SELECT {COLUMNS}, {account}, opened_at
         FROM openings JOIN ({TABLES}) ON bottles.id = openings.bottle_id
             JOIN users ON users.id = owner_id
         WHERE opener_id = :opener AND hidden_at IS NULL
           AND (opened_at, openings.bottle_id) > (:opened_at, :after)
         ORDER BY opened_at, openings.bottle_id LIMIT 0 + :limit",
        account = users::COLUMNS
    ))?;
    let rows = statement.query(named_params! {
        ":opener": opener, ":opened_at": opened_at, ":after": after, ":limit": row_limit(page),
    })?;
    fill(rows, page, opened_bottle, show)
}

/// Returns the sort key and the id after which the page begins; `None` if the sort key of `after`
/// is unknown.
fn cursor(
    page: PageRequest,
    sort_key: impl FnOnce(i64) -> Result<Option<i64>>,
) -> Result<Option<(i64, i64)>> {
    match page.after {
        None => Ok(Some((i64::MIN, i64::MIN))),
        Some(after) => Ok(sort_key(after)?.map(|key| (key, after))),
    }
}

/// Opens a bottle. Records the first opening by an account other than the owner, and returns true
/// with the bottle if it did. Returns [`Error::NoSuchBottle`] if the bottle does not exist, or is
/// hidden and another account's.
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
            "SELECT {COLUMNS}, {account}, coalesce(opened_at, ?3)
         FROM {TABLES} JOIN users ON users.id = owner_id
         LEFT JOIN openings ON openings.bottle_id = bottles.id AND opener_id = ?2
         WHERE bottles.id = ?1 AND (hidden_at IS NULL OR owner_id = ?2)",
            account = users::COLUMNS
        ))?
        .query_row(params![id, opener, now], opened_bottle)
        .optional()?;
    opened.map(|opened| (opened, recorded == 1)).ok_or_else(|| Error::NoSuchBottle(id.to_string()))
}

/// Returns the number of accounts that have opened the bottle; 0 if it does not exist.
pub fn openers_count(db: &Connection, id: i64) -> Result<i64> {
    Ok(db
        .prepare_cached("SELECT openers_count FROM bottles WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// Passes the openers of the bottle to `show`, in the order of opening; the cursor of a page is the
/// id of its last account.
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
        Ok(Opener { account: users::account(row, 0)?, open_at: row.get(users::COLUMN_COUNT)? })
    };
    fill(rows, page, opener, show)
}
