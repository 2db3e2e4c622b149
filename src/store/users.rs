//! Accounts.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::ledger;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::{AvatarUrl, Email, Gender, Nickname, Username};

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
    /// Its email address, if it has one.
    pub email: Option<String>,
    /// Where its picture is, if it has one.
    pub avatar_url: Option<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Whether its password was given out by an operator: the page asks for another at the login.
    pub password_is_one_time: bool,
    /// Whether it may hide bottles, mute accounts, and see who reported what.
    pub is_teacher: bool,
}

impl Account {
    /// Whether `name` names this account, as it would at a login.
    pub fn is_called(&self, name: &str) -> bool {
        Username::normalized(name).as_str().eq_ignore_ascii_case(&self.username)
    }

    /// Returns [`Error::NotTeacher`] unless this is a teacher's account.
    pub fn check_teacher(&self) -> Result<()> {
        if self.is_teacher { Ok(()) } else { Err(Error::NotTeacher) }
    }
}

/// What a new account begins with. Like all that holds a hash, it does not print itself.
#[derive(Clone)]
pub struct NewAccount {
    /// The name to log in with.
    pub username: Username,
    /// The password's Argon2 hash.
    pub password_hash: String,
    /// The name to be shown with.
    pub nickname: Nickname,
    /// How it describes itself.
    pub gender: Gender,
    /// The address to be reached at, unique without regard to case.
    pub email: Option<Email>,
    /// Whether the password was given out, and not chosen.
    pub password_is_one_time: bool,
    /// Whether it may keep the sea kind.
    pub is_teacher: bool,
}

/// What is to change of an account; `None` leaves a thing as it is.
#[derive(Clone, Default)]
pub struct Changes {
    /// The name to log in with.
    pub username: Option<Username>,
    /// The name to be shown with.
    pub nickname: Option<Nickname>,
    /// How it describes itself.
    pub gender: Option<Gender>,
    /// Where its picture is.
    pub avatar_url: Option<AvatarUrl>,
    /// The new password's Argon2 hash.
    pub password_hash: Option<String>,
    /// Whether that password was given out, and not chosen.
    pub password_is_one_time: bool,
    /// The version the password must still have, where the caller proved to know the old one.
    pub password_version: Option<i64>,
}

/// What a password is checked against.
#[derive(Clone)]
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
    "users.id, users.username, users.nickname, users.gender, users.email, users.avatar_url,
    users.created_at, users.password_is_one_time, users.is_teacher";
/// How many they are.
pub(super) const WIDTH: usize = 9;

/// Reads an [`Account`] from the columns that begin at `first`.
pub(super) fn account(row: &Row<'_>, first: usize) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(first)?,
        username: row.get(first + 1)?,
        nickname: row.get(first + 2)?,
        gender: row.get(first + 3)?,
        email: row.get(first + 4)?,
        avatar_url: row.get(first + 5)?,
        created_at: row.get(first + 6)?,
        password_is_one_time: row.get(first + 7)?,
        is_teacher: row.get(first + 8)?,
    })
}

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        account: account(row, 0)?,
        password_hash: row.get(WIDTH)?,
        password_version: row.get(WIDTH + 1)?,
    })
}

/// Adds an account; [`Error::UsernameTaken`] or [`Error::EmailTaken`] if another has its name or
/// its address.
pub fn insert(db: &Connection, new: &NewAccount, now: Timestamp) -> Result<Account> {
    let email = new.email.as_ref().map(Email::as_str);
    let inserted = db
        .prepare_cached(&format!(
            "INSERT INTO users
                 (username, password_hash, nickname, gender, email, email_key, created_at,
                  password_is_one_time, is_teacher)
             VALUES (:username, :password_hash, :nickname, :gender, :email, :email_key, :now,
                     :password_is_one_time, :is_teacher)
             ON CONFLICT DO NOTHING
             RETURNING {COLUMNS}"
        ))?
        .query_row(
            named_params! {
                ":username": new.username.as_str(),
                ":password_hash": new.password_hash,
                ":nickname": new.nickname.as_str(),
                ":gender": new.gender,
                ":email": email,
                ":email_key": email.map(Email::key),
                ":now": now,
                ":password_is_one_time": new.password_is_one_time,
                ":is_teacher": new.is_teacher,
            },
            |row| account(row, 0),
        )
        .optional()?;
    match inserted {
        Some(account) => Ok(account),
        None if by_name(db, &new.username)?.is_some() => {
            Err(Error::UsernameTaken(new.username.as_str().to_owned()))
        }
        None => Err(Error::EmailTaken),
    }
}

/// An account, and what it has.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSummary {
    /// The account.
    pub account: Account,
    /// How many bottles it threw.
    pub bottles: i64,
    /// How many live sessions it has.
    pub sessions: i64,
}

/// All accounts, oldest first.
pub fn list(db: &Connection, now: Timestamp) -> Result<Vec<AccountSummary>> {
    let sql = format!(
        "SELECT {COLUMNS},
                (SELECT count(*) FROM bottles WHERE owner_id = users.id),
                (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > ?1)
         FROM users ORDER BY id"
    );
    let mut accounts = db.prepare(&sql)?;
    let listed = accounts.query_map([now], |row| {
        let (bottles, sessions) = (row.get(WIDTH)?, row.get(WIDTH + 1)?);
        Ok(AccountSummary { account: account(row, 0)?, bottles, sessions })
    })?;
    Ok(listed.collect::<rusqlite::Result<_>>()?)
}

/// What the password of the account called `username` is checked against.
pub fn by_name(db: &Connection, username: &Username) -> Result<Option<Credentials>> {
    find(db, "username = ?1", username.as_str())
}

/// The id of the account called `username`, if there is one.
pub fn id_by_name(db: &Connection, username: &str) -> Result<Option<i64>> {
    Ok(by_name(db, &Username::normalized(username))?.map(|found| found.account.id))
}

/// What the password of the account with this address is checked against.
pub fn by_email(db: &Connection, email: &str) -> Result<Option<Credentials>> {
    find(db, "email_key = ?1", Email::key(email))
}

/// What the password of the account `id` is checked against.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Credentials>> {
    find(db, "id = ?1", id)
}

/// The password hash of some account, the same for the same `chosen` while no account comes or goes;
/// `None` if there is no account.
pub fn some_password_hash(db: &Connection, chosen: u64) -> Result<Option<String>> {
    // SQLite's integers are signed, and ids begin with 1.
    let chosen = i64::try_from(chosen >> 1).unwrap_or(i64::MAX);
    Ok(db
        .prepare_cached(
            "SELECT password_hash FROM users
             WHERE id > ?1 % (SELECT max(id) FROM users) ORDER BY id LIMIT 1",
        )?
        .query_row([chosen], |row| row.get(0))
        .optional()?)
}

fn find(db: &Connection, condition: &str, value: impl ToSql) -> Result<Option<Credentials>> {
    let sql =
        format!("SELECT {COLUMNS}, password_hash, password_version FROM users WHERE {condition}");
    Ok(db.prepare_cached(&sql)?.query_row([value], credentials).optional()?)
}

/// Changes the account `id`; `None` if it is gone, or its password was changed meanwhile;
/// [`Error::UsernameTaken`] if another has its new name.
pub fn update(db: &Connection, id: i64, changes: &Changes) -> Result<Option<Account>> {
    let username = changes.username.as_ref().map(Username::as_str);
    db.prepare_cached(&format!(
        "UPDATE users SET
             username = coalesce(:username, username),
             nickname = coalesce(:nickname, nickname),
             gender = coalesce(:gender, gender),
             avatar_url = coalesce(:avatar_url, avatar_url),
             password_hash = coalesce(:password_hash, password_hash),
             password_version = password_version + (:password_hash IS NOT NULL),
             password_is_one_time = iif(:password_hash IS NULL, password_is_one_time, :is_one_time)
         WHERE id = :id AND password_version = coalesce(:version, password_version)
         RETURNING {COLUMNS}"
    ))?
    .query_row(
        named_params! {
            ":id": id,
            ":username": username,
            ":nickname": changes.nickname.as_ref().map(Nickname::as_str),
            ":gender": changes.gender,
            ":avatar_url": changes.avatar_url.as_ref().map(AvatarUrl::as_str),
            ":password_hash": changes.password_hash,
            ":is_one_time": changes.password_is_one_time,
            ":version": changes.password_version,
        },
        |row| account(row, 0),
    )
    .optional()
    .map_err(|e| match username {
        Some(name) if super::is_duplicate(&e) => Error::UsernameTaken(name.to_owned()),
        _ => e.into(),
    })
}

/// Deletes the account `id` with its sessions, bottles and openings. [`Error::WrongPassword`] if it is
/// gone, or has not the password of that version where one is given; [`Error::HasHolding`] if the schema
/// keeps it.
pub fn delete(db: &Connection, id: i64, password_version: Option<i64>) -> Result<()> {
    let deleted = db
        .prepare_cached(
            "DELETE FROM users WHERE id = ?1 AND password_version = coalesce(?2, password_version)",
        )?
        .execute(params![id, password_version]);
    match deleted {
        Ok(0) => Err(Error::WrongPassword),
        Ok(_) => Ok(()),
        Err(e) if super::is_foreign_key(&e) => match ledger::first_kind(db, id)? {
            Some(kind) => Err(Error::HasHolding(kind)),
            None => Err(e.into()),
        },
        Err(e) => Err(e.into()),
    }
}

/// The same, with its cards, members and divisions.
pub fn delete_all(db: &Connection, id: i64, password_version: Option<i64>) -> Result<()> {
    ledger::delete_all(db, id)?;
    delete(db, id, password_version)
}

/// Puts a stronger hash of the same password in the place of `old`, if that is still there.
pub fn rehash(db: &Connection, id: i64, old: &str, new: &str) -> Result<()> {
    db.prepare_cached("UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2")?
        .execute(params![id, old, new])?;
    Ok(())
}
