//! Rows for export and import. A row refers to others by name, so that it can move to another
//! database.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::{Deserialize, Serialize};

use super::bottles::{self, NewBottle, TABLES};
use super::place::bottle_of;
use super::users::{self, NewAccount};
use super::{cells, moderation, pack, sqlite_error};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};

/// A line of an export: an account, a bottle or an opening.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Record {
    User(Person),
    Bottle(Thrown),
    Opening(Opening),
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
        longitude, bottles.created_at, hidden_at
    FROM bottles CROSS JOIN messages ON bottle_id = bottles.id JOIN users ON users.id = owner_id
    WHERE owner_id = ?1 ORDER BY bottles.id";
const OPENINGS: &str = "SELECT bottle_id, username, opened_at
    FROM bottles CROSS JOIN openings ON bottle_id = bottles.id JOIN users ON users.id = opener_id
    WHERE owner_id = ?1 ORDER BY bottle_id, opened_at";
const OPENED: &str = "SELECT bottle_id, username, opened_at
    FROM openings JOIN users ON users.id = opener_id
    WHERE opener_id = ?1 ORDER BY opened_at, bottle_id";

/// Returns the number of rows that [`for_each`] passes.
pub fn count(db: &Connection, scope: ExportScope) -> Result<u64> {
    let sql = match scope {
        ExportScope::All => {
            "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM bottles)
                    + (SELECT count(*) FROM openings)"
        }
        ExportScope::Account(_) => {
            "SELECT 1 + count(*) + total(openers_count) FROM bottles WHERE owner_id = ?1"
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
    rows(db, &without_owner(OPENINGS, scope), scope, opening, &mut visit)
}

/// Passes each opening by the account to `visit` until it fails.
pub fn for_each_opened_by<E: From<Error>>(
    db: &Connection,
    account: i64,
    mut visit: impl FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    rows(db, OPENED, ExportScope::Account(account), opening, &mut visit)
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

fn person(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::User(Person {
        username: row.get(0)?,
        nickname: row.get(1)?,
        gender: row.get(2)?,
        email: row.get(3)?,
        avatar_url: row.get(4)?,
        created_at: row.get(5)?,
    }))
}

fn thrown(row: &Row<'_>) -> rusqlite::Result<Record> {
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
    }))
}

fn opening(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record::Opening(Opening {
        bottle_id: row.get(0)?,
        opener: row.get(1)?,
        open_at: row.get(2)?,
    }))
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
                 UNION ALL SELECT id FROM bottles WHERE hidden_at IS NOT NULL)
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

/// Inserts a bottle with its time, hidden if it was. Returns its id, or [`Error::NotLoggedIn`] if
/// the account was deleted.
pub fn insert_bottle(
    db: &Connection,
    owner: i64,
    new: &NewBottle,
    created_at: Timestamp,
    hidden_at: Option<Timestamp>,
) -> Result<i64> {
    let id = bottles::insert(db, owner, new, created_at)?.id;
    if hidden_at.is_some() {
        moderation::set_hidden(db, id, hidden_at)?;
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
