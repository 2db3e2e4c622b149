//! Changes of accounts by operators and on the command line.

use super::actor::{self, Actor};
use super::{Account, Accounts, Registration, Role};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::fields::{NewPassword, Username};
use crate::store::action::Action;
use crate::store::audit_log::{NewEntry, Target};
use crate::store::pages::PageRequest;
use crate::store::users::Changes;
use crate::store::{
    Connection, account_deletion, account_summaries, audit_log, classes, moderation, operators,
    sessions, users,
};

pub use crate::store::account_summaries::{AccountFilter, AccountSummary};

/// Whether a change may leave the server without an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LastOperator {
    Stays,
    MayGo,
}

impl From<bool> for LastOperator {
    fn from(may_go: bool) -> Self {
        if may_go { Self::MayGo } else { Self::Stays }
    }
}

/// Changes of an account that an operator requests; `None` keeps the old value.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct OperatorChanges {
    pub username: Option<Username>,
    pub role: Option<Role>,
}

impl Accounts {
    /// Passes the accounts that fit `filter` to `show`, oldest first; see
    /// [`crate::domain::bottles::Bottles::created`].
    pub async fn people(
        &self,
        filter: &AccountFilter,
        page: PageRequest,
        show: impl FnMut(AccountSummary) -> Result<usize>,
    ) -> Result<bool> {
        let now = self.clock.now();
        self.store.read_long(|db| account_summaries::list(db, filter, page, now, show)).await
    }

    /// Creates an account with a role. `password_is_one_time` marks a password that an operator
    /// assigned.
    pub async fn add(
        &self,
        actor: Actor,
        new: Registration,
        role: Role,
        password_is_one_time: bool,
    ) -> Result<Account> {
        let new = self.with_hash(new, role, password_is_one_time).await?;
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            let account = users::insert(db, &new, now)?;
            let detail = Some(role.as_str());
            log(db, author, Action::AddAccount, account.id, detail, now)?;
            Ok(account)
        });
        let account = self.store.write(change).await?;
        if role == Role::Operator {
            self.store.delete_setup_file();
        }
        Ok(account)
    }

    /// Returns the id of the account called `username`, or [`Error::UnknownAccount`].
    pub fn id_of(&self, username: &str) -> Result<i64> {
        self.store.read(|db| users::id_by_name(db, username))?.ok_or(Error::UnknownAccount)
    }

    /// Sets the password of the account `id`, and ends all its sessions and access tokens. Returns
    /// [`Error::OwnerOnly`] for the operator's own account, and [`Error::Guest`] for a guest.
    pub async fn set_password(
        &self,
        actor: Actor,
        id: i64,
        password: NewPassword,
        is_one_time: bool,
    ) -> Result<Account> {
        let changes = Changes {
            password_hash: Some(self.passwords.hash(password).await?),
            password_is_one_time: is_one_time,
            ..Changes::default()
        };
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            ensure_other(author, id)?;
            classes::ensure_no_guest(db, id)?;
            let account = users::update(db, id, &changes)?.ok_or_else(|| no_such(id))?;
            sessions::delete_others(db, id, None)?;
            let detail = is_one_time.then_some("one-time");
            log(db, author, Action::SetPassword, id, detail, now)?;
            Ok(account)
        });
        self.store.write(change).await
    }

    /// Changes the username or the role of the account `id`. Its nickname stays. Returns
    /// [`Error::LastOperator`] if no operator would be left, unless that is `allowed`, and
    /// [`Error::Guest`] for another role of a guest.
    pub async fn change(
        &self,
        actor: Actor,
        id: i64,
        changes: OperatorChanges,
        allowed: LastOperator,
    ) -> Result<Account> {
        let makes_operator = changes.role == Some(Role::Operator);
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            let account = stored(db, id)?;
            if let Some(username) = changes.username
                && username.as_str() != account.username
            {
                // The entry has the old name beside the new one.
                log(db, author, Action::RenameAccount, id, Some(username.as_str()), now)?;
                users::update(db, id, &Changes { username: Some(username), ..Changes::default() })?;
            }
            if let Some(role) = changes.role
                && role != account.role()
            {
                if allowed == LastOperator::Stays {
                    operators::ensure_not_last(db, id)?;
                }
                classes::ensure_no_guest(db, id)?;
                operators::set_role(db, id, role)?;
                log(db, author, Action::SetRole, id, Some(role.as_str()), now)?;
            }
            stored(db, id)
        });
        let account = self.store.write(change).await?;
        if makes_operator {
            self.store.delete_setup_file();
        }
        Ok(account)
    }

    /// Deletes the account `id` with all its data. Returns [`Error::LastOperator`] if no operator
    /// would be left, unless that is `allowed`, and [`Error::OwnerOnly`] for the operator's own
    /// account.
    pub async fn remove(&self, actor: Actor, id: i64, allowed: LastOperator) -> Result<()> {
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            stored(db, id)?;
            if allowed == LastOperator::Stays {
                operators::ensure_not_last(db, id)?;
            }
            ensure_other(author, id)?;
            log(db, author, Action::DeleteAccount, id, None, now)?;
            account_deletion::delete_even_last(db, id)
        });
        self.store.write_then(change, self.publish_reset()).await
    }

    /// Mutes the account `id` for a number of minutes; 0 unmutes it. Teachers may do that too.
    pub async fn mute(&self, actor: Actor, id: i64, minutes: u32) -> Result<()> {
        let now = self.clock.now();
        let until = (minutes > 0).then(|| now.plus_seconds(minutes.saturating_mul(60)));
        let change = actor.authorized(&self.clock, Account::check_teacher, move |db, author| {
            moderation::mute(db, id, until)?;
            let action = if until.is_some() { Action::Mute } else { Action::Unmute };
            let target = Target { account: Some(id), ..Target::default() };
            let entry = NewEntry::new(actor::name(author), action);
            audit_log::add(db, NewEntry { target, until, ..entry }, now)
        });
        self.store.write(change).await
    }

    /// Ends all sessions and access tokens of the account `id`.
    pub async fn end_sessions(&self, actor: Actor, id: i64) -> Result<()> {
        let now = self.clock.now();
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            stored(db, id)?;
            sessions::delete_others(db, id, None)?;
            log(db, author, Action::EndSessions, id, None, now)
        });
        self.store.write(change).await
    }
}

/// Logs what the author did to an account.
pub(super) fn log(
    db: &Connection,
    author: Option<&Account>,
    action: Action,
    account: i64,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let target = Target { account: Some(account), ..Target::default() };
    let entry = NewEntry { target, detail, ..NewEntry::new(actor::name(author), action) };
    audit_log::add(db, entry, now)
}

fn stored(db: &Connection, id: i64) -> Result<Account> {
    Ok(users::by_id(db, id)?.ok_or_else(|| no_such(id))?.account)
}

fn no_such(id: i64) -> Error {
    Error::NoSuchUser(id.to_string())
}

/// Returns [`Error::OwnerOnly`] if the author changes their own account: they have their password for
/// that, and a thief of their session has not.
fn ensure_other(author: Option<&Account>, id: i64) -> Result<()> {
    match author {
        Some(author) if author.id == id => Err(Error::OwnerOnly),
        _ => Ok(()),
    }
}
