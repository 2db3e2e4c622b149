//! Registration, and its mode.

use std::net::IpAddr;

use super::actor::{self, Actor};
use super::{Account, Accounts, Registration, Role};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::invitation::InvitationCode;
use crate::store::action::Action;
use crate::store::audit_log::NewEntry;
use crate::store::outbox::Event;
use crate::store::users::NewAccount;
use crate::store::{Connection, audit_log, invitations, outbox, registration, users};

pub use crate::model::registration::RegistrationMode;

/// The mode of registration, and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationStatus {
    /// The mode that is in force.
    pub mode: RegistrationMode,
    /// The place where it was chosen.
    pub source: Source,
}

/// The place where a setting was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere.
    Default,
    /// In the database, by an operator.
    Stored,
    /// In the settings file or the environment, which override the database.
    Setting,
}

impl Accounts {
    /// Sets the mode of registration that the settings name, which overrides the stored one.
    pub fn with_registration(self, setting: Option<RegistrationMode>) -> Self {
        Self { registration: setting, ..self }
    }

    /// Returns who may register.
    pub fn registration(&self) -> Result<RegistrationStatus> {
        self.store.read(|db| status(db, self.registration))
    }

    /// Changes who may register. Returns [`Error::Overridden`] if the settings name a mode.
    pub async fn set_registration(&self, actor: Actor, mode: RegistrationMode) -> Result<()> {
        let (is_overridden, now) = (self.registration.is_some(), self.clock.now());
        let change = actor.authorized(&self.clock, Account::check_operator, move |db, author| {
            if is_overridden {
                return Err(Error::Overridden("registration"));
            }
            registration::set_mode(db, mode)?;
            let entry = NewEntry::new(actor::name(author), Action::SetRegistration);
            audit_log::add(db, NewEntry { detail: Some(mode.as_str()), ..entry }, now)
        });
        self.store.write(change).await
    }

    /// Registers an account. Returns [`Error::UsernameTaken`] or [`Error::EmailTaken`] if another
    /// account, of any contract, has the name or address, and [`Error::RegistrationClosed`] unless
    /// registration is open.
    pub async fn register(&self, new: Registration) -> Result<Account> {
        let setting = self.registration;
        let ensure_open = move |db: &Connection| match status(db, setting)?.mode {
            RegistrationMode::Open => Ok(()),
            RegistrationMode::Invite | RegistrationMode::Closed => Err(Error::RegistrationClosed),
        };
        // Before the password costs anything, and again inside the change.
        self.store.read(ensure_open)?;
        let new = self.with_hash(new, Role::User, false).await?;
        let now = self.clock.now();
        let change = move |db: &Connection| {
            ensure_open(db)?;
            insert(db, &new, now)
        };
        self.store.write(change).await
    }

    /// Registers an account as [`Accounts::register`] does, also where an invitation is needed.
    /// Returns [`Error::InvalidInvitation`] if the code is wrong, used up or old, and counts that
    /// against the limit of the address.
    pub async fn register_invited(
        &self,
        new: Registration,
        code: &InvitationCode,
        ip: IpAddr,
    ) -> Result<Account> {
        let registered = self.redeem(new, code, ip).await;
        if registered == Err(Error::InvalidInvitation) {
            self.rate_limiter.record_guess(ip);
        }
        registered
    }

    async fn redeem(
        &self,
        new: Registration,
        code: &InvitationCode,
        ip: IpAddr,
    ) -> Result<Account> {
        self.rate_limiter.check_guess(ip)?;
        let (code, now, setting) = (code.hash(), self.clock.now(), self.registration);
        let ensure_not_closed = move |db: &Connection| match status(db, setting)?.mode {
            RegistrationMode::Open | RegistrationMode::Invite => Ok(()),
            RegistrationMode::Closed => Err(Error::RegistrationClosed),
        };
        self.store.read(|db| {
            ensure_not_closed(db)?;
            invitations::check(db, code, now)
        })?;
        let mut new = self.with_hash(new, Role::User, false).await?;
        let change = move |db: &Connection| {
            ensure_not_closed(db)?;
            // A name that is taken undoes the use.
            new.role = invitations::redeem(db, code, now)?;
            insert(db, &new, now)
        };
        self.store.write(change).await
    }
}

/// Inserts the account of a person who registers.
fn insert(db: &Connection, new: &NewAccount, now: Timestamp) -> Result<Account> {
    let account = users::insert(db, new, now)?;
    outbox::add(db, Event::AccountRegistered(&account), now)?;
    Ok(account)
}

fn status(db: &Connection, setting: Option<RegistrationMode>) -> Result<RegistrationStatus> {
    if let Some(mode) = setting {
        return Ok(RegistrationStatus { mode, source: Source::Setting });
    }
    Ok(match registration::mode(db)? {
        Some(mode) => RegistrationStatus { mode, source: Source::Stored },
        None => RegistrationStatus { mode: RegistrationMode::default(), source: Source::Default },
    })
}
