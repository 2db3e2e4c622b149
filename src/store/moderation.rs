//! What keeps the sea kind: reports, hidden bottles, muted accounts, a frozen sea, and the log of it.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::action::Action;
use super::bottles::{self, Bottle, MapBottle};
use super::pages::PageRequest;
use super::pages::{fill, row_limit};
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::Reason;

/// That someone did something.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Given once, growing.
    pub id: i64,
    /// When.
    pub done_at: Timestamp,
    /// The username of who did it; none where enough reports did.
    pub actor: Option<String>,
    /// What.
    pub action: Action,
    /// With which bottle.
    pub bottle: Option<i64>,
    /// With whom, or with whose bottle: the account's id and username.
    pub user: Option<(i64, String)>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// That someone reported a bottle.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Report {
    pub reporter: Account,
    pub reason: String,
    pub reported_at: Timestamp,
}

/// A bottle that a teacher is to look at.
#[derive(Clone, Debug)]
pub struct ReportedBottle {
    /// The bottle.
    pub bottle: Bottle,
    /// Who threw it.
    pub owner: Account,
    /// Until when they may throw nothing.
    pub muted_until: Option<Timestamp>,
    /// Who reported it, and why.
    pub reports: Vec<Report>,
}

/// Which bottles a teacher asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseFilter {
    /// Those with reports that no teacher has settled.
    Reported,
    /// Those that are hidden.
    Hidden,
}

/// Fails if the account may throw nothing now.
pub fn ensure_can_throw(db: &Connection, account: i64, now: Timestamp) -> Result<()> {
    let found: Option<(Option<Timestamp>, bool)> = db
        .prepare_cached(
            "SELECT muted_until, EXISTS (SELECT 1 FROM meta WHERE key = 'frozen')
             FROM users WHERE id = ?1",
        )?
        .query_row([account], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((_, true)) => Err(Error::Frozen),
        Some((Some(until), _)) if until > now => Err(Error::Muted(until)),
        _ => Ok(()),
    }
}

/// Reports a bottle, once for each reporter; how many reports of it are open then. [`Error::NoSuchBottle`] if the reporter cannot see it, [`Error::OwnBottle`] if it is theirs.
pub fn report(
    db: &Connection,
    bottle: i64,
    reporter: i64,
    reason: &Reason,
    now: Timestamp,
) -> Result<i64> {
    match bottles::owner_on_sea(db, bottle)? {
        None => return Err(Error::NoSuchBottle(bottle.to_string())),
        Some(owner) if owner == reporter => return Err(Error::OwnBottle),
        Some(_) => {}
    }
    db.prepare_cached(
        "INSERT INTO reports (bottle_id, reporter_id, reason, reported_at)
         VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?
    .execute(params![bottle, reporter, reason.as_str(), now])?;
    Ok(db
        .prepare_cached("SELECT count(*) FROM reports WHERE bottle_id = ?1 AND settled_at IS NULL")?
        .query_row([bottle], |row| row.get(0))?)
}

/// Hides a bottle or shows it again. What changed, or nothing if it was so already.
pub fn set_hidden(
    db: &Connection,
    id: i64,
    hidden_at: Option<Timestamp>,
) -> Result<Option<MapBottle>> {
    let changed = db
        .prepare_cached(&format!(
            "UPDATE bottles SET hidden_at = ?2
             WHERE id = ?1 AND (hidden_at IS NULL) <> (?2 IS NULL) RETURNING {}",
            bottles::SPOT
        ))?
        .query_row(params![id, hidden_at], bottles::spot)
        .optional()?;
    match changed {
        None if bottles::owner(db, id)?.is_none() => Err(Error::NoSuchBottle(id.to_string())),
        changed => Ok(changed),
    }
}

/// Settles what was reported of a bottle.
pub fn settle(db: &Connection, bottle: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE reports SET settled_at = ?2 WHERE bottle_id = ?1 AND settled_at IS NULL",
    )?
    .execute(params![bottle, now])?;
    Ok(())
}

/// Lets an account throw nothing until then; [`Error::NoSuchUser`] if there is none.
pub fn mute(db: &Connection, account: i64, until: Option<Timestamp>) -> Result<()> {
    let muted = db
        .prepare_cached("UPDATE users SET muted_until = ?2 WHERE id = ?1")?
        .execute(params![account, until])?;
    if muted == 1 { Ok(()) } else { Err(Error::NoSuchUser(account.to_string())) }
}

/// Lets nobody throw, or all again; whether that changed anything.
pub fn freeze(db: &Connection, frozen: bool) -> Result<bool> {
    let sql = match frozen {
        true => "INSERT INTO meta (key, value) VALUES ('frozen', 'yes') ON CONFLICT DO NOTHING",
        false => "DELETE FROM meta WHERE key = 'frozen'",
    };
    Ok(db.prepare_cached(sql)?.execute([])? == 1)
}

/// Whether nobody may throw.
pub fn is_frozen(db: &Connection) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM meta WHERE key = 'frozen'")?.exists([])?)
}

/// Who may throw nothing now, and until when.
pub fn muted(db: &Connection, now: Timestamp) -> Result<Vec<(Account, Timestamp)>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {}, muted_until FROM users WHERE muted_until > ?1 ORDER BY muted_until",
        users::COLUMNS
    ))?;
    let muted =
        statement.query_map([now], |row| Ok((users::account(row, 0)?, row.get(users::WIDTH)?)))?;
    Ok(muted.collect::<rusqlite::Result<_>>()?)
}

/// Writes down that `actor` did `action`, to a bottle or to an account.
pub fn log(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    (bottle, account): (Option<i64>, Option<i64>),
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO moderation_log (done_at, actor, action, bottle_id, user_id, username, until)
         VALUES (:now, :actor, :action, :bottle, :account,
                 (SELECT username FROM users WHERE id = :account), :until)",
    )?
    .execute(named_params! {
        ":now": now, ":actor": actor, ":action": action.as_str(), ":bottle": bottle,
        ":account": account, ":until": until,
    })?;
    Ok(())
}

/// Shows `show` what was done, the latest first; a page goes on before the entry with that id.
pub fn entries(
    db: &Connection,
    page: PageRequest,
    show: impl FnMut(AuditEntry) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT id, done_at, actor, action, bottle_id, user_id, username, until
         FROM moderation_log WHERE id < ?1 ORDER BY id DESC LIMIT 0 + ?2",
    )?;
    let rows = statement.query(params![page.after.unwrap_or(i64::MAX), row_limit(page)])?;
    fill(rows, page, entry, show)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let user: (Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(AuditEntry {
        id: row.get(0)?,
        done_at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        bottle: row.get(4)?,
        user: user.0.zip(user.1),
        until: row.get(7)?,
    })
}

/// Shows `show` the bottles that a teacher asks for, by id.
pub fn cases(
    db: &Connection,
    which: CaseFilter,
    page: PageRequest,
    mut show: impl FnMut(ReportedBottle) -> Result<usize>,
) -> Result<bool> {
    let condition = match which {
        CaseFilter::Reported => {
            "bottles.id IN (SELECT bottle_id FROM reports WHERE settled_at IS NULL)"
        }
        CaseFilter::Hidden => "hidden_at IS NOT NULL",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {bottle}, {account}, muted_until
         FROM bottles JOIN users ON users.id = owner_id
         WHERE {condition} AND bottles.id > ?1 ORDER BY bottles.id LIMIT 0 + ?2",
        bottle = bottles::BOTTLE,
        account = users::COLUMNS
    ))?;
    let rows = statement.query(params![page.after.unwrap_or(0), row_limit(page)])?;
    fill(rows, page, case, |mut case| {
        case.reports = reports(db, case.bottle.id)?;
        show(case)
    })
}

fn case(row: &Row<'_>) -> rusqlite::Result<ReportedBottle> {
    Ok(ReportedBottle {
        bottle: bottles::bottle(row)?,
        owner: users::account(row, bottles::BOTTLE_WIDTH)?,
        muted_until: row.get(bottles::BOTTLE_WIDTH + users::WIDTH)?,
        reports: Vec::new(),
    })
}

fn reports(db: &Connection, bottle: i64) -> Result<Vec<Report>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {}, reason, reported_at FROM reports JOIN users ON users.id = reporter_id
         WHERE bottle_id = ?1 ORDER BY reported_at, reporter_id",
        users::COLUMNS
    ))?;
    let rows = statement.query_map([bottle], |row| {
        Ok(Report {
            reporter: users::account(row, 0)?,
            reason: row.get(users::WIDTH)?,
            reported_at: row.get(users::WIDTH + 1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
