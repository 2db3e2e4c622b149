//! Rows of a file before they are validated.

use crate::model::clock::Timestamp;
use crate::store::transfer::{Block, Opening, Person, Place, Thrown, WrittenReply};

/// A row of a file.
pub(super) enum Row {
    User(Person),
    Bottle(IncomingBottle),
    Opening(Opening),
    Reply(WrittenReply),
    Block(Block),
}

impl Row {
    /// Returns true for a bottle that is neither hidden nor ended.
    pub(super) fn is_on_sea(&self) -> bool {
        matches!(self, Self::Bottle(bottle)
            if bottle.hidden_at.is_none() && bottle.ended_at.is_none())
    }
}

/// A bottle as a file contains it; `None` for values that another program does not write.
pub(super) struct IncomingBottle {
    /// The id by which openings in the same file refer to it.
    pub(super) id: Option<i64>,
    pub(super) owner: Option<String>,
    pub(super) content: String,
    pub(super) style: i64,
    pub(super) location: Place,
    pub(super) created_at: Option<Timestamp>,
    pub(super) hidden_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) open_within_m: Option<i64>,
}

impl From<Thrown> for IncomingBottle {
    fn from(bottle: Thrown) -> Self {
        Self {
            id: Some(bottle.bottle_id),
            owner: Some(bottle.owner),
            content: bottle.content,
            style: bottle.style,
            location: bottle.location,
            created_at: Some(bottle.created_at),
            hidden_at: bottle.hidden_at,
            expires_at: bottle.expires_at,
            ended_at: bottle.ended_at,
            open_within_m: bottle.open_within_m,
        }
    }
}
