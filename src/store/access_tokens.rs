//! The table `access_tokens`: the hashes of personal access tokens, with what they authorise.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::model::access::{Access, TokenTerms};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::token::TokenHash;

/// The maximum number of access tokens of an account.
pub const MAX_TOKENS: u32 = 50;

/// A personal access token, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSummary {
    /// The id, which is never reused.
    pub id: i64,
    /// The hash of the token.
    pub hash: TokenHash,
    /// The name that its owner gave it.
    pub name: String,
    /// The requests that it authorizes.
    pub access: Access,
    /// The time at which it was made.
    pub created_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The minute of its last use; `None` until the first.
    pub last_used_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, token_hash, name, access, created_at, expires_at, last_used_at";

fn summary(row: &Row<'_>) -> rusqlite::Result<TokenSummary> {
    Ok(TokenSummary {
        id: row.get(0)?,
        hash: TokenHash(row.get(1)?),
        name: row.get(2)?,
        access: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}

/// Stores an access token of `account` and deletes the expired ones of all accounts. Returns
/// [`Error::TooManyAccessTokens`] if the account has [`MAX_TOKENS`].
pub fn insert(
    db: &Connection,
    account: i64,
    token: TokenHash,
    terms: &TokenTerms,
    now: Timestamp,
) -> Result<TokenSummary> {
    delete_expired(db, now)?;
    let inserted = db
        .prepare_cached(&format!(
            "INSERT INTO access_tokens (user_id, token_hash, name, access, created_at, expires_at)
             SELECT :account, :token, :name, :access, :now, :expires_at
             WHERE (SELECT count(*) FROM access_tokens WHERE user_id = :account) < :max
             RETURNING {COLUMNS}"
        ))?
        .query_row(
            named_params! {
                ":account": account, ":token": token, ":name": terms.name.as_str(),
                ":access": terms.access, ":now": now,
                ":expires_at": now.plus_seconds(terms.seconds), ":max": MAX_TOKENS,
            },
            summary,
        )
        .optional()?;
    inserted.ok_or(Error::TooManyAccessTokens(MAX_TOKENS))
}

/// Returns the live access tokens of an account, newest first.
pub fn list(db: &Connection, account: i64, now: Timestamp) -> Result<Vec<TokenSummary>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM access_tokens WHERE user_id = ?1 AND expires_at > ?2
         ORDER BY id DESC"
    ))?;
    let rows = statement.query_map(params![account, now], summary)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Deletes an access token of `account`. Returns [`Error::NoSuchAccessToken`] if the account has none
/// with this id.
pub fn revoke(db: &Connection, account: i64, id: i64) -> Result<()> {
    let deleted = db
        .prepare_cached("DELETE FROM access_tokens WHERE id = ?1 AND user_id = ?2")?
        .execute([id, account])?;
    if deleted == 1 { Ok(()) } else { Err(Error::NoSuchAccessToken) }
}

/// Deletes all access tokens of an account.
pub fn delete_all(db: &Connection, account: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM access_tokens WHERE user_id = ?1")?.execute([account])?;
    Ok(())
}

/// Stores the minutes in which access tokens were last used. A token that has ended is left out.
pub fn store_uses(db: &Connection, uses: &[(TokenHash, Timestamp)]) -> Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE access_tokens SET last_used_at = ?2
         WHERE token_hash = ?1 AND coalesce(last_used_at < ?2, TRUE)",
    )?;
    for (token, used_at) in uses {
        update.execute(params![token, used_at])?;
    }
    Ok(())
}

/// Returns true if there are expired access tokens.
pub fn any_expired(db: &Connection, now: Timestamp) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM access_tokens WHERE expires_at <= ?1")?.exists([now])?)
}

/// Deletes the expired access tokens, so that a clock that is set back later does not revive them.
pub fn delete_expired(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("DELETE FROM access_tokens WHERE expires_at <= ?1")?.execute([now])?;
    Ok(())
}

impl ToSql for Access {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Access {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
