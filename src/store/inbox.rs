//! The table `inbox_items`: the events of an account's bottles and threads.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::pages::{PageRequest, fill, row_limit};
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::inbox::Kind;

/// The maximum number of items that an event stream sends at once.
const MAX_NEW: u32 = 1000;

/// An item of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The id, which grows and is never reused.
    pub id: i64,
    /// The kind of event.
    pub kind: Kind,
    /// The bottle.
    pub bottle: i64,
    /// The account that opened the bottle last, or that wrote the reply.
    pub actor: Option<Account>,
    /// The reply, unless the bottle itself was opened, hidden, shown or ended.
    pub reply: Option<i64>,
    /// The number of openings.
    pub count: i64,
    /// The time, of the last opening.
    pub created_at: Timestamp,
    /// True if the account has read it.
    pub is_read: bool,
}

/// The values of an item before it is added.
#[derive(Clone, Copy, Debug)]
pub struct NewItem {
    /// The account that receives it.
    pub user: i64,
    /// The kind of event.
    pub kind: Kind,
    /// The bottle.
    pub bottle: i64,
    /// The account that did it, unless it stays unnamed.
    pub actor: Option<i64>,
    /// The reply.
    pub reply: Option<i64>,
}

/// Adds an item, unless the account has silenced its kind or blocked its actor, such as a teacher.
/// Further openings of a bottle become one item while it is unread.
pub fn add(db: &Connection, new: NewItem, now: Timestamp) -> Result<()> {
    let NewItem { user, kind, bottle, actor, reply } = new;
    if !is_wanted(db, new)? {
        return Ok(());
    }
    let earlier = if kind == Kind::Opened { take_unread_openings(db, user, bottle)? } else { 0 };
    db.prepare_cached(
        "INSERT INTO inbox_items (user_id, kind, bottle_id, actor_id, reply_id, count, created_at)
         VALUES (:user, :kind, :bottle, :actor, :reply, :count, :now)",
    )?
    .execute(named_params! {
        ":user": user, ":kind": kind, ":bottle": bottle, ":actor": actor, ":reply": reply,
        ":count": earlier + 1, ":now": now,
    })?;
    Ok(())
}

/// Returns false if the account has silenced the kind of the item or blocked its actor.
fn is_wanted(db: &Connection, new: NewItem) -> Result<bool> {
    let sql = "SELECT 1 FROM users WHERE id = ?1 AND inbox_silenced & ?2 = 0
           AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ?1 AND blocked_id = ?3)";
    Ok(db.prepare_cached(sql)?.exists(params![new.user, new.kind.bit(), new.actor])?)
}

/// Deletes the unread item of a bottle's openings, and returns their number.
fn take_unread_openings(db: &Connection, user: i64, bottle: i64) -> Result<i64> {
    let taken = db
        .prepare_cached(
            "DELETE FROM inbox_items
             WHERE bottle_id = ?2 AND kind = 'opened' AND user_id = ?1
               AND id > (SELECT inbox_read FROM users WHERE id = ?1)
             RETURNING count",
        )?
        .query_row([user, bottle], |row| row.get(0))
        .optional()?;
    Ok(taken.unwrap_or(0))
}

/// Returns the number of unread items.
pub fn unread(db: &Connection, user: i64) -> Result<i64> {
    let sql = "SELECT inbox_unread FROM users WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([user], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Returns the id of the newest item; 0 if there is none.
pub fn newest(db: &Connection, user: i64) -> Result<i64> {
    let sql = "SELECT id FROM inbox_items WHERE user_id = ?1 ORDER BY id DESC LIMIT 1";
    Ok(db.prepare_cached(sql)?.query_row([user], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Marks the items up to `through` as read. A `through` above the newest id has no effect on later
/// items.
pub fn mark_read(db: &Connection, user: i64, through: i64) -> Result<()> {
    let through = through.min(newest(db, user)?);
    db.prepare_cached(
        "UPDATE users SET
             inbox_read = ?2,
             inbox_unread = (SELECT count(*) FROM inbox_items WHERE user_id = ?1 AND id > ?2)
         WHERE id = ?1 AND inbox_read < ?2",
    )?
    .execute([user, through])?;
    Ok(())
}

/// Silences kinds of items for an account: a bit for each, see [`Kind::bit`].
pub fn silence(db: &Connection, user: i64, silenced: u8) -> Result<()> {
    db.prepare_cached("UPDATE users SET inbox_silenced = ?2 WHERE id = ?1")?
        .execute(params![user, silenced])?;
    Ok(())
}

/// Passes the items of an account to `show`, newest first; see [`super::pages`].
pub fn items(
    db: &Connection,
    user: i64,
    page: PageRequest,
    show: impl FnMut(Item) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {columns} FROM {TABLES}
         WHERE user_id = ?1 AND inbox_items.id < ?2
         ORDER BY inbox_items.id DESC LIMIT 0 + ?3",
        columns = columns()
    ))?;
    let before = page.after.unwrap_or(i64::MAX);
    let rows = statement.query(params![user, before, row_limit(page)])?;
    fill(rows, page, item, show)
}

/// Returns the items after `last`, oldest first.
pub fn after(db: &Connection, user: i64, last: i64) -> Result<Vec<Item>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {columns} FROM {TABLES}
         WHERE user_id = ?1 AND inbox_items.id > ?2
         ORDER BY inbox_items.id LIMIT 0 + {MAX_NEW}",
        columns = columns()
    ))?;
    let items = statement.query_map([user, last], item)?;
    Ok(items.collect::<rusqlite::Result<_>>()?)
}

const TABLES: &str = "inbox_items JOIN users AS reader ON reader.id = user_id
    LEFT JOIN users ON users.id = actor_id";

/// Returns the columns of [`TABLES`] that [`item`] reads, in its order.
fn columns() -> String {
    format!(
        "inbox_items.id, kind, bottle_id, count, inbox_items.created_at,
         inbox_items.id <= reader.inbox_read, reply_id, actor_id, {}",
        users::COLUMNS
    )
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    let actor: Option<i64> = row.get(7)?;
    Ok(Item {
        id: row.get(0)?,
        kind: row.get(1)?,
        bottle: row.get(2)?,
        count: row.get(3)?,
        created_at: row.get(4)?,
        is_read: row.get(5)?,
        reply: row.get(6)?,
        actor: actor.map(|_| users::account(row, 8)).transpose()?,
    })
}

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
