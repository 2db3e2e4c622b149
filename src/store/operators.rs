//! Roles of accounts. The last operator keeps that role.

use rusqlite::{Connection, params};

use crate::model::error::{Error, Result};
use crate::model::role::Role;

/// Returns true if there is an operator.
pub fn exist(db: &Connection) -> Result<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM users WHERE is_operator")?.exists([])?)
}

/// Returns [`Error::LastOperator`] if the account is the only operator.
///
/// Changes run one after the other, so two operators who leave at once cannot both pass.
pub fn ensure_not_last(db: &Connection, account: i64) -> Result<()> {
    let is_last = db
        .prepare_cached(
            "SELECT 1 FROM users WHERE is_operator AND id = ?1
             AND NOT EXISTS (SELECT 1 FROM users WHERE is_operator AND id <> ?1)",
        )?
        .exists([account])?;
    if is_last { Err(Error::LastOperator) } else { Ok(()) }
}

/// Changes the role of an account. Deletes the invitations that it made and that its new role may
/// not make. Returns [`Error::UnknownAccount`] if it does not exist.
pub fn set_role(db: &Connection, account: i64, role: Role) -> Result<()> {
    let changed = db
        .prepare_cached("UPDATE users SET is_teacher = ?2, is_operator = ?3 WHERE id = ?1")?
        .execute(params![account, role >= Role::Teacher, role == Role::Operator])?;
    if role < Role::Operator {
        db.prepare_cached(
            "DELETE FROM invitations WHERE creator_id = ?1 AND (?2 OR role = 'teacher')",
        )?
        .execute(params![account, role < Role::Teacher])?;
    }
    if changed == 1 { Ok(()) } else { Err(Error::UnknownAccount) }
}
