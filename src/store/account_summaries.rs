//! All accounts, with what the operator sees of them.

use rusqlite::{Connection, named_params};

use super::pages::{PageRequest, fill, row_limit};
use super::users::{Account, COLUMN_COUNT, COLUMNS, account};
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::role::Role;

/// An account with what the operator sees of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSummary {
    /// The account.
    pub account: Account,
    /// The number of bottles that it threw.
    pub bottles: i64,
    /// The number of its live sessions.
    pub sessions: i64,
    /// The latest of the logins of its sessions, the uses of its access tokens, its throws and its
    /// openings.
    pub last_seen: Option<Timestamp>,
    /// The end of its mute, if it is muted now.
    pub muted_until: Option<Timestamp>,
    /// True if it is the only operator.
    pub is_last_operator: bool,
}

/// The accounts of a list; all by default.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// A part of the username or the nickname, without regard to ASCII case.
    pub text: Option<String>,
    /// The role.
    pub role: Option<Role>,
}

/// Passes the accounts that fit `filter` to `show`, oldest first; the cursor of a page is the id of its
/// last one.
pub fn list(
    db: &Connection,
    filter: &AccountFilter,
    page: PageRequest,
    now: Timestamp,
    show: impl FnMut(AccountSummary) -> Result<usize>,
) -> Result<bool> {
    let mut accounts = db.prepare_cached(&format!(
        "SELECT {COLUMNS},
                (SELECT count(*) FROM bottles WHERE owner_id = users.id),
                (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > :now),
                nullif(max(
                    ifnull((SELECT max(created_at) FROM sessions WHERE user_id = users.id), 0),
                    ifnull((SELECT max(last_used_at) FROM access_tokens
                            WHERE user_id = users.id), 0),
                    ifnull((SELECT created_at FROM bottles WHERE owner_id = users.id
                            ORDER BY id DESC LIMIT 1), 0),
                    ifnull((SELECT max(opened_at) FROM openings WHERE opener_id = users.id), 0)
                ), 0),
                iif(muted_until > :now, muted_until, NULL),
                is_operator AND (SELECT count(*) FROM users WHERE is_operator) = 1
         FROM users
         WHERE id > :after
           AND (:role IS NULL
                OR :role = iif(is_operator, 'operator', iif(is_teacher, 'teacher', 'user')))
           AND (:text IS NULL OR instr(lower(username), lower(:text))
                OR instr(lower(nickname), lower(:text)))
         ORDER BY id LIMIT 0 + :limit"
    ))?;
    let rows = accounts.query(named_params! {
        ":now": now, ":after": page.after.unwrap_or(0), ":role": filter.role,
        ":text": filter.text, ":limit": row_limit(page),
    })?;
    let summary = |row: &rusqlite::Row<'_>| {
        Ok(AccountSummary {
            account: account(row, 0)?,
            bottles: row.get(COLUMN_COUNT)?,
            sessions: row.get(COLUMN_COUNT + 1)?,
            last_seen: row.get(COLUMN_COUNT + 2)?,
            muted_until: row.get(COLUMN_COUNT + 3)?,
            is_last_operator: row.get(COLUMN_COUNT + 4)?,
        })
    };
    fill(rows, page, summary, show)
}
