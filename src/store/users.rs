//! The table `users`: accounts and their password hashes.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::sqlite_error;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::{AvatarUrl, Email, Gender, Nickname, Username};
use crate::model::role::Role;

/// An account, without its password hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The id, which is never reused.
    pub id: i64,
    /// The username, to log in with.
    pub username: String,
    /// The nickname, which other accounts see.
    pub nickname: String,
    /// The gender.
    pub gender: Gender,
    /// The email address.
    pub email: Option<String>,
    /// The URL of its picture.
    pub avatar_url: Option<String>,
    /// The time of registration.
    pub created_at: Timestamp,
    /// True if an operator assigned the password: the page then requires another at the login.
    pub password_is_one_time: bool,
    /// True if the account belongs to a teacher, who may hide bottles, mute accounts and see
    /// reports. An operator is also a teacher.
    pub is_teacher: bool,
    /// True if the account belongs to an operator, who decides who gets in.
    pub is_operator: bool,
    /// The kinds of inbox items that it has silenced: a bit for each, see
    /// [`Kind::bit`](crate::model::inbox::Kind::bit).
    pub silenced: u8,
    /// The time at which the class of a guest ends; `None` for every other account.
    pub guest_until: Option<Timestamp>,
}

impl Account {
    /// Returns true if `name` names this account, as it would at a login.
    pub fn is_called(&self, name: &str) -> bool {
        Username::normalized(name).as_str().eq_ignore_ascii_case(&self.username)
    }

    /// Returns the role.
    pub fn role(&self) -> Role {
        match (self.is_operator, self.is_teacher) {
            (true, _) => Role::Operator,
            (false, true) => Role::Teacher,
            (false, false) => Role::User,
        }
    }

    /// Returns [`Error::Guest`] if this is a guest's account.
    pub fn check_no_guest(&self) -> Result<()> {
        if self.guest_until.is_some() { Err(Error::Guest) } else { Ok(()) }
    }

    /// Returns [`Error::NotTeacher`] unless this is a teacher's account.
    pub fn check_teacher(&self) -> Result<()> {
        if self.is_teacher { Ok(()) } else { Err(Error::NotTeacher) }
    }

    /// Returns [`Error::NotOperator`] unless this is an operator's account.
    pub fn check_operator(&self) -> Result<()> {
        if self.is_operator { Ok(()) } else { Err(Error::NotOperator) }
    }
}

/// The values of a new account. Types that contain a hash have no `Debug`.
#[derive(Clone)]
pub struct NewAccount {
    /// The username.
    pub username: Username,
    /// The Argon2id hash of the password, a PHC string.
    pub password_hash: String,
    /// The nickname.
    pub nickname: Nickname,
    /// The gender.
    pub gender: Gender,
    /// The email address, unique regardless of case.
    pub email: Option<Email>,
    /// True if an operator assigned the password.
    pub password_is_one_time: bool,
    /// The role.
    pub role: Role,
}

/// Changes of an account; `None` keeps the old value.
#[derive(Clone, Default)]
pub struct Changes {
    /// The username.
    pub username: Option<Username>,
    /// The nickname.
    pub nickname: Option<Nickname>,
    /// The gender.
    pub gender: Option<Gender>,
    /// The URL of its picture.
    pub avatar_url: Option<AvatarUrl>,
    /// The Argon2id hash of the new password.
    pub password_hash: Option<String>,
    /// True if an operator assigned that password.
    pub password_is_one_time: bool,
    /// The version that the password must still have, if the caller verified the old one.
    pub password_version: Option<i64>,
    /// The kinds of inbox items that are silenced.
    pub silenced: Option<u8>,
}

/// The stored credentials of an account.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub account: Account,
    /// The Argon2id hash of the password, a PHC string.
    pub password_hash: String,
    /// The version of the password, which grows with each new one and invalidates checks of older
    /// ones.
    pub password_version: i64,
}

/// The columns that [`account`] reads, in its order.
pub(super) const COLUMNS: &str =
    "users.id, users.username, users.nickname, users.gender, users.email, users.avatar_url,
    users.created_at, users.password_is_one_time, users.is_teacher, users.is_operator,
    users.inbox_silenced, (SELECT ends_at FROM classes WHERE classes.id = users.class_id)";
/// The number of [`COLUMNS`].
pub(super) const COLUMN_COUNT: usize = 12;

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
        is_operator: row.get(first + 9)?,
        silenced: row.get(first + 10)?,
        guest_until: row.get(first + 11)?,
    })
}

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        account: account(row, 0)?,
        password_hash: row.get(COLUMN_COUNT)?,
        password_version: row.get(COLUMN_COUNT + 1)?,
    })
}

/// Inserts an account. Returns [`Error::UsernameTaken`] or [`Error::EmailTaken`] if another has its
/// name or address.
pub fn insert(db: &Connection, new: &NewAccount, now: Timestamp) -> Result<Account> {
    let email = new.email.as_ref().map(Email::as_str);
    let inserted = db
        .prepare_cached(&format!(
            "INSERT INTO users
                 (username, password_hash, nickname, gender, email, email_key, created_at,
                  password_is_one_time, is_teacher, is_operator)
             VALUES (:username, :password_hash, :nickname, :gender, :email, :email_key, :now,
                     :password_is_one_time, :is_teacher, :is_operator)
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
                ":is_teacher": new.role >= Role::Teacher,
                ":is_operator": new.role == Role::Operator,
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

/// Returns the credentials of the account with this username.
pub fn by_name(db: &Connection, username: &Username) -> Result<Option<Credentials>> {
    find(db, "username = ?1", username.as_str())
}

/// Returns the id of the account with this username.
pub fn id_by_name(db: &Connection, username: &str) -> Result<Option<i64>> {
    Ok(by_name(db, &Username::normalized(username))?.map(|found| found.account.id))
}

/// Returns the credentials of the account with this email address.
pub fn by_email(db: &Connection, email: &str) -> Result<Option<Credentials>> {
    find(db, "email_key = ?1", Email::key(email))
}

/// Returns the credentials of the account `id`.
pub fn by_id(db: &Connection, id: i64) -> Result<Option<Credentials>> {
    find(db, "id = ?1", id)
}

/// Returns the password hash of an account chosen by `chosen`: the same one as long as no account
/// is created or deleted. Returns `None` if there is no account.
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

/// Changes the account `id`. Returns `None` if it was deleted or its password was changed
/// meanwhile, and [`Error::UsernameTaken`] if another account has the new name.
pub fn update(db: &Connection, id: i64, changes: &Changes) -> Result<Option<Account>> {
    let username = changes.username.as_ref().map(Username::as_str);
    db.prepare_cached(&format!(
        "UPDATE users SET
             username = coalesce(:username, username),
             nickname = coalesce(:nickname, nickname),
             gender = coalesce(:gender, gender),
             avatar_url = coalesce(:avatar_url, avatar_url),
             inbox_silenced = coalesce(:silenced, inbox_silenced),
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
            ":silenced": changes.silenced,
            ":password_hash": changes.password_hash,
            ":is_one_time": changes.password_is_one_time,
            ":version": changes.password_version,
        },
        |row| account(row, 0),
    )
    .optional()
    .map_err(|e| match username {
        Some(name) if sqlite_error::is_duplicate(&e) => Error::UsernameTaken(name.to_owned()),
        _ => e.into(),
    })
}

/// Replaces the hash `old` by a stronger one of the same password, if `old` is still stored.
pub fn rehash(db: &Connection, id: i64, old: &str, new: &str) -> Result<()> {
    db.prepare_cached("UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2")?
        .execute(params![id, old, new])?;
    Ok(())
}
