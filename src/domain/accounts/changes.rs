//! Changes and deletion of an account by its owner.

use std::net::IpAddr;

use super::{Account, Accounts, Login, Name};
use crate::domain::events::Event;
use crate::domain::password::Verdict;
use crate::model::error::{Error, Result};
use crate::model::fields::{AvatarUrl, Gender, NewPassword, Nickname, Username};
use crate::store::users::Changes;
use crate::store::{account_deletion, sessions, users};

/// Changes that an account's owner requests; `None` keeps the old value.
#[derive(Default)]
#[allow(missing_docs)]
pub struct ProfileChanges {
    pub username: Option<Username>,
    pub nickname: Option<Nickname>,
    pub gender: Option<Gender>,
    pub avatar_url: Option<AvatarUrl>,
    pub password: Option<NewPassword>,
    /// The kinds of inbox items that are silenced: a bit for each.
    pub silenced: Option<u8>,
    /// The current password. If given, it is verified; [`Error::WrongPassword`] if it is not the
    /// account's.
    pub current_password: Option<String>,
}

impl Accounts {
    /// Changes an account. A new password needs a session, and ends all others and the account's access
    /// tokens in the same transaction. Returns [`Error::SessionRequired`] if an access token sends a
    /// password, and [`Error::Guest`] if a guest does.
    pub async fn update(
        &self,
        login: &Login,
        requested: ProfileChanges,
        ip: IpAddr,
    ) -> Result<Account> {
        if requested.password.is_some() || requested.current_password.is_some() {
            login.check_session()?;
            login.account.check_no_guest()?;
        }
        let mut changes = Changes {
            username: requested.username,
            nickname: requested.nickname,
            gender: requested.gender,
            avatar_url: requested.avatar_url,
            silenced: requested.silenced,
            ..Changes::default()
        };
        if let Some(current) = requested.current_password {
            changes.password_version = Some(self.confirm(login, current, ip).await?);
        }
        if let Some(password) = requested.password {
            changes.password_hash = Some(self.passwords.hash(password).await?);
        }
        let session = login.session;
        let change = sessions::authorized(session, &self.clock, move |db, account| {
            // The password was changed since it was verified: nothing is changed.
            let account = users::update(db, account.id, &changes)?.ok_or(Error::WrongPassword)?;
            if changes.password_hash.is_some() {
                sessions::delete_others(db, account.id, Some(session.token))?;
            }
            Ok(account)
        });
        self.store.write(change).await
    }

    /// Replaces the password of a logged-in account. Returns [`Error::WrongPassword`] if `old` is
    /// not its password, and [`Error::SamePassword`] if `new` is.
    pub async fn replace_password(
        &self,
        login: &Login,
        old: String,
        new: NewPassword,
        ip: IpAddr,
    ) -> Result<()> {
        if old == new.secret() {
            self.confirm(login, old, ip).await?;
            return Err(Error::SamePassword);
        }
        let changes = ProfileChanges {
            password: Some(new),
            current_password: Some(old),
            ..ProfileChanges::default()
        };
        self.update(login, changes, ip).await.map(drop)
    }

    /// Changes the password of an account without a session, and ends all its sessions. Returns
    /// [`Error::UnknownAccount`] or [`Error::WrongPassword`] if the credentials are wrong.
    pub async fn change_password(
        &self,
        username: &str,
        old: String,
        new: NewPassword,
        ip: IpAddr,
    ) -> Result<()> {
        let (credentials, _) = self.verify_credentials(Name::Username(username), old, ip).await?;
        let changes = Changes {
            password_hash: Some(self.passwords.hash(new).await?),
            password_version: Some(credentials.password_version),
            ..Changes::default()
        };
        self.store
            .write(move |db| {
                let id = credentials.account.id;
                users::update(db, id, &changes)?.ok_or(Error::WrongPassword)?;
                sessions::delete_others(db, id, None)
            })
            .await
    }

    /// Deletes an account with its sessions, bottles, openings, cards, members and divisions.
    /// Returns [`Error::WrongPassword`] if a password is given and is not the account's, and
    /// [`Error::Guest`] for a guest.
    pub async fn delete(&self, login: &Login, password: Option<String>, ip: IpAddr) -> Result<()> {
        login.account.check_no_guest()?;
        let version = match password {
            Some(password) => Some(self.confirm(login, password, ip).await?),
            None => None,
        };
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            account_deletion::delete_all(db, account.id, version)
        });
        self.store.write_then(change, self.publish_reset()).await
    }

    /// Deletes an account without a session, as [`Accounts::delete`] does.
    pub async fn delete_by_name(&self, username: &str, password: String, ip: IpAddr) -> Result<()> {
        let (credentials, _) =
            self.verify_credentials(Name::Username(username), password, ip).await?;
        let (id, version) = (credentials.account.id, Some(credentials.password_version));
        let change = move |db: &_| account_deletion::delete_all(db, id, version);
        self.store.write_then(change, self.publish_reset()).await
    }

    /// Deletes an account as Ledger does. Returns [`Error::HasHolding`] while it has a card, a
    /// member or a division.
    pub async fn delete_if_empty(&self, login: &Login) -> Result<()> {
        let change = sessions::authorized(login.session, &self.clock, |db, account| {
            account_deletion::delete(db, account.id, None)
        });
        self.store.write_then(change, self.publish_reset()).await
    }

    /// Returns the callback that publishes, after the commit, that an account was deleted with its
    /// bottles.
    pub(super) fn publish_reset(&self) -> impl FnOnce(&()) + Send + 'static {
        let events = self.events.clone();
        move |()| events.publish(Event::Reset)
    }

    /// Verifies `password`, and returns the version of the account's password.
    async fn confirm(&self, login: &Login, password: String, ip: IpAddr) -> Result<i64> {
        let stored =
            self.store.read(|db| users::by_id(db, login.account.id))?.ok_or(Error::NotLoggedIn)?;
        let (key, hash) = (Username::key(&stored.account.username), stored.password_hash);
        match self.verify_password(&key, ip, hash, password).await? {
            Verdict::Wrong => Err(Error::WrongPassword),
            Verdict::Right | Verdict::NeedsRehash => Ok(stored.password_version),
        }
    }

    /// Returns the account as of the end of the write queue. Unlike other reads, this one waits in
    /// that queue, and returns [`Error::Unavailable`] while no change can be made. A standby has no such
    /// queue.
    pub async fn read_after_writes(&self, login: &Login) -> Result<Account> {
        let read = sessions::authorized(login.session, &self.clock, |_, account| Ok(account));
        match self.store.primary_url() {
            Some(_) => self.store.read(read),
            None => self.store.write(read).await,
        }
    }
}
