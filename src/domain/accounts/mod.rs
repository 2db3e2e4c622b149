//! Accounts and their sessions, for all contracts.

mod access_tokens;
mod actor;
mod changes;
mod classes;
mod feeds;
mod invitations;
mod login;
mod one_time;
mod operator;
mod registration;
mod roster;
mod setup;

use std::hash::RandomState;
use std::sync::Arc;

use crate::domain::events::EventBus;
use crate::domain::password::Passwords;
use crate::domain::rate_limit::RateLimiter;
use crate::model::access::Access;
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::{Email, Gender, NewPassword, Nickname, Terminal, Username};
use crate::model::token::Token;
use crate::store::sessions::{SessionKey, TokenKind};
use crate::store::users::NewAccount;
use crate::store::{Store, invitations as expired_invitations, sessions};

pub use crate::model::role::Role;
pub use crate::store::sessions::Contract;
pub use crate::store::users::Account;
pub use access_tokens::TokenSummary;
pub use actor::Actor;
pub use changes::ProfileChanges;
pub use classes::Class;
pub use invitations::Invitation;
pub use one_time::one_time_password;
pub use operator::{AccountFilter, AccountSummary, LastOperator, OperatorChanges};
pub use registration::{RegistrationMode, RegistrationStatus, Source};
pub use roster::{LineResult, MAX_ROSTER_LINES, NewStudent, RosterLine, parse_roster};

/// The accounts of a store: registration, login, sessions. Clones share their state.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<Store>,
    passwords: Passwords,
    clock: Clock,
    min_password_length: usize,
    rate_limiter: Arc<RateLimiter>,
    /// Chooses the account whose hash cost an unknown name imitates.
    hasher: RandomState,
    events: EventBus,
    token_uses: Arc<access_tokens::TokenUses>,
    /// The mode of registration that the settings name; `None` for the stored one.
    registration: Option<RegistrationMode>,
}

/// The values of a registration.
#[allow(missing_docs)]
pub struct Registration {
    pub username: Username,
    pub password: NewPassword,
    /// Defaults to the username.
    pub nickname: Option<Nickname>,
    pub gender: Option<Gender>,
    pub email: Option<Email>,
}

/// The name by which a client identifies an account.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Name<'a> {
    Username(&'a str),
    Email(&'a str),
}

/// The kind of session that a login creates.
#[derive(Clone, Debug)]
pub struct SessionKind {
    /// The contract of the session.
    pub contract: Contract,
    /// The lifetime in seconds.
    pub seconds: u32,
    /// The terminal, in the contract that has a session per terminal.
    pub terminal: Option<Terminal>,
    /// The token of the client's previous session, which ends with this login.
    pub replaces: Option<Token>,
}

/// A new session.
#[derive(Debug)]
pub struct StartedSession {
    /// The account that logged in.
    pub account: Account,
    /// The token for the client.
    pub token: Token,
    /// The time at which the session expires.
    pub expires_at: Timestamp,
}

/// A session or personal access token that was live when its request arrived, and its account at that
/// time. A change that it authorizes checks it again ([`sessions::authorized`]).
#[derive(Clone, Debug)]
pub struct Login {
    /// The account.
    pub account: Account,
    /// The session or access token.
    pub session: SessionKey,
    /// The requests that it authorizes.
    pub access: Access,
}

impl Accounts {
    /// Creates the accounts of `store`, which publish deletions on `events`. New passwords have at
    /// least `min_password_length` characters.
    pub fn new(
        store: Arc<Store>,
        passwords: Passwords,
        clock: Clock,
        min_password_length: usize,
        rate_limiter: Arc<RateLimiter>,
        events: EventBus,
    ) -> Self {
        let hasher = RandomState::new();
        Self {
            store,
            passwords,
            clock,
            min_password_length,
            rate_limiter,
            hasher,
            events,
            token_uses: Arc::default(),
            registration: None,
        }
    }

    /// Parses a new password. The error names `field`.
    pub fn new_password(&self, field: &'static str, text: &str) -> Result<NewPassword> {
        NewPassword::parse(field, text, self.min_password_length)
    }

    /// Hashes the password of a new account.
    async fn with_hash(
        &self,
        new: Registration,
        role: Role,
        password_is_one_time: bool,
    ) -> Result<NewAccount> {
        let nickname = match new.nickname {
            Some(nickname) => nickname,
            None => Nickname::parse(new.username.as_str())?,
        };
        Ok(NewAccount {
            username: new.username,
            password_hash: self.passwords.hash(new.password).await?,
            nickname,
            gender: new.gender.unwrap_or(Gender::Unknown),
            email: new.email,
            password_is_one_time,
            role,
        })
    }

    /// Returns the login of this token of `contract`, or [`Error::NotLoggedIn`] if no live session
    /// has it.
    pub fn resolve(&self, contract: Contract, token: &Token) -> Result<Login> {
        self.resolve_kind(TokenKind::Session(contract), token)
    }

    fn resolve_kind(&self, kind: TokenKind, token: &Token) -> Result<Login> {
        let session = SessionKey { kind, token: token.hash() };
        let found = self.store.session_at(session, self.clock.now())?;
        let live = found.ok_or(Error::NotLoggedIn)?;
        Ok(Login { account: live.account, session, access: live.access })
    }

    /// Returns false if the session or access token has ended.
    pub fn is_live(&self, login: &Login) -> bool {
        let now = self.clock.now();
        let found = self.store.session_at(login.session, now);
        // A store that cannot be read now does not end a session.
        !matches!(found, Ok(None))
    }

    /// Deletes expired sessions, invitations and access tokens, and the classes that ended long ago.
    /// Stores when access tokens were used.
    pub async fn delete_expired(&self) -> Result<()> {
        let now = self.clock.now();
        if self.store.read(|db| sessions::any_expired(db, now))? {
            self.store.write(move |db| sessions::delete_expired(db, now)).await?;
        }
        if self.store.read(|db| expired_invitations::any_expired(db, now))? {
            self.store.write(move |db| expired_invitations::delete_expired(db, now)).await?;
        }
        self.sweep_classes(now).await?;
        self.sweep_access_tokens(now).await
    }

    /// Ends the session.
    pub async fn log_out(&self, login: &Login) -> Result<()> {
        let session = login.session;
        let change = move |db: &_, _| sessions::delete(db, session.token);
        self.store.write(sessions::authorized(session, &self.clock, change)).await
    }

    /// Ends all sessions of the account, in every contract, its access tokens and its feed.
    pub async fn log_out_everywhere(&self, login: &Login) -> Result<()> {
        let change = |db: &_, account: Account| sessions::delete_others(db, account.id, None);
        self.store.write(sessions::authorized(login.session, &self.clock, change)).await
    }
}

/// Returns the value of a required field, or [`Problem::Missing`].
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::field(field, Problem::Missing))
}
