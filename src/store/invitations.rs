//! The table `invitations`: hashes of codes that let people register.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::pages::{PageRequest, fill, row_limit};
use super::sessions::MAX_CLOCK_SETBACK_MS;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::invitation::Terms;
use crate::model::role::Role;
use crate::model::token::TokenHash;

/// An invitation, without its code.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    /// The id, which is never reused.
    pub id: i64,
    /// The role of the accounts that it lets in.
    pub role: Role,
    /// The number of accounts that it lets in.
    pub uses: u32,
    /// The number of accounts that it has let in.
    pub used: u32,
    /// The username of its maker; `None` for the command line.
    pub creator: Option<String>,
    /// The time at which it was made.
    pub created_at: Timestamp,
    /// The time at which it ends.
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "id, role, uses, used,
    (SELECT username FROM users WHERE users.id = creator_id), created_at, expires_at";

fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: row.get(0)?,
        role: row.get(1)?,
        uses: row.get(2)?,
        used: row.get(3)?,
        creator: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
    })
}

/// Stores an invitation.
pub fn insert(
    db: &Connection,
    code: TokenHash,
    terms: Terms,
    creator: Option<i64>,
    now: Timestamp,
) -> Result<Invitation> {
    Ok(db
        .prepare_cached(&format!(
            "INSERT INTO invitations (code_hash, role, uses, creator_id, created_at, expires_at)
             VALUES (:code, :role, :uses, :creator, :now, :expires_at) RETURNING {COLUMNS}"
        ))?
        .query_row(
            named_params! {
                ":code": code, ":role": terms.role, ":uses": terms.uses, ":creator": creator,
                ":now": now, ":expires_at": now.plus_seconds(terms.seconds),
            },
            invitation,
        )?)
}

/// Passes the invitations for roles up to `role` to `show`, newest first; the cursor of a page is
/// the id of its last one.
pub fn list(
    db: &Connection,
    role: Role,
    page: PageRequest,
    show: impl FnMut(Invitation) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM invitations
         WHERE id < ?1 AND (role = 'user' OR ?2) ORDER BY id DESC LIMIT 0 + ?3"
    ))?;
    let after = page.after.unwrap_or(i64::MAX);
    let rows = statement.query(params![after, role > Role::User, row_limit(page)])?;
    fill(rows, page, invitation, show)
}

/// Deletes an invitation for a role up to `role`, and returns it. Returns [`Error::NoSuchInvitation`] if
/// there is none with this id.
pub fn revoke(db: &Connection, id: i64, role: Role) -> Result<Invitation> {
    let deleted = db
        .prepare_cached(&format!(
            "DELETE FROM invitations WHERE id = ?1 AND (role = 'user' OR ?2) RETURNING {COLUMNS}"
        ))?
        .query_row(params![id, role > Role::User], invitation)
        .optional()?;
    deleted.ok_or_else(|| Error::NoSuchInvitation(id.to_string()))
}

/// The condition under which an invitation lets one more account in. One from the future of a clock
/// that was set back lets nobody in.
const IS_VALID: &str =
    "code_hash = :code AND used < uses AND expires_at > :now AND created_at <= :latest";

/// Returns [`Error::InvalidInvitation`] unless the code lets one more account in.
pub fn check(db: &Connection, code: TokenHash, now: Timestamp) -> Result<()> {
    let mut valid = db.prepare_cached(&format!("SELECT 1 FROM invitations WHERE {IS_VALID}"))?;
    let is_valid = valid
        .exists(named_params! { ":code": code, ":now": now, ":latest": latest_beginning(now) })?;
    if is_valid { Ok(()) } else { Err(Error::InvalidInvitation) }
}

/// Counts one use, and returns the role of the account that it lets in. Returns
/// [`Error::InvalidInvitation`] if the code is wrong, used up or old.
pub fn redeem(db: &Connection, code: TokenHash, now: Timestamp) -> Result<Role> {
    let redeemed = db
        .prepare_cached(&format!(
            "UPDATE invitations SET used = used + 1 WHERE {IS_VALID} RETURNING role"
        ))?
        .query_row(
            named_params! { ":code": code, ":now": now, ":latest": latest_beginning(now) },
            |row| row.get(0),
        )
        .optional()?;
    redeemed.ok_or(Error::InvalidInvitation)
}

fn latest_beginning(now: Timestamp) -> i64 {
    now.millis().saturating_add(MAX_CLOCK_SETBACK_MS)
}

/// Returns true if there are expired invitations.
pub fn any_expired(db: &Connection, now: Timestamp) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM invitations WHERE expires_at <= ?1")?.exists([now])?)
}

/// Deletes the expired invitations, so that a clock that is set back later does not revive them.
pub fn delete_expired(db: &Connection, now: Timestamp) -> Result<()> {
    db.prepare_cached("DELETE FROM invitations WHERE expires_at <= ?1")?.execute([now])?;
    Ok(())
}

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
