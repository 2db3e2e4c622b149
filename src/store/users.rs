//! Accounts.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::fields::{Gender, Nickname, Username};

/// An account, as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Given once, never again to another.
    pub id: i64,
    /// The name it logs in with.
    pub username: String,
    /// The name it is shown with.
    pub nickname: String,
    /// How it describes itself.
    pub gender: Gender,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What a new account begins with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name to log in with.
    pub username: Username,
    /// The password's Argon2 hash.
    pub password_hash: String,
    /// The name to be shown with.
    pub nickname: Nickname,
    /// How it describes itself.
    pub gender: Gender,
}

/// What is to change of an account; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The name to be shown with.
    pub nickname: Option<Nickname>,
    /// How it describes itself.
    pub gender: Option<Gender>,
    /// The new password's Argon2 hash.
    pub password_hash: Option<String>,
    /// The version the password must still have, where the caller proved to know the old one.
    pub password_version: Option<i64>,
}

/// What a password is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub account: Account,
    /// The password's Argon2 hash.
    pub password_hash: String,
    /// Grows with each new password: what was checked against an older one holds no longer.
    pub password_version: i64,
}

/// The columns that [`account`] reads, in its order.
pub(super) const COLUMNS: &str =
    "users.id, users.username, users.nickname, users.gender, users.created_at";
/// How many they are.
pub(super) const WIDTH: usize = 5;

/// Reads an [`Account`] from the columns that begin at `first`.
pub(super) fn account(row: &Row<'_>, first: usize) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(first)?,
        username: row.get(first + 1)?,
        nickname: row.get(first + 2)?,
        gender: row.get(first + 3)?,
        created_at: row.get(first + 4)?,
    })
}

const SELECT_CREDENTIALS: &str = "SELECT users.id, users.username, users.nickname, users.gender,
    users.created_at, password_hash, password_version FROM users";

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        account: account(row, 0)?,
        password_hash: row.get(WIDTH)?,
        password_version: row.get(WIDTH + 1)?,
    })
}

/// Adds an account; [`Error::UsernameTaken`] if another has its name.
pub fn insert(db: &Connection, new: &NewAccount, now: Timestamp) -> Result<Account> {
    db.prepare_cached(&format!(
        "INSERT INTO users (username, password_hash, nickname, gender, created_at)
         VALUES (:username, :password_hash, :nickname, :gender, :now)
         ON CONFLICT (username) DO NOTHING
         RETURNING {COLUMNS}"
    ))?
    .query_row(
        named_params! {
            ":username": new.username.as_str(),
            ":password_hash": new.password_hash,
            ":nickname": new.nickname.as_str(),
            ":gender": new.gender,
            ":now": now,
        },
        |row| account(row, 0),
    )
    .optional()?
    .ok_or_else(|| Error::UsernameTaken(new.username.as_str().to_owned()))
}

/// What the password of the account called `username` is checked against.
pub fn by_name(db: &Connection, username: &Username) -> Result<Option<Credentials>> {
    Ok(db
        .prepare_cached(&format!("{SELECT_CREDENTIALS} WHERE username = ?1"))?
        .query_row([username.as_str()], credentials)
        .optional()?)
}

/// What the password of the account `id` is checked against.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Credentials>> {
    Ok(db
        .prepare_cached(&format!("{SELECT_CREDENTIALS} WHERE id = ?1"))?
        .query_row([id], credentials)
        .optional()?)
}

/// Changes the account `id`; `None` if it is gone, or its password was changed meanwhile.
pub fn update(db: &Connection, id: i64, changes: &Changes) -> Result<Option<Account>> {
    Ok(db
        .prepare_cached(&format!(
            "UPDATE users SET
                 nickname = coalesce(:nickname, nickname),
                 gender = coalesce(:gender, gender),
                 password_hash = coalesce(:password_hash, password_hash),
                 password_version = password_version + (:password_hash IS NOT NULL)
             WHERE id = :id AND password_version = coalesce(:version, password_version)
             RETURNING {COLUMNS}"
        ))?
        .query_row(
            named_params! {
                ":id": id,
                ":nickname": changes.nickname.as_ref().map(Nickname::as_str),
                ":gender": changes.gender,
                ":password_hash": changes.password_hash,
                ":version": changes.password_version,
            },
            |row| account(row, 0),
        )
        .optional()?)
}

/// Puts a stronger hash of the same password in the place of `old`, if that is still there.
pub fn rehash(db: &Connection, id: i64, old: &str, new: &str) -> Result<()> {
    db.prepare_cached("UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2")?
        .execute(params![id, old, new])?;
    Ok(())
}

impl ToSql for Gender {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Gender {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self::from_millis)
    }
}
