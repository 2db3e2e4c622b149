//! The rows of an export.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::model::clock::Timestamp;

/// A line of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Record {
    User(Person),
    Bottle(Thrown),
    Opening(Opening),
    Reply(WrittenReply),
    Block(Block),
}

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Person {
    pub username: String,
    pub nickname: String,
    pub gender: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub avatar_url: Option<String>,
    pub created_at: Timestamp,
}

/// A bottle. Its id is valid within one export only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Thrown {
    pub bottle_id: i64,
    pub owner: String,
    pub content: String,
    pub style: i64,
    pub location: Place,
    pub created_at: Timestamp,
    /// The time at which a teacher or enough reports hid it; absent if it is on the sea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_at: Option<Timestamp>,
    /// The time at which it leaves the sea by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The time at which it left the sea by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The distance in metres within which it can be opened; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_within_m: Option<i64>,
}

/// The place of a bottle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Place {
    #[serde(default)]
    pub formatted_address: String,
    pub latitude: f64,
    pub longitude: f64,
}

/// An opening of a bottle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Opening {
    pub bottle_id: i64,
    pub opener: String,
    pub open_at: Timestamp,
}

/// A reply in the thread of a bottle and one of its openers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct WrittenReply {
    pub bottle_id: i64,
    pub opener: String,
    pub author: String,
    pub content: String,
    pub created_at: Timestamp,
    /// The time at which a teacher or a report hid it; absent if it is visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_at: Option<Timestamp>,
}

/// An account that has blocked another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Block {
    pub blocker: String,
    pub blocked: String,
    pub blocked_at: Timestamp,
}

/// Reads a row of the query for accounts.
pub(super) fn person(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::User(Person {
        username: row.get(0)?,
        nickname: row.get(1)?,
        gender: row.get(2)?,
        email: row.get(3)?,
        avatar_url: row.get(4)?,
        created_at: row.get(5)?,
    }))
}

/// Reads a row of the query for bottles.
pub(super) fn thrown(row: &Row<'_>) -> rusqlite::Result<Record> {
    let location =
        Place { formatted_address: row.get(4)?, latitude: row.get(5)?, longitude: row.get(6)? };
    Ok(Record::Bottle(Thrown {
        bottle_id: row.get(0)?,
        owner: row.get(1)?,
        content: row.get(2)?,
        style: row.get(3)?,
        location,
        created_at: row.get(7)?,
        hidden_at: row.get(8)?,
        expires_at: row.get(9)?,
        ended_at: row.get(10)?,
        open_within_m: row.get(11)?,
    }))
}

/// Reads a row of the query for openings.
pub(super) fn opening(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::Opening(Opening {
        bottle_id: row.get(0)?,
        opener: row.get(1)?,
        open_at: row.get(2)?,
    }))
}

/// Reads a row of the query for replies.
pub(super) fn written_reply(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::Reply(WrittenReply {
        bottle_id: row.get(0)?,
        opener: row.get(1)?,
        author: row.get(2)?,
        content: row.get(3)?,
        created_at: row.get(4)?,
        hidden_at: row.get(5)?,
    }))
}

/// Reads a row of the query for blocks.
pub(super) fn block(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::Block(Block { blocker: row.get(0)?, blocked: row.get(1)?, blocked_at: row.get(2)? }))
}
