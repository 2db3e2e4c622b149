//! Moderation: reports, hidden bottles, muted accounts, and the freeze.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bottles::{self, Bottle};
use super::map_bottle::{self, MapBottle, map_bottle};
use super::operators;
use super::pages::{PageRequest, fill, row_limit};
use super::reported_replies::{self, ReportedReply};
pub use super::reports::{CaseFilter, Report, ReportOutcome};
use super::reports::{ReportState, report_row, report_state};
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::Reason;

/// A bottle for a teacher's decision, with its reports.
#[derive(Clone, Debug)]
pub struct ReportedBottle {
    /// The bottle.
    pub bottle: Bottle,
    /// The account that threw it.
    pub owner: Account,
    /// The time until which the owner is muted.
    pub muted_until: Option<Timestamp>,
    /// The reports, oldest first.
    pub reports: Vec<Report>,
    /// The reported or hidden replies in its threads, oldest first.
    pub replies: Vec<ReportedReply>,
}

/// Returns [`Error::Frozen`] or [`Error::Muted`] if the account may not throw now.
pub fn ensure_can_throw(db: &Connection, account: i64, now: Timestamp) -> Result<()> {
    let status: Option<(Option<Timestamp>, bool)> = db
        .prepare_cached(
            "SELECT muted_until, EXISTS (SELECT 1 FROM meta WHERE key = 'frozen')
             FROM users WHERE id = ?1",
        )?
        .query_row([account], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match status {
        Some((_, true)) => Err(Error::Frozen),
        Some((Some(until), _)) if until > now => Err(Error::Muted(until)),
        _ => Ok(()),
    }
}

/// Reports a bottle, once per reporter. Returns the state of its reports.
///
/// Returns [`Error::NoSuchBottle`] if the reporter cannot see the bottle, and [`Error::OwnBottle`]
/// if it is theirs.
pub fn report(
    db: &Connection,
    bottle: i64,
    reporter: &Account,
    reason: &Reason,
    now: Timestamp,
) -> Result<ReportState> {
    let owner = bottles::visible_owner(db, bottle, reporter)?;
    if bottles::owner_on_sea(db, bottle)?.is_none() {
        return Err(Error::NoSuchBottle(bottle.to_string()));
    }
    if owner == reporter.id {
        return Err(Error::OwnBottle);
    }
    let stored = db
        .prepare_cached(
            "INSERT INTO reports (bottle_id, reporter_id, reason, reported_at)
             VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![bottle, reporter.id, reason.as_str(), now])?;
    let sql = "SELECT count(*) FILTER (WHERE settled_at IS NULL),
                      max(reporter_id = ?2 AND settled_at IS NOT NULL)
               FROM reports WHERE bottle_id = ?1";
    let state = |row: &Row<'_>| report_state(row, stored == 1);
    Ok(db.prepare_cached(sql)?.query_row([bottle, reporter.id], state)?)
}

/// A bottle that was hidden or shown.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The bottle.
    pub bottle: MapBottle,
    /// True if it had ended, so it was not and is not on the sea.
    pub has_ended: bool,
}

/// Hides a bottle, or shows it again. Returns the bottle, or `None` if it was in that state
/// already.
pub fn set_hidden(db: &Connection, id: i64, hidden_at: Option<Timestamp>) -> Result<Option<Moved>> {
    let changed = db
        .prepare_cached(&format!(
            "UPDATE bottles SET hidden_at = ?2
             WHERE id = ?1 AND (hidden_at IS NULL) <> (?2 IS NULL) RETURNING {}, ended_at IS NOT NULL",
            map_bottle::COLUMNS
        ))?
        .query_row(params![id, hidden_at], |row| {
            let has_ended = row.get(map_bottle::COLUMN_COUNT)?;
            Ok(Moved { bottle: map_bottle(row)?.into(), has_ended })
        })
        .optional()?;
    match changed {
        None if bottles::owner(db, id)?.is_none() => Err(Error::NoSuchBottle(id.to_string())),
        changed => Ok(changed),
    }
}

/// Settles all reports of a bottle.
pub fn settle(db: &Connection, bottle: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE reports SET settled_at = ?2 WHERE bottle_id = ?1 AND settled_at IS NULL",
    )?
    .execute(params![bottle, now])?;
    Ok(())
}

/// Mutes an account until a time, or unmutes it. Returns [`Error::NoSuchUser`] if it does not
/// exist, and [`Error::LastOperator`] for a mute of the only operator.
pub fn mute(db: &Connection, account: i64, until: Option<Timestamp>) -> Result<()> {
    if until.is_some() {
        operators::ensure_not_last(db, account)?;
    }
    let muted = db
        .prepare_cached("UPDATE users SET muted_until = ?2 WHERE id = ?1")?
        .execute(params![account, until])?;
    if muted == 1 { Ok(()) } else { Err(Error::NoSuchUser(account.to_string())) }
}

/// Freezes throwing for everyone, or ends the freeze. Returns false if that was the state already.
pub fn freeze(db: &Connection, frozen: bool) -> Result<bool> {
    let sql = match frozen {
        true => "INSERT INTO meta (key, value) VALUES ('frozen', 'yes') ON CONFLICT DO NOTHING",
        false => "DELETE FROM meta WHERE key = 'frozen'",
    };
    Ok(db.prepare_cached(sql)?.execute([])? == 1)
}

/// Returns true if throwing is frozen.
pub fn is_frozen(db: &Connection) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM meta WHERE key = 'frozen'")?.exists([])?)
}

/// Returns the muted accounts and the ends of their mutes, soonest first.
pub fn muted(db: &Connection, now: Timestamp) -> Result<Vec<(Account, Timestamp)>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {}, muted_until FROM users WHERE muted_until > ?1 ORDER BY muted_until",
        users::COLUMNS
    ))?;
    let muted = statement
        .query_map([now], |row| Ok((users::account(row, 0)?, row.get(users::COLUMN_COUNT)?)))?;
    Ok(muted.collect::<rusqlite::Result<_>>()?)
}

/// Passes the reported or hidden bottles to `show`, by id; see [`super::pages`].
pub fn cases(
    db: &Connection,
    filter: CaseFilter,
    page: PageRequest,
    mut show: impl FnMut(ReportedBottle) -> Result<usize>,
) -> Result<bool> {
    let condition = match filter {
        CaseFilter::Reported => {
            "bottles.id IN (
                 SELECT bottle_id FROM reports WHERE settled_at IS NULL
                 UNION ALL SELECT bottle_id FROM replies
                 WHERE id IN (SELECT reply_id FROM reply_reports WHERE settled_at IS NULL))"
        }
        CaseFilter::Hidden => {
            "bottles.id IN (
                 SELECT id FROM bottles WHERE hidden_at IS NOT NULL
                 UNION ALL SELECT bottle_id FROM replies WHERE hidden_at IS NOT NULL)"
        }
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {bottle}, {account}, muted_until
         FROM {tables} JOIN users ON users.id = owner_id
         WHERE {condition} AND bottles.id > ?1 ORDER BY bottles.id LIMIT 0 + ?2",
        bottle = bottles::COLUMNS,
        tables = bottles::TABLES,
        account = users::COLUMNS
    ))?;
    let rows = statement.query(params![page.after.unwrap_or(0), row_limit(page)])?;
    fill(rows, page, reported_bottle, |mut reported_bottle| {
        reported_bottle.reports = reports(db, reported_bottle.bottle.id)?;
        reported_bottle.replies =
            reported_replies::of_bottle(db, reported_bottle.bottle.id, filter)?;
        show(reported_bottle)
    })
}

fn reported_bottle(row: &Row<'_>) -> rusqlite::Result<ReportedBottle> {
    Ok(ReportedBottle {
        bottle: bottles::bottle(row)?,
        owner: users::account(row, bottles::COLUMN_COUNT)?,
        muted_until: row.get(bottles::COLUMN_COUNT + users::COLUMN_COUNT)?,
        reports: Vec::new(),
        replies: Vec::new(),
    })
}

fn reports(db: &Connection, bottle: i64) -> Result<Vec<Report>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {}, reason, reported_at, settled_at FROM reports JOIN users ON users.id = reporter_id
         WHERE bottle_id = ?1 ORDER BY reported_at, reporter_id",
        users::COLUMNS
    ))?;
    let rows = statement.query_map([bottle], report_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
