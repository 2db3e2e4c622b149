//! The tables `threads` and `replies`: the conversations of a bottle's owner with its openers.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::pages::{PageRequest, fill, row_limit};
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::ReplyText;

/// A thread: a bottle, and the opener with whom its owner writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadKey {
    /// The bottle.
    pub bottle: i64,
    /// The opener.
    pub opener: i64,
}

/// A reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The id, which grows and is never reused.
    pub id: i64,
    /// The thread.
    pub thread: ThreadKey,
    /// The account that wrote it: the owner of the bottle or the opener.
    pub author: Account,
    /// The text.
    pub content: String,
    /// The time at which it was written.
    pub created_at: Timestamp,
    /// The time at which a teacher or a report hid it.
    pub hidden_at: Option<Timestamp>,
}

/// A thread as the owner of its bottle sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Thread {
    /// The opener.
    pub opener: Account,
    /// The number of visible replies, which is not 0.
    pub replies_count: i64,
    /// The number of visible replies by the opener that the owner has not read.
    pub unread_count: i64,
    /// The id of the last visible reply: the thread's cursor.
    pub last_reply: i64,
    /// The time of the last visible reply.
    pub last_reply_at: Timestamp,
}

/// The thread, the author and the owner of the bottle of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participants {
    /// The thread.
    pub thread: ThreadKey,
    /// The account that wrote the reply.
    pub author: i64,
    /// The owner of the bottle.
    pub owner: i64,
    /// True if the reply is hidden.
    pub is_hidden: bool,
}

impl Participants {
    /// Returns the other side than `account`; `None` if it is neither.
    pub fn other_side(&self, account: i64) -> Option<i64> {
        let Self { thread: ThreadKey { opener, .. }, owner, .. } = *self;
        match account {
            _ if account == owner => Some(opener),
            _ if account == opener => Some(owner),
            _ => None,
        }
    }
}

/// Inserts the thread unless it exists. A teacher whom the owner has blocked may begin one, and an
/// import may find a block before the thread.
pub(super) fn begin(db: &Connection, thread: ThreadKey) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO threads (bottle_id, opener_id, owner_blocks)
         VALUES (?1, ?2, EXISTS (SELECT 1 FROM bottles JOIN blocks ON blocker_id = owner_id
                                 WHERE bottles.id = ?1 AND blocked_id = ?2))
         ON CONFLICT DO NOTHING",
    )?
    .execute([thread.bottle, thread.opener])?;
    Ok(())
}

/// Inserts a reply, and the thread if it is the first.
pub fn insert(
    db: &Connection,
    thread: ThreadKey,
    author: Account,
    content: &ReplyText,
    now: Timestamp,
) -> Result<Reply> {
    begin(db, thread)?;
    db.prepare_cached(
        "INSERT INTO replies (bottle_id, opener_id, author_id, content, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![thread.bottle, thread.opener, author.id, content.as_str(), now])?;
    let id = db.last_insert_rowid();
    let content = content.as_str().to_owned();
    Ok(Reply { id, thread, author, content, created_at: now, hidden_at: None })
}

/// Returns true if the opener has written in this thread.
pub fn has_begun(db: &Connection, thread: ThreadKey) -> Result<bool> {
    let sql = "SELECT 1 FROM threads WHERE bottle_id = ?1 AND opener_id = ?2";
    Ok(db.prepare_cached(sql)?.exists([thread.bottle, thread.opener])?)
}

/// Passes the replies of a thread to `show`, oldest first; see [`super::pages`].
///
/// Hidden replies are left out unless `with_hidden`, and so are those of accounts that `reader` has
/// blocked.
pub fn in_thread(
    db: &Connection,
    thread: ThreadKey,
    reader: i64,
    with_hidden: bool,
    page: PageRequest,
    show: impl FnMut(Reply) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {account} FROM {TABLES}
         WHERE bottle_id = :bottle AND opener_id = :opener AND replies.id > :after
           AND (:with_hidden OR hidden_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM blocks
                           WHERE blocker_id = :reader AND blocked_id = author_id)
         ORDER BY replies.id LIMIT 0 + :limit",
        account = users::COLUMNS
    ))?;
    let rows = statement.query(named_params! {
        ":bottle": thread.bottle, ":opener": thread.opener, ":reader": reader,
        ":with_hidden": with_hidden, ":after": page.after.unwrap_or(0), ":limit": row_limit(page),
    })?;
    fill(rows, page, reply, show)
}

/// The columns of [`TABLES`] that [`reply`] reads, in its order, before those of the author.
pub(super) const COLUMNS: &str = "replies.id, replies.bottle_id, replies.opener_id,
    replies.content, replies.created_at, replies.hidden_at";
/// The replies with their authors.
pub(super) const TABLES: &str = "replies JOIN users ON users.id = author_id";

/// Reads a [`Reply`] from [`COLUMNS`] and those of an account.
pub(super) fn reply(row: &Row<'_>) -> rusqlite::Result<Reply> {
    Ok(Reply {
        id: row.get(0)?,
        thread: ThreadKey { bottle: row.get(1)?, opener: row.get(2)? },
        content: row.get(3)?,
        created_at: row.get(4)?,
        hidden_at: row.get(5)?,
        author: users::account(row, 6)?,
    })
}

/// Passes the threads of a bottle that have visible replies to `show`, the latest first, without
/// those of openers whom the owner has blocked; the cursor of a page is the last reply of its last
/// thread.
pub fn threads(
    db: &Connection,
    bottle: i64,
    page: PageRequest,
    show: impl FnMut(Thread) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT replies_count, owner_unread, last_reply_id, replies.created_at, {}
         FROM threads JOIN users ON users.id = threads.opener_id
             JOIN replies ON replies.id = last_reply_id
         WHERE threads.bottle_id = ?1 AND last_reply_id < ?2 AND NOT owner_blocks
         ORDER BY last_reply_id DESC LIMIT 0 + ?3",
        users::COLUMNS
    ))?;
    let before = page.after.unwrap_or(i64::MAX);
    let rows = statement.query(params![bottle, before, row_limit(page)])?;
    let thread = |row: &Row<'_>| {
        Ok(Thread {
            replies_count: row.get(0)?,
            unread_count: row.get(1)?,
            last_reply: row.get(2)?,
            last_reply_at: row.get(3)?,
            opener: users::account(row, 4)?,
        })
    };
    fill(rows, page, thread, show)
}

/// The side of a thread that reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The owner of the bottle.
    Owner,
    /// The opener.
    Opener,
}

impl Side {
    /// Returns the columns with the last reply that this side has read and the number of unread
    /// ones, and the condition that a reply is the other side's.
    fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Owner => ("owner_read", "owner_unread", "author_id = opener_id"),
            Self::Opener => ("opener_read", "opener_unread", "author_id <> opener_id"),
        }
    }
}

/// Returns true if a reply up to `last` is unread by this side.
pub fn has_unread(db: &Connection, thread: ThreadKey, side: Side, last: i64) -> Result<bool> {
    let (read, unread, _) = side.columns();
    let sql = format!(
        "SELECT 1 FROM threads
         WHERE bottle_id = ?1 AND opener_id = ?2 AND {unread} > 0 AND {read} < ?3"
    );
    Ok(db.prepare_cached(&sql)?.exists([thread.bottle, thread.opener, last])?)
}

/// Marks the replies up to `last` as read by this side. It counts those since the last one that was
/// read, so each reply is counted once.
pub fn mark_read(db: &Connection, thread: ThreadKey, side: Side, last: i64) -> Result<()> {
    let (read, unread, is_theirs) = side.columns();
    db.prepare_cached(&format!(
        "UPDATE threads SET
             {read} = ?3,
             {unread} = {unread} - (
                 SELECT count(*) FROM replies
                 WHERE (replies.bottle_id, replies.opener_id) = (?1, ?2)
                   AND id > {read} AND id <= ?3 AND hidden_at IS NULL AND {is_theirs})
         WHERE bottle_id = ?1 AND opener_id = ?2 AND {read} < ?3"
    ))?
    .execute([thread.bottle, thread.opener, last])?;
    Ok(())
}

/// Returns the participants of a reply. Returns [`Error::NoSuchReply`] if it does not exist.
pub fn participants(db: &Connection, id: i64) -> Result<Participants> {
    let participants = |row: &Row<'_>| {
        Ok(Participants {
            thread: ThreadKey { bottle: row.get(0)?, opener: row.get(1)? },
            author: row.get(2)?,
            owner: row.get(3)?,
            is_hidden: row.get(4)?,
        })
    };
    db.prepare_cached(
        "SELECT bottle_id, opener_id, author_id, owner_id, replies.hidden_at IS NOT NULL
         FROM replies JOIN bottles ON bottles.id = bottle_id WHERE replies.id = ?1",
    )?
    .query_row([id], participants)
    .optional()?
    .ok_or_else(|| Error::NoSuchReply(id.to_string()))
}

/// Deletes a reply.
pub fn delete(db: &Connection, id: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM replies WHERE id = ?1")?.execute([id])?;
    Ok(())
}
