//! The table `audit_log`: what teachers and operators did.

use rusqlite::{Connection, Row, named_params};

use super::action::{self, Action};
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
    /// The new value: a role, a mode, a name.
    pub detail: Option<String>,
}

/// The rows that an entry of the log names.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Target {
    pub bottle: Option<i64>,
    pub reply: Option<i64>,
    pub account: Option<i64>,
}

/// An entry before it is appended.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// The username of the teacher or operator; `None` if reports hid a bottle or a reply, and for the
    /// command line.
    pub actor: Option<&'a str>,
    /// The action.
    pub action: Action,
    /// The rows that it concerned.
    pub target: Target,
    /// The end of a mute.
    pub until: Option<Timestamp>,
    /// The new value: a role, a mode, a name.
    pub detail: Option<&'a str>,
}

impl<'a> NewEntry<'a> {
    /// Creates an entry that concerns nothing in particular.
    pub fn new(actor: Option<&'a str>, action: Action) -> Self {
        Self { actor, action, target: Target::default(), until: None, detail: None }
    }
}

/// Appends an entry to the log, with the username that its account has now.
pub fn add(db: &Connection, entry: NewEntry<'_>, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO audit_log
             (done_at, actor, action, bottle_id, reply_id, user_id, username, until, detail)
         VALUES (:now, :actor, :action, :bottle, :reply, :account,
                 (SELECT username FROM users WHERE id = :account), :until, :detail)",
    )?
    .execute(named_params! {
        ":now": now, ":actor": entry.actor, ":action": entry.action, ":bottle": entry.target.bottle,
        ":reply": entry.target.reply, ":account": entry.target.account, ":until": entry.until,
        ":detail": entry.detail,
    })?;
    Ok(())
}

/// The columns that [`entry`] reads, in its order.
const COLUMNS: &str =
    "id, done_at, actor, action, bottle_id, user_id, username, until, reply_id, detail";

/// The entries of a list; all by default.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// True for the actions of moderation alone.
    pub is_moderation: bool,
    /// The username of the teacher or operator, without regard to ASCII case.
    pub actor: Option<String>,
    /// The action.
    pub action: Option<Action>,
    /// The account that the entry concerns: its username then or now, without regard to ASCII case.
    pub account: Option<String>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The time before which it was done.
    pub to: Option<Timestamp>,
}

/// Passes the entries that fit `filter` to `show`, newest first; the cursor of a page is the id of its
/// last entry.
pub fn list(
    db: &Connection,
    filter: &LogFilter,
    page: PageRequest,
    show: impl FnMut(AuditEntry) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit_log
         WHERE id < :after
           AND (NOT :is_moderation OR action IN ({}))
           AND (:actor IS NULL OR actor = :actor COLLATE NOCASE)
           AND (:action IS NULL OR action = :action)
           AND (:account IS NULL OR username = :account COLLATE NOCASE
                OR user_id = (SELECT id FROM users WHERE users.username = :account))
           AND (:from IS NULL OR done_at >= :from)
           AND (:to IS NULL OR done_at < :to)
         ORDER BY id DESC LIMIT 0 + :limit",
        action::MODERATION
    ))?;
    let rows = statement.query(named_params! {
        ":after": page.after.unwrap_or(i64::MAX), ":is_moderation": filter.is_moderation,
        ":actor": filter.actor, ":action": filter.action, ":account": filter.account,
        ":from": filter.from, ":to": filter.to, ":limit": row_limit(page),
    })?;
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
        detail: row.get(9)?,
    })
}
