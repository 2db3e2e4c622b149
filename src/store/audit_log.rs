//! The table `audit_log`: what teachers and operators did.

use rusqlite::{Connection, Row, named_params, params};

use super::action::Action;
use super::pages::{PageRequest, fill, row_limit};
use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// An entry of the log.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// The id, which grows and is never reused.
    pub id: i64,
    /// The time of the action.
    pub done_at: Timestamp,
    /// The username of the teacher or operator; `None` if reports hid a bottle, and for the command
    /// line.
    pub actor: Option<String>,
    /// The action.
    pub action: Action,
    /// The bottle that it concerned.
    pub bottle: Option<i64>,
    /// The reply that it concerned, in a thread of that bottle.
    pub reply: Option<i64>,
    /// The account that it concerned, the bottle's owner or the reply's author: id and username.
    pub user: Option<(i64, String)>,
    /// The end of a mute.
    pub until: Option<Timestamp>,
}

/// The rows that an entry of the log names.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Target {
    pub bottle: Option<i64>,
    pub reply: Option<i64>,
    pub account: Option<i64>,
}

/// Appends an entry to the log. `actor` is `None` if reports hid a bottle or a reply.
pub fn add(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    target: Target,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO audit_log
             (done_at, actor, action, bottle_id, reply_id, user_id, username, until)
         VALUES (:now, :actor, :action, :bottle, :reply, :account,
                 (SELECT username FROM users WHERE id = :account), :until)",
    )?
    .execute(named_params! {
        ":now": now, ":actor": actor, ":action": action.as_str(), ":bottle": target.bottle,
        ":reply": target.reply, ":account": target.account, ":until": until,
    })?;
    Ok(())
}

/// Appends an entry about the server itself. `actor` is `None` for the command line.
pub fn add_detail(
    db: &Connection,
    actor: Option<&str>,
    action: Action,
    detail: &str,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO audit_log (done_at, actor, action, detail) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![now, actor, action.as_str(), detail])?;
    Ok(())
}

/// Passes the log to `show`, newest first; the cursor of a page is the id of its last
/// entry.
pub fn list(
    db: &Connection,
    page: PageRequest,
    show: impl FnMut(AuditEntry) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT id, done_at, actor, action, bottle_id, user_id, username, until, reply_id
         FROM audit_log WHERE id < ?1 ORDER BY id DESC LIMIT 0 + ?2",
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
        reply: row.get(8)?,
    })
}
