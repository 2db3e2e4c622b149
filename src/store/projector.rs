//! The first words of new bottles, which a teacher shows on a projector.

use rusqlite::{Connection, params};

use crate::model::error::Result;

/// The number of bottles whose words are shown at once.
const MAX_BOTTLES: u32 = 8;

/// The number of characters that are shown of a message.
const MAX_CHARACTERS: u32 = 120;

/// The first words of a bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstWords {
    /// The bottle.
    pub bottle: i64,
    /// The beginning of the message.
    pub words: String,
    /// The name of the account that threw the bottle, as others see it.
    pub nickname: String,
}

/// Shows the words of bottles that are thrown from now on, or ends that. Returns false if that was the
/// state already.
///
/// The key in `meta` has the last bottle that was thrown before: its owner did not know.
pub fn show_messages(db: &Connection, shown: bool) -> Result<bool> {
    let sql = match shown {
        true => {
            "INSERT INTO meta (key, value)
             SELECT 'messages_shown_after', CAST(coalesce(max(id), 0) AS TEXT) FROM bottles
             WHERE true ON CONFLICT DO NOTHING"
        }
        false => "DELETE FROM meta WHERE key = 'messages_shown_after'",
    };
    Ok(db.prepare_cached(sql)?.execute([])? == 1)
}

/// Returns true if words are shown.
pub fn shows_messages(db: &Connection) -> Result<bool> {
    let sql = "SELECT 1 FROM meta WHERE key = 'messages_shown_after'";
    Ok(db.prepare_cached(sql)?.exists([])?)
}

/// Returns the words of the latest bottles that may be shown, the latest first: none that is hidden or
/// has ended, that waits for a decision on a report, or that opens near its place only.
pub fn first_words(db: &Connection) -> Result<Vec<FirstWords>> {
    let mut statement = db.prepare_cached(
        "SELECT bottles.id, substr(content, 1, ?1), iif(nickname = '', username, nickname)
         FROM bottles
         JOIN messages ON messages.bottle_id = bottles.id
         JOIN users ON users.id = owner_id
         WHERE bottles.id > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'messages_shown_after')
           AND on_sea AND open_within_m IS NULL
           AND NOT EXISTS (SELECT 1 FROM reports
                           WHERE reports.bottle_id = bottles.id AND settled_at IS NULL)
         ORDER BY bottles.id DESC LIMIT 0 + ?2",
    )?;
    let rows = statement.query_map(params![MAX_CHARACTERS, MAX_BOTTLES], |row| {
        Ok(FirstWords { bottle: row.get(0)?, words: row.get(1)?, nickname: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
