//! The table `webhook_outbox`: messages that wait to be sent to the webhook.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::{Value, json};

use super::users::Account;
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::webhook::{EventKind, EventSet};

/// The maximum number of messages that wait. Beyond it, the oldest are deleted.
pub const MAX_WAITING: i64 = 10_000;

/// The number of messages that are deleted at once, so that the log has a line for many.
const DROPPED_AT_ONCE: i64 = 100;

/// The maximum length of a reason, in characters.
const MAX_REASON: usize = 500;

/// Something that happened. It has ids, usernames and counts, but neither texts nor places.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Event<'a> {
    /// A person registered, by any contract.
    AccountRegistered(&'a Account),
    BottleThrown {
        bottle: i64,
        owner: &'a Account,
    },
    /// An account other than the owner opened the bottle for the first time.
    BottleOpened {
        bottle: i64,
        opener: &'a Account,
        openers: i64,
    },
    ReplyWritten {
        reply: i64,
        bottle: i64,
        author: &'a Account,
    },
    /// An account reported the bottle for the first time. `reports` are not settled yet.
    BottleReported {
        bottle: i64,
        reports: i64,
        is_hidden: bool,
    },
    ReplyReported {
        reply: i64,
        bottle: i64,
        reports: i64,
        is_hidden: bool,
    },
    /// The server could not back up the database by itself.
    BackupFailed {
        reason: &'a str,
    },
    DiskLow {
        free_bytes: u64,
    },
}

impl Event<'_> {
    fn kind(&self) -> EventKind {
        match self {
            Self::AccountRegistered(_) => EventKind::AccountRegistered,
            Self::BottleThrown { .. } => EventKind::BottleThrown,
            Self::BottleOpened { .. } => EventKind::BottleOpened,
            Self::ReplyWritten { .. } => EventKind::ReplyWritten,
            Self::BottleReported { .. } => EventKind::BottleReported,
            Self::ReplyReported { .. } => EventKind::ReplyReported,
            Self::BackupFailed { .. } => EventKind::BackupFailed,
            Self::DiskLow { .. } => EventKind::DiskLow,
        }
    }

    /// Returns the `data` of the message.
    fn data(&self) -> Value {
        let by = |account: &Account, mut data: Value| {
            data["user_id"] = json!(account.id);
            data["username"] = json!(account.username);
            data
        };
        match *self {
            Self::AccountRegistered(account) => by(account, json!({})),
            Self::BottleThrown { bottle, owner } => by(owner, json!({ "bottle_id": bottle })),
            Self::BottleOpened { bottle, opener, openers } => {
                by(opener, json!({ "bottle_id": bottle, "openers_count": openers }))
            }
            Self::ReplyWritten { reply, bottle, author } => {
                by(author, json!({ "reply_id": reply, "bottle_id": bottle }))
            }
            Self::BottleReported { bottle, reports, is_hidden } => {
                json!({ "bottle_id": bottle, "reports_count": reports, "hidden": is_hidden })
            }
            Self::ReplyReported { reply, bottle, reports, is_hidden } => json!({
                "reply_id": reply, "bottle_id": bottle, "reports_count": reports, "hidden": is_hidden,
            }),
            Self::BackupFailed { reason } => {
                json!({ "reason": reason.chars().take(MAX_REASON).collect::<String>() })
            }
            Self::DiskLow { free_bytes } => json!({ "free_bytes": free_bytes }),
        }
    }
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The id of the row.
    pub row: i64,
    /// The message.
    pub message: Message,
    /// The number of attempts that failed.
    pub attempts: u32,
}

/// A message to the webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The id, which is the same at each attempt.
    pub id: String,
    /// The `type`.
    pub kind: String,
    /// The `data`, as JSON.
    pub data: String,
    /// The time of the event.
    pub created_at: Timestamp,
}

impl Message {
    /// Creates a message with a new id.
    pub fn new(kind: EventKind, data: &Value, now: Timestamp) -> Self {
        Self {
            id: format!("msg_{:032x}", rand::random::<u128>()),
            kind: kind.as_str().to_owned(),
            data: data.to_string(),
            created_at: now,
        }
    }
}

/// Adds a message about the event, if there is a webhook that receives it: a part of the change that
/// the event is about, so that both are stored or neither. Without a webhook, it looks at an empty
/// table.
pub fn add(db: &Connection, event: Event<'_>, now: Timestamp) -> Result<()> {
    let events: Option<String> = db
        .prepare_cached("SELECT events FROM webhook WHERE gone_at IS NULL")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if !events.is_some_and(|events| EventSet::is_in(&events, event.kind())) {
        return Ok(());
    }
    let Message { id, kind, data, created_at } = Message::new(event.kind(), &event.data(), now);
    db.prepare_cached(
        "INSERT INTO webhook_outbox (message_id, type, data, created_at, next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute(params![id, kind, data, created_at])?;
    drop_oldest(db)
}

/// Deletes the oldest messages if too many wait.
fn drop_oldest(db: &Connection) -> Result<()> {
    if count(db)? <= MAX_WAITING {
        return Ok(());
    }
    db.prepare_cached(
        "DELETE FROM webhook_outbox
         WHERE id IN (SELECT id FROM webhook_outbox ORDER BY id LIMIT 0 + ?1)",
    )?
    .execute([DROPPED_AT_ONCE])?;
    db.prepare_cached("UPDATE webhook SET dropped = dropped + ?1")?.execute([DROPPED_AT_ONCE])?;
    tracing::warn!(
        "the {DROPPED_AT_ONCE} oldest messages to the webhook were dropped: {MAX_WAITING} wait for its receiver"
    );
    Ok(())
}

/// Returns the number of messages that wait.
pub fn count(db: &Connection) -> Result<i64> {
    let sql = "SELECT count(*) FROM webhook_outbox";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Returns at most `limit` messages whose time to be sent has come, the earliest first.
pub fn due(db: &Connection, limit: usize, now: Timestamp) -> Result<Vec<Waiting>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let waiting = |row: &Row<'_>| {
        let message = Message {
            id: row.get(1)?,
            kind: row.get(2)?,
            data: row.get(3)?,
            created_at: row.get(4)?,
        };
        Ok(Waiting { row: row.get(0)?, message, attempts: row.get(5)? })
    };
    let mut statement = db.prepare_cached(
        "SELECT id, message_id, type, data, created_at, attempts FROM webhook_outbox
         WHERE next_attempt_at <= ?1 ORDER BY next_attempt_at, id LIMIT 0 + ?2",
    )?;
    let rows = statement.query_map(params![now, limit], waiting)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Deletes a message that was delivered or given up. Returns false if it was gone already.
pub fn delete(db: &Connection, row: i64) -> Result<bool> {
    Ok(db.prepare_cached("DELETE FROM webhook_outbox WHERE id = ?1")?.execute([row])? == 1)
}

/// Deletes all messages.
pub fn clear(db: &Connection) -> Result<()> {
    db.prepare_cached("DELETE FROM webhook_outbox")?.execute([])?;
    Ok(())
}

/// Stores that an attempt failed, and the time of the next one.
pub fn postpone(
    db: &Connection,
    row: i64,
    attempts: u32,
    next_attempt_at: Timestamp,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE webhook_outbox SET attempts = :attempts, next_attempt_at = :next WHERE id = :row",
    )?
    .execute(named_params! { ":row": row, ":attempts": attempts, ":next": next_attempt_at })?;
    Ok(())
}

/// Lets all messages be sent now.
pub fn hurry(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("UPDATE webhook_outbox SET next_attempt_at = min(next_attempt_at, ?1)")?
        .execute([now])?;
    Ok(())
}
