//! The table `openings`: the first opening of a bottle by each account.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::bottles::{Bottle, COLUMN_COUNT, COLUMNS, TABLES, bottle};
use super::pages::{PageRequest, fill, row_limit};
use super::past_openings;
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::geo::Position;

/// A bottle that an account opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The bottle.
    pub bottle: Bottle,
    /// The account that threw it.
    pub owner: Account,
    /// The time at which the account first opened it.
    pub open_at: Timestamp,
    /// The account's own thread with the owner.
    pub thread: ThreadCounts,
}

/// The counts of a thread, as one of its sides sees them; 0 if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadCounts {
    /// The number of visible replies.
    pub replies: i64,
    /// The number of visible replies of the other side that this one has not read.
    pub unread: i64,
}

/// An account that opened a bottle.
#[derive(Clone, Debug, PartialEq)]
pub struct Opener {
    /// The account.
    pub account: Account,
    /// The time of its first opening.
    pub open_at: Timestamp,
    /// The thread of the owner with it.
    pub thread: ThreadCounts,
}

/// The [`ThreadCounts`] of an opener, in a query with the outer join [`JOIN_THREAD`].
const THREAD: &str = "coalesce(threads.replies_count, 0), coalesce(opener_unread, 0)";

/// Joins the thread of `:opener`. One with an owner whom the opener has blocked counts as empty.
const JOIN_THREAD: &str = "
    LEFT JOIN threads ON threads.bottle_id = bottles.id AND threads.opener_id = :opener
        AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = :opener AND blocked_id = owner_id)";

/// The [`ThreadCounts`] of an owner, in a query with an outer join of `threads`. A thread with an
/// opener whom the owner has blocked counts as empty.
const OWNERS_THREAD: &str = "iif(owner_blocks, 0, coalesce(threads.replies_count, 0)),
    iif(owner_blocks, 0, coalesce(owner_unread, 0))";

/// Returns the condition that the owner of a bottle has not blocked `account`.
fn not_blocked(account: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = owner_id AND blocked_id = {account})"
    )
}

/// The number of columns that [`opened_bottle`] reads.
const OPENED_COLUMN_COUNT: usize = COLUMN_COUNT + users::COLUMN_COUNT + 3;

fn opened_bottle(row: &Row<'_>) -> rusqlite::Result<Opened> {
    let next = COLUMN_COUNT + users::COLUMN_COUNT;
    Ok(Opened {
        bottle: bottle(row)?,
        owner: users::account(row, COLUMN_COUNT)?,
        open_at: row.get(next)?,
        thread: ThreadCounts { replies: row.get(next + 1)?, unread: row.get(next + 2)? },
    })
}

/// Passes the bottles that `opener` opened to `show`, in the order of opening, without those of
/// owners who have blocked it, unless it is a teacher's; see [`super::pages`]. Nothing follows a cursor whose opening never existed, or was deleted more than
/// a day ago.
pub fn opened(
    db: &Connection,
    opener: &Account,
    page: PageRequest,
    show: impl FnMut(Opened) -> Result<usize>,
) -> Result<bool> {
    let Some((opened_at, after)) =
        cursor(page, |bottle| past_openings::opened_at(db, bottle, opener.id))?
    else {
        return Ok(false);
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {account}, opened_at, {THREAD}
         FROM openings JOIN ({TABLES}) ON bottles.id = openings.bottle_id
             JOIN users ON users.id = owner_id {JOIN_THREAD}
         WHERE openings.opener_id = :opener AND on_sea AND (:is_teacher OR {not_blocked})
           AND (opened_at, openings.bottle_id) > (:opened_at, :after)
         ORDER BY opened_at, openings.bottle_id LIMIT 0 + :limit",
        account = users::COLUMNS,
        not_blocked = not_blocked(":opener"),
    ))?;
    let rows = statement.query(named_params! {
        ":opener": opener.id, ":is_teacher": opener.is_teacher, ":opened_at": opened_at,
        ":after": after, ":limit": row_limit(page),
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

/// Opens a bottle from the position `at`. Records the first opening by an account other than the
/// owner, and returns true with the bottle if it did.
///
/// Returns [`Error::NoSuchBottle`] if the bottle does not exist, or is another account's and not on
/// the sea or its owner has blocked the opener; [`Error::TooFar`] or [`Error::NoPosition`] if it can
/// be opened nearby only. A teacher is neither blocked nor too far, and an opener reads a bottle
/// again from anywhere.
pub fn open(
    db: &Connection,
    id: i64,
    opener: &Account,
    at: Option<Position>,
    now: Timestamp,
) -> Result<(Opened, bool)> {
    let (mut opened, is_recorded) =
        find_to_open(db, id, opener, now)?.ok_or_else(|| Error::NoSuchBottle(id.to_string()))?;
    if is_recorded || opened.owner.id == opener.id {
        return Ok((opened, false));
    }
    if !opener.is_teacher {
        check_distance(&opened.bottle, at)?;
    }
    db.prepare_cached(
        "INSERT INTO openings (bottle_id, opener_id, opened_at) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![id, opener.id, now])?;
    opened.bottle.openers_count += 1;
    Ok((opened, true))
}

/// Returns the bottle if the account may learn that it exists, and true if it has opened it.
fn find_to_open(
    db: &Connection,
    id: i64,
    opener: &Account,
    now: Timestamp,
) -> Result<Option<(Opened, bool)>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {COLUMNS}, {account}, coalesce(opened_at, :now), {THREAD},
                    opened_at IS NOT NULL
             FROM {TABLES} JOIN users ON users.id = owner_id
             LEFT JOIN openings ON openings.bottle_id = bottles.id AND openings.opener_id = :opener
             {JOIN_THREAD}
             WHERE bottles.id = :id
               AND (owner_id = :opener OR on_sea AND (:is_teacher OR {not_blocked}))",
            account = users::COLUMNS,
            not_blocked = not_blocked(":opener"),
        )
    });
    Ok(db
        .prepare_cached(&SQL)?
        .query_row(
            named_params! {
                ":id": id, ":opener": opener.id, ":is_teacher": opener.is_teacher, ":now": now,
            },
            |row| Ok((opened_bottle(row)?, row.get(OPENED_COLUMN_COUNT)?)),
        )
        .optional()?)
}

/// Returns true if the account has opened the bottle.
pub fn has_opened(db: &Connection, bottle: i64, opener: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM openings WHERE bottle_id = ?1 AND opener_id = ?2";
    Ok(db.prepare_cached(sql)?.exists([bottle, opener])?)
}

/// Returns [`Error::TooFar`] or [`Error::NoPosition`] unless the bottle can be opened from `at`.
fn check_distance(bottle: &Bottle, at: Option<Position>) -> Result<()> {
    let Some(open_within_m) = bottle.open_within_m else { return Ok(()) };
    let at = at.ok_or(Error::NoPosition { open_within_m })?;
    let distance_m = bottle.position.metres_to(at);
    if distance_m <= f64::from(open_within_m) { Ok(()) } else { Err(Error::TooFar { distance_m }) }
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
        "SELECT {account}, opened_at, {OWNERS_THREAD}
         FROM openings JOIN users ON users.id = openings.opener_id
             LEFT JOIN threads ON threads.bottle_id = openings.bottle_id
                 AND threads.opener_id = openings.opener_id
         WHERE openings.bottle_id = :bottle AND (opened_at, openings.opener_id) > (:opened_at, :after)
         ORDER BY opened_at, openings.opener_id LIMIT 0 + :limit",
        account = users::COLUMNS
    ))?;
    let rows = statement.query(named_params! {
        ":bottle": id, ":opened_at": opened_at, ":after": after, ":limit": row_limit(page),
    })?;
    let opener = |row: &Row<'_>| {
        let next = users::COLUMN_COUNT;
        let thread = ThreadCounts { replies: row.get(next + 1)?, unread: row.get(next + 2)? };
        Ok(Opener { account: users::account(row, 0)?, open_at: row.get(next)?, thread })
    };
    fill(rows, page, opener, show)
}
