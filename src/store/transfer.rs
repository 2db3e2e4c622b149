//! Rows for export and import. A row refers to others by name, so that it can move to another
//! database.

mod records;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::bottles::{self, NewBottle, TABLES};
use super::place::bottle_of;
use super::replies::{self, ThreadKey};
use super::users::{self, NewAccount};
use super::{cells, pack, sqlite_error};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::ReplyText;
pub use records::{Block, Opening, Person, Place, Record, Thrown, WrittenReply};
use records::{block, opening, person, thrown, written_reply};

/// The rows to export.
#[derive(Clone, Copy, Debug)]
pub enum ExportScope {
    /// The rows of all accounts.
    All,
    /// The rows of one account: itself, its bottles, and their openings.
    Account(i64),
}

impl ExportScope {
    fn id(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Account(id) => Some(id),
        }
    }
}

const ACCOUNTS: &str = "SELECT username, nickname, gender, email, avatar_url, created_at
    FROM users WHERE id = coalesce(?1, id) ORDER BY id";
const BOTTLES: &str = "SELECT bottles.id, username, content, style, formatted_address, latitude,
        longitude, bottles.created_at, hidden_at, expires_at, ended_at, open_within_m
    FROM bottles CROSS JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id
    WHERE owner_id = ?1 ORDER BY bottles.id";
const OPENINGS: &str = "SELECT bottle_id, username, opened_at
    FROM bottles CROSS JOIN openings ON bottle_id = bottles.id JOIN users ON users.id = opener_id
    WHERE owner_id = ?1 ORDER BY bottle_id, opened_at";
const OPENED: &str = "SELECT bottle_id, username, opened_at
    FROM openings JOIN users ON users.id = opener_id
    WHERE opener_id = ?1 ORDER BY opened_at, bottle_id";
const REPLIES: &str = "SELECT bottle_id, openers.username, authors.username, content,
        replies.created_at, replies.hidden_at
    FROM replies JOIN bottles ON bottles.id = bottle_id
        JOIN users AS openers ON openers.id = opener_id
        JOIN users AS authors ON authors.id = author_id
    WHERE owner_id = ?1 AND author_id = coalesce(?1, author_id) ORDER BY replies.id";
const BLOCKS: &str = "SELECT blockers.username, blocked.username, blocked_at
    FROM blocks JOIN users AS blockers ON blockers.id = blocker_id
        JOIN users AS blocked ON blocked.id = blocked_id
    WHERE blocker_id = coalesce(?1, blocker_id) ORDER BY blocker_id, blocked_id";

/// Returns the number of rows that [`for_each`] passes.
pub fn count(db: &Connection, scope: ExportScope) -> Result<u64> {
    let sql = match scope {
        ExportScope::All => {
            "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM bottles)
                    + (SELECT count(*) FROM openings) + (SELECT count(*) FROM replies)
                    + (SELECT count(*) FROM blocks)"
        }
        ExportScope::Account(_) => {
            "SELECT 1 + count(*) + total(openers_count)
                    + (SELECT count(*) FROM replies JOIN bottles ON bottles.id = bottle_id
                       WHERE author_id = ?1 AND owner_id = ?1)
                    + (SELECT count(*) FROM blocks WHERE blocker_id = ?1)
             FROM bottles WHERE owner_id = ?1"
        }
    };
    let mut statement = db.prepare(sql)?;
    let count: f64 = match scope.id() {
        Some(id) => statement.query_row([id], |row| row.get(0))?,
        None => statement.query_row([], |row| row.get::<_, i64>(0).map(|count| count as f64))?,
    };
    Ok(count as u64)
}

/// Passes each row to `visit` until it fails. A row follows those to which it refers.
pub fn for_each<E: From<Error>>(
    db: &Connection,
    scope: ExportScope,
    mut visit: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    rows(db, ACCOUNTS, scope, person, &mut visit)?;
    rows(db, &without_owner(BOTTLES, scope), scope, thrown, &mut visit)?;
    rows(db, &without_owner(OPENINGS, scope), scope, opening, &mut visit)?;
    rows(db, &without_owner(REPLIES, scope), scope, written_reply, &mut visit)?;
    rows(db, BLOCKS, scope, block, &mut visit)
}

/// Passes each bottle of the guests of a class to `visit` until it fails.
pub fn for_each_of_class<E: From<Error>>(
    db: &Connection,
    class: i64,
    mut visit: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    // The guests are few, so the query begins with them.
    let of_class = BOTTLES.replace("CROSS JOIN", "JOIN").replace("owner_id = ?1", "class_id = ?1");
    rows(db, &of_class, ExportScope::Account(class), thrown, &mut visit)
}

/// Passes each opening of another account's bottle and each reply there to `visit` until it fails.
pub fn for_each_elsewhere<E: From<Error>>(
    db: &Connection,
    account: i64,
    mut visit: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let scope = ExportScope::Account(account);
    rows(db, OPENED, scope, opening, &mut visit)?;
    let elsewhere = REPLIES.replace("owner_id = ?1", "owner_id <> ?1");
    rows(db, &elsewhere, scope, written_reply, &mut visit)
}

/// Removes the condition on the owner from a query of all accounts: with it SQLite would use an
/// index for nothing.
fn without_owner(sql: &str, scope: ExportScope) -> String {
    match scope {
        ExportScope::All => sql.replace("WHERE owner_id = ?1", "WHERE ?1 IS NULL"),
        ExportScope::Account(_) => sql.to_owned(),
    }
}

fn rows<E: From<Error>>(
    db: &Connection,
    sql: &str,
    scope: ExportScope,
    read: fn(&Row<'_>) -> rusqlite::Result<Record>,
    visit: &mut impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let sqlite = |e: rusqlite::Error| E::from(Error::from(e));
    let mut statement = db.prepare(sql).map_err(sqlite)?;
    for record in statement.query_map([scope.id()], read).map_err(sqlite)? {
        visit(record.map_err(sqlite)?)?;
    }
    Ok(())
}

/// Runs `change`, undoes it, and returns its result.
pub fn try_out<T>(db: &Connection, change: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.execute_batch("SAVEPOINT trial")?;
    let result = change(db);
    db.execute_batch("ROLLBACK TO trial; RELEASE trial")?;
    result
}

/// Inserts an account with its time of registration and picture. Returns its id.
pub fn insert_account(
    db: &Connection,
    new: &NewAccount,
    avatar_url: Option<&str>,
    created_at: Timestamp,
) -> Result<i64> {
    let id = users::insert(db, new, created_at)?.id;
    db.prepare_cached("UPDATE users SET avatar_url = ?2 WHERE id = ?1")?
        .execute(params![id, avatar_url])?;
    Ok(id)
}

/// Returns the id of the bottle that `owner` threw with this content at this position and, if
/// `created_at` is known, at this time.
pub fn find_bottle(
    db: &Connection,
    owner: i64,
    new: &NewBottle,
    created_at: Option<Timestamp>,
) -> Result<Option<i64>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT id FROM {TABLES}
             WHERE id IN (
                 SELECT {id} FROM bottles_rtree
                 WHERE min_latitude <= :latitude AND max_latitude >= :latitude
                   AND min_longitude <= :longitude AND max_longitude >= :longitude
                 UNION ALL SELECT id FROM bottles WHERE hidden_at IS NOT NULL
                 UNION ALL SELECT id FROM bottles WHERE ended_at IS NOT NULL AND owner_id = :owner)
               AND owner_id = :owner AND created_at = coalesce(:created_at, created_at)
               AND content = :content AND latitude = :latitude AND longitude = :longitude
             LIMIT 1",
            id = bottle_of("place"),
        ))?
        .query_row(
            named_params! {
                ":latitude": new.position.latitude(),
                ":longitude": new.position.longitude(),
                ":owner": owner,
                ":created_at": created_at,
                ":content": new.content.as_str(),
            },
            |row| row.get(0),
        )
        .optional()?)
}

/// Inserts a bottle with its time, hidden or ended if it was. Returns its id, or
/// [`Error::NotLoggedIn`] if the account was deleted.
pub fn insert_bottle(
    db: &Connection,
    owner: i64,
    new: &NewBottle,
    created_at: Timestamp,
    (hidden_at, ended_at): (Option<Timestamp>, Option<Timestamp>),
) -> Result<i64> {
    let id = bottles::insert(db, owner, new, created_at)?.id;
    if hidden_at.is_some() || ended_at.is_some() {
        db.prepare_cached("UPDATE bottles SET hidden_at = ?2, ended_at = ?3 WHERE id = ?1")?
            .execute(params![id, hidden_at, ended_at])?;
    }
    Ok(id)
}

/// Builds the R*-tree anew if at least half of the bottles on the sea are among the `added` ones of
/// an import. Returns true if it did.
///
/// A tree of so many new bottles is worth the time, and an import of few into a large sea does not
/// keep other writers waiting.
pub fn pack_after_import(db: &Connection, added: u64) -> Result<bool> {
    let on_sea = u64::try_from(cells::total(db)?).unwrap_or_default();
    let is_worth_it = added > 0 && added >= on_sea.div_ceil(2);
    if is_worth_it {
        pack::refill_tree(db)?;
    }
    Ok(is_worth_it)
}

/// Inserts an opening. Returns false if it exists, and [`Error::NotLoggedIn`] if the account was
/// deleted.
pub fn insert_opening(
    db: &Connection,
    bottle: i64,
    opener: i64,
    open_at: Timestamp,
) -> Result<bool> {
    let added = db
        .prepare_cached("INSERT INTO openings VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(params![bottle, opener, open_at])
        .map_err(
            |e| if sqlite_error::is_foreign_key(&e) { Error::NotLoggedIn } else { e.into() },
        )?;
    Ok(added == 1)
}

/// Inserts a reply, and its thread if it is the first. Returns false if the same author wrote the
/// same text there at that time, and [`Error::NotLoggedIn`] if the opening or an account was
/// deleted.
pub fn insert_reply(
    db: &Connection,
    thread: ThreadKey,
    author: i64,
    content: &ReplyText,
    (created_at, hidden_at): (Timestamp, Option<Timestamp>),
) -> Result<bool> {
    let ThreadKey { bottle, opener } = thread;
    let gone =
        |e| if sqlite_error::is_foreign_key(&e) { Error::NotLoggedIn } else { Error::from(e) };
    replies::begin(db, thread).map_err(gone)?;
    let added = db
        .prepare_cached(
            "INSERT INTO replies (bottle_id, opener_id, author_id, content, created_at, hidden_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6
             WHERE NOT EXISTS (
                 SELECT 1 FROM replies
                 WHERE (bottle_id, opener_id, author_id, content, created_at) = (?1, ?2, ?3, ?4, ?5))",
        )?
        .execute(params![bottle, opener, author, content.as_str(), created_at, hidden_at])
        .map_err(gone)?;
    Ok(added == 1)
}

/// Inserts a block. Returns false if it exists, and [`Error::NotLoggedIn`] if an account was deleted.
pub fn insert_block(
    db: &Connection,
    blocker: i64,
    blocked: i64,
    blocked_at: Timestamp,
) -> Result<bool> {
    let added = db
        .prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(params![blocker, blocked, blocked_at])
        .map_err(
            |e| if sqlite_error::is_foreign_key(&e) { Error::NotLoggedIn } else { e.into() },
        )?;
    Ok(added == 1)
}
