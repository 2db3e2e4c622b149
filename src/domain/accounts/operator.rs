//! Changes of accounts by the operator, on the command line and without a session.

use super::{Account, Accounts, Role};
use crate::model::error::{Error, Result};
use crate::model::fields::{NewPassword, Username};
use crate::store::users::Changes;
use crate::store::{Connection, account_deletion, classes, operators, sessions, users};

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

impl Accounts {
    /// Sets the password of the account called `username`, and ends all its sessions. Returns
    /// [`Error::Guest`] for a guest.
    pub async fn set_password(
        &self,
        username: &str,
        password: NewPassword,
        is_one_time: bool,
    ) -> Result<Account> {
        let changes = Changes {
            password_hash: Some(self.passwords.hash(password).await?),
            password_is_one_time: is_one_time,
            ..Changes::default()
        };
        let id = self.id_of(username)?;
        self.store
            .write(move |db| {
                classes::ensure_no_guest(db, id)?;
                let account = users::update(db, id, &changes)?.ok_or(Error::UnknownAccount)?;
                sessions::delete_others(db, id, None)?;
                Ok(account)
            })
            .await
    }

    /// Renames the account called `username`. Its nickname stays.
    pub async fn rename(&self, username: &str, new: Username) -> Result<Account> {
        let changes = Changes { username: Some(new), ..Changes::default() };
        let id = self.id_of(username)?;
        let renamed = self.store.write(move |db| users::update(db, id, &changes)).await?;
        renamed.ok_or(Error::UnknownAccount)
    }

    /// Changes the role of the account called `username`. Returns [`Error::LastOperator`] if no
    /// operator would be left, unless that is `allowed`, and [`Error::Guest`] for a guest.
    pub async fn set_role(
        &self,
        username: &str,
        role: Role,
        allowed: LastOperator,
    ) -> Result<Account> {
        let id = self.id_of(username)?;
        let change = move |db: &Connection| {
            classes::ensure_no_guest(db, id)?;
            if role < Role::Operator && allowed == LastOperator::Stays {
                operators::ensure_not_last(db, id)?;
            }
            operators::set_role(db, id, role)?;
            Ok(users::by_id(db, id)?.ok_or(Error::UnknownAccount)?.account)
        };
        let account = self.store.write(change).await?;
        if role == Role::Operator {
            self.store.delete_setup_file();
        }
        Ok(account)
    }

    /// Deletes the account called `username` with all its data. Returns [`Error::LastOperator`] if
    /// no operator would be left, unless that is `allowed`.
    pub async fn remove(&self, username: &str, allowed: LastOperator) -> Result<()> {
        let id = self.id_of(username)?;
        let change = move |db: &_| match allowed {
            LastOperator::Stays => account_deletion::delete_all(db, id, None),
            LastOperator::MayGo => account_deletion::delete_even_last(db, id),
        };
        self.store.write_then(change, self.publish_reset()).await
    }

    /// Ends all sessions and access tokens of the account called `username`.
    pub async fn end_sessions(&self, username: &str) -> Result<()> {
        let id = self.id_of(username)?;
        self.store.write(move |db| sessions::delete_others(db, id, None)).await
    }

    fn id_of(&self, username: &str) -> Result<i64> {
        self.store.read(|db| users::id_by_name(db, username))?.ok_or(Error::UnknownAccount)
    }
}
