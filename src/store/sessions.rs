//! The table `sessions`: the hashes of live tokens, with their contract and expiry. Also looks up
//! the session, the personal access token or the feed that authorizes a request.

use std::sync::LazyLock;

use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::users::{self, Account};
use super::{access_tokens, feeds};
use crate::model::access::Access;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Result};
use crate::model::fields::Terminal;
use crate::model::token::TokenHash;

/// The contract of a session. A token of one contract is invalid in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    /// Its credential is an encrypted cookie.
    Bottle,
    /// Its credential is a JWT in a cookie without a name.
    Ledger,
    /// Its credential is a bearer token.
    Music,
    /// Its credential is a header with a token, one per terminal.
    Bookstore,
}

/// The kind of a token, which is valid as this kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The token of a session of this contract.
    Session(Contract),
    /// A personal access token, for the Bottle contract.
    AccessToken,
    /// The secret of a feed.
    Feed,
}

/// The key of a session or a personal access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The kind of the token.
    pub kind: TokenKind,
    /// The hash of the token that the client carries.
    pub token: TokenHash,
}

/// The values of a session before it is created.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of the new token.
    pub token: TokenHash,
    /// The account.
    pub account: i64,
    /// The version of the password that was verified. The session is created only if it is still
    /// current.
    pub password_version: i64,
    /// The contract.
    pub contract: Contract,
    /// The terminal (Bookstore). The session replaces the account's previous one for the same
    /// terminal.
    pub terminal: Option<Terminal>,
    /// The token of the client's previous session, which ends.
    pub replaces: Option<TokenHash>,
    /// The time at which the session expires.
    pub expires_at: Timestamp,
}

/// The time that the clock may be set back, in milliseconds, without invalidating new sessions. A
/// session that begins further in the future is invalid, because with a wrong clock nothing is
/// known about its expiry.
pub(super) const MAX_CLOCK_SETBACK_MS: i64 = 5 * 60 * 1000;

/// Returns true if there are expired sessions.
pub fn any_expired(db: &Connection, now: Timestamp) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM sessions WHERE expires_at <= ?1")?.exists([now])?)
}

/// Deletes the expired sessions, so that a clock that is set back later does not revive them.
pub fn delete_expired(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?.execute([now])?;
    Ok(())
}

/// Creates a session and deletes the expired ones. Returns [`Error::WrongPassword`] if the password
/// was changed, or the account deleted, since the password was verified.
pub fn insert(db: &Connection, new: &NewSession, now: Timestamp) -> Result<()> {
    delete_expired(db, now)?;
    let terminal = new.terminal.as_ref().map(Terminal::as_str);
    db.prepare_cached("DELETE FROM sessions WHERE user_id = ?1 AND terminal = ?2")?
        .execute(params![new.account, terminal])?;
    if let Some(previous) = new.replaces {
        delete(db, previous)?;
    }
    let inserted = db
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
    if inserted == 1 { Ok(()) } else { Err(Error::WrongPassword) }
}

/// A session or an access token as it is stored. It may have expired, or begin in the future of a
/// clock set back.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSession {
    /// The account.
    pub account: Account,
    /// The requests that it authorizes.
    pub access: Access,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl StoredSession {
    /// Returns it if it is live at `now`.
    pub fn at(self, now: Timestamp) -> Option<Self> {
        let begins_by = self.created_at.millis().saturating_sub(MAX_CLOCK_SETBACK_MS);
        (self.expires_at > now && begins_by <= now.millis()).then_some(self)
    }
}

/// Returns the session, which may have expired.
pub(super) fn find(db: &Connection, session: SessionKey) -> Result<Option<StoredSession>> {
    static SESSION: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT sessions.created_at, expires_at, {}
             FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE token_hash = ?1 AND contract = ?2",
            users::COLUMNS
        )
    });
    let found = match session.kind {
        TokenKind::AccessToken => find_access_token(db, session.token),
        TokenKind::Feed => find_feed(db, session.token),
        TokenKind::Session(contract) => db
            .prepare_cached(&SESSION)?
            .query_row(params![session.token, contract], |row| stored(row, Access::Full)),
    };
    Ok(found.optional()?)
}

fn find_access_token(db: &Connection, token: TokenHash) -> rusqlite::Result<StoredSession> {
    static ACCESS_TOKEN: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT access_tokens.created_at, expires_at, {}, access
             FROM access_tokens JOIN users ON users.id = access_tokens.user_id
             WHERE token_hash = ?1",
            users::COLUMNS
        )
    });
    db.prepare_cached(&ACCESS_TOKEN)?
        .query_row([token], |row| stored(row, row.get(2 + users::COLUMN_COUNT)?))
}

/// Returns the feed, which has no time at which it expires.
fn find_feed(db: &Connection, token: TokenHash) -> rusqlite::Result<StoredSession> {
    static FEED: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT feeds.created_at, {}, {}
             FROM feeds JOIN users ON users.id = feeds.user_id WHERE token_hash = ?1",
            i64::MAX,
            users::COLUMNS
        )
    });
    db.prepare_cached(&FEED)?.query_row([token], |row| stored(row, Access::Read))
}

fn stored(row: &Row<'_>, access: Access) -> rusqlite::Result<StoredSession> {
    let (created_at, expires_at) = (row.get(0)?, row.get(1)?);
    Ok(StoredSession { account: users::account(row, 2)?, access, created_at, expires_at })
}

/// Binds `change` to the session or access token that authorizes it.
///
/// The guard of a request saw it earlier, in a snapshot. Inside the change's own transaction it must
/// still be live, or the change fails with [`Error::NotLoggedIn`]; [`Error::ReadOnlyToken`] if it only
/// reads. `change` receives the account as it is there.
pub fn authorized<T>(
    session: SessionKey,
    clock: &Clock,
    change: impl FnOnce(&Connection, Account) -> Result<T> + Send + 'static,
) -> impl FnOnce(&Connection) -> Result<T> + Send + 'static {
    let clock = clock.clone();
    move |db| {
        let found = find(db, session)?.and_then(|found| found.at(clock.now()));
        let live = found.ok_or(Error::NotLoggedIn)?;
        match live.access {
            Access::Full => change(db, live.account),
            Access::Read => Err(Error::ReadOnlyToken),
        }
    }
}

/// Deletes the session of this token, if there is one.
pub fn delete(db: &Connection, token: TokenHash) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE token_hash = ?1")?.execute([token])?;
    Ok(())
}

/// Deletes all sessions of an account except the one of `kept`, all its access tokens and its feed.
pub fn delete_others(db: &Connection, account: i64, kept: Option<TokenHash>) -> Result<()> {
    access_tokens::delete_all(db, account)?;
    feeds::delete(db, account)?;
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
