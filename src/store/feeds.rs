//! The table `feeds`: the hashes of secret links, and the inbox items that they show.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::geo::Position;
use crate::model::inbox::Kind;
use crate::model::token::TokenHash;

/// The number of items in a feed.
const MAX_ITEMS: u32 = 100;

/// An opening of one's bottle or a reply, as a feed shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedItem {
    /// The id of the inbox item, which grows and is never reused.
    pub id: i64,
    /// The kind of event: opened or replied.
    pub kind: Kind,
    /// The bottle.
    pub bottle: i64,
    /// The position of the bottle.
    pub position: Position,
    /// The account that opened the bottle last, or that wrote the reply.
    pub actor: Option<Account>,
    /// The number of openings.
    pub count: i64,
    /// The text of the reply.
    pub reply: Option<String>,
    /// The time, of the last opening.
    pub created_at: Timestamp,
}

/// Stores the feed of an account in place of an earlier one.
pub fn replace(db: &Connection, account: i64, token: TokenHash, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO feeds (user_id, token_hash, created_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id) DO UPDATE SET token_hash = ?2, created_at = ?3",
    )?
    .execute(params![account, token, now])?;
    Ok(())
}

/// Returns the time at which the feed of an account was made, if it has one.
pub fn created_at(db: &Connection, account: i64) -> Result<Option<Timestamp>> {
    Ok(db
        .prepare_cached("SELECT created_at FROM feeds WHERE user_id = ?1")?
        .query_row([account], |row| row.get(0))
        .optional()?)
}

/// Ends the feed of an account, if it has one.
pub fn delete(db: &Connection, account: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM feeds WHERE user_id = ?1")?.execute([account])?;
    Ok(())
}

/// Returns the latest openings and replies in the inbox of an account, newest first.
pub fn items(db: &Connection, account: i64) -> Result<Vec<FeedItem>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT inbox_items.id, kind, inbox_items.bottle_id, count, inbox_items.created_at,
                latitude, longitude, replies.content, actor_id, {}
         FROM inbox_items JOIN bottles ON bottles.id = inbox_items.bottle_id
             LEFT JOIN replies ON replies.id = reply_id LEFT JOIN users ON users.id = actor_id
         WHERE user_id = ?1 AND kind IN ('opened', 'replied')
         ORDER BY inbox_items.id DESC LIMIT 0 + {MAX_ITEMS}",
        users::COLUMNS
    ))?;
    let mut items = Vec::new();
    let mut rows = statement.query([account])?;
    while let Some(row) = rows.next()? {
        items.push(item(row)?);
    }
    Ok(items)
}

fn item(row: &Row<'_>) -> Result<FeedItem> {
    let actor: Option<i64> = row.get(8)?;
    Ok(FeedItem {
        id: row.get(0)?,
        kind: row.get(1)?,
        bottle: row.get(2)?,
        count: row.get(3)?,
        created_at: row.get(4)?,
        position: Position::new(row.get(5)?, row.get(6)?)?,
        reply: row.get(7)?,
        actor: actor.map(|_| users::account(row, 9)).transpose()?,
    })
}
