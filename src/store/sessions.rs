//! Sessions: who carries a live token, of which contract, until when.

use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::users::{self, Account};
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result};
use crate::model::fields::Terminal;
use crate::model::token::TokenHash;

/// The contract a session was begun by. It opens nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// A private cookie.
    Bottle,
    /// A JWT in a bare cookie.
    Ledger,
    /// A bearer token.
    Music,
    /// A token for each terminal.
    Bookstore,
}

/// The key of a session: the token of one contract opens nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionKey {
    /// The contract it belongs to.
    pub contract: Contract,
    /// The hash of the token that the client carries.
    pub token: TokenHash,
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of the token the client will carry.
    pub token: TokenHash,
    /// Whose it is.
    pub account: i64,
    /// The version of the password that was found right; the session begins only if it still stands.
    pub password_version: i64,
    /// Which contract it belongs to.
    pub contract: Contract,
    /// The terminal it is for; it replaces the one before it there.
    pub terminal: Option<Terminal>,
    /// The session the client carried until now, which ends.
    pub replaces: Option<TokenHash>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A clock may be set back so far, in milliseconds, and those who just logged in stay so. Further back,
/// a session that has not begun yet is none: the clock is wrong, and of no use to tell what is over.
const MAX_CLOCK_SETBACK_MS: i64 = 5 * 60 * 1000;

/// Whether there are sessions that are over.
pub fn any_over(db: &Connection, now: Timestamp) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM sessions WHERE expires_at <= ?1")?.exists([now])?)
}

/// Clears away the sessions that are over: should the clock be set back, they do not come back.
pub fn clear(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?.execute([now])?;
    Ok(())
}

/// Begins a session and clears away those that are over. [`Error::WrongPassword`] if the password
/// was changed, or the account deleted, since it was checked.
pub fn insert(db: &Connection, new: &NewSession, now: Timestamp) -> Result<()> {
    clear(db, now)?;
    let terminal = new.terminal.as_ref().map(Terminal::as_str);
    db.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND terminal = ?2")?
        .execute(params![new.account, terminal])?;
    if let Some(replaced) = new.replaces {
        delete(db, replaced)?;
    }
    let begun = db
        .prepare_cached(
            "INSERT INTO sessions
                 (token_hash, user_id, contract, terminal, created_at, expires_at)
             SELECT :token, id, :contract, :terminal, :now, :expires_at
             FROM users WHERE id = :account AND password_version = :password_version",
        )?
        .execute(named_params! {
            ":token": new.token,
            ":account": new.account,
            ":password_version": new.password_version,
            ":contract": new.contract,
            ":terminal": terminal,
            ":now": now,
            ":expires_at": new.expires_at,
        })?;
    if begun == 1 { Ok(()) } else { Err(Error::WrongPassword) }
}

/// Whose session this is, if it is live.
pub fn account(db: &Connection, session: SessionKey, now: Timestamp) -> Result<Option<Account>> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {} FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE token_hash = ?1 AND contract = ?2
               AND expires_at > ?3 AND sessions.created_at <= ?3 + {MAX_CLOCK_SETBACK_MS}",
            users::COLUMNS
        ))?
        .query_row(params![session.token, session.contract, now], |row| users::account(row, 0))
        .optional()?)
}

/// Binds `change` to the session that authorises it. The guard of a request saw the session earlier, in a
/// snapshot: inside the change's own transaction it must be live still, or the change fails with
/// [`Error::NotLoggedIn`]. `change` gets the account as it stands there.
pub fn authorized<T>(
    session: SessionKey,
    clock: &Clock,
    change: impl FnOnce(&Connection, Account) -> Result<T> + Send + 'static,
) -> impl FnOnce(&Connection) -> Result<T> + Send + 'static {
    let clock = clock.clone();
    move |db| {
        let account = account(db, session, clock.now())?.ok_or(Error::NotLoggedIn)?;
        change(db, account)
    }
}

/// Ends the session of this token, if there is one.
pub fn delete(db: &Connection, token: TokenHash) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE token_hash = ?1")?.execute([token])?;
    Ok(())
}

/// Ends all sessions of an account but the one of `kept`.
pub fn delete_others(db: &Connection, account: i64, kept: Option<TokenHash>) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND token_hash IS NOT ?2")?
        .execute(params![account, kept])?;
    Ok(())
}

impl ToSql for Contract {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Bottle => "bottle",
            Self::Ledger => "ledger",
            Self::Music => "music",
            Self::Bookstore => "bookstore",
        }
        .into())
    }
}

impl ToSql for TokenHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}
