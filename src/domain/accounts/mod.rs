//! Accounts and their sessions: the only account logic there is, whichever contract asks.

mod changes;
mod login;
mod operator;

use std::hash::RandomState;
use std::sync::Arc;

use crate::domain::events::EventBus;
use crate::domain::password::Passwords;
use crate::domain::rate_limit::{RateLimiter, Rates};
use crate::model::clock::{Clock, Timestamp};
use crate::model::error::{Error, Problem, Result};
use crate::model::fields::{Email, Gender, NewPassword, Nickname, Terminal, Username};
use crate::model::token::Token;
use crate::store::sessions::SessionKey;
use crate::store::users::NewAccount;
use crate::store::{Snapshot, Store, sessions, users};

pub use crate::store::sessions::Contract;
pub use crate::store::users::{Account, AccountSummary};
pub use changes::ProfileChanges;

/// Registers accounts, logs them in, and knows who carries which token. A clone is the same.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<Store>,
    passwords: Passwords,
    clock: Clock,
    min_password_length: usize,
    throttle: Arc<RateLimiter>,
    /// Chooses, for a name that no account has, the account that it costs as much as.
    hasher: RandomState,
    live: EventBus,
}

/// What someone registers with.
#[allow(missing_docs)]
pub struct Registration {
    pub username: Username,
    pub password: NewPassword,
    /// The username, if absent.
    pub nickname: Option<Nickname>,
    pub gender: Option<Gender>,
    pub email: Option<Email>,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Throw and open bottles.
    Student,
    /// Besides, keep the sea kind.
    Teacher,
}

/// What someone names an account by.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Name<'a> {
    Username(&'a str),
    Email(&'a str),
}

/// The session that a login asks for.
#[derive(Clone, Debug)]
pub struct SessionKind {
    /// The contract it belongs to.
    pub contract: Contract,
    /// How long it lives.
    pub seconds: u32,
    /// The terminal it is for, where the contract has one for each.
    pub terminal: Option<Terminal>,
    /// The token that the client carried until now: its session ends with this login.
    pub replaces: Option<Token>,
}

/// A session just begun.
#[derive(Debug)]
pub struct StartedSession {
    /// Who logged in.
    pub account: Account,
    /// What they are to carry.
    pub token: Token,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A session that was live when a request came in, and its account as it stood then. Whatever it
/// authorises to change asks for it again ([`sessions::authorized`]).
#[derive(Clone, Debug)]
pub struct Login {
    /// Who is logged in.
    pub account: Account,
    /// By which session.
    pub session: SessionKey,
}

impl Accounts {
    /// The accounts in `store`. New passwords have at least `min_password_length` characters.
    pub fn new(
        store: Arc<Store>,
        passwords: Passwords,
        clock: Clock,
        min_password_length: usize,
    ) -> Self {
        let throttle = Arc::new(RateLimiter::new(Rates::default(), &clock));
        let hasher = RandomState::new();
        let live = EventBus::new(0);
        Self { store, passwords, clock, min_password_length, throttle, hasher, live }
    }

    /// The same, where wrong passwords count against `throttle`.
    pub fn with_rate_limiter(self, throttle: Arc<RateLimiter>) -> Self {
        Self { throttle, ..self }
    }

    /// The same, where those who look at the sea are told that an account went with its bottles.
    pub fn with_events(self, live: EventBus) -> Self {
        Self { live, ..self }
    }

    /// The password that `text` may become, or what is wrong with it, by the name of its field.
    pub fn new_password(&self, field: &'static str, text: &str) -> Result<NewPassword> {
        NewPassword::parse(field, text, self.min_password_length)
    }

    /// Makes an account. [`Error::UsernameTaken`] or [`Error::EmailTaken`] if its name or address is
    /// another's in any contract.
    pub async fn register(&self, new: Registration) -> Result<Account> {
        self.make(new, Role::Student, false).await
    }

    /// Makes an account, whose password is either its owner's choice or given out by an operator.
    pub async fn make(
        &self,
        new: Registration,
        role: Role,
        password_is_one_time: bool,
    ) -> Result<Account> {
        let nickname = match new.nickname {
            Some(nickname) => nickname,
            None => Nickname::parse(new.username.as_str())?,
        };
        let new = NewAccount {
            username: new.username,
            password_hash: self.passwords.hash(new.password).await?,
            nickname,
            gender: new.gender.unwrap_or(Gender::Unknown),
            email: new.email,
            password_is_one_time,
            is_teacher: role == Role::Teacher,
        };
        let now = self.clock.now();
        self.store.write(move |db| users::insert(db, &new, now)).await
    }

    /// Who carries this token of `contract`; [`Error::NotLoggedIn`] if it is no live session's.
    pub fn resolve(&self, contract: Contract, token: &Token) -> Result<Login> {
        self.resolve_with_snapshot(contract, token).map(|(login, _)| login)
    }

    /// The same, with the snapshot that tells it: what is read there costs no second trip.
    pub fn resolve_with_snapshot(
        &self,
        contract: Contract,
        token: &Token,
    ) -> Result<(Login, Snapshot)> {
        let session = SessionKey { contract, token: token.hash() };
        let now = self.clock.now();
        let snapshot = self.store.snapshot()?;
        let account = snapshot.read(|db| sessions::account(db, session, now))?;
        let account = account.ok_or(Error::NotLoggedIn)?;
        Ok((Login { account, session }, snapshot))
    }

    /// Whether the session is still live.
    pub fn is_live(&self, login: &Login) -> bool {
        let now = self.clock.now();
        let found = self.store.read(|db| sessions::account(db, login.session, now));
        // A store that does not answer now says nothing of a session.
        !matches!(found, Ok(None))
    }

    /// Clears away the sessions that are over.
    pub async fn clear_sessions(&self) -> Result<()> {
        let now = self.clock.now();
        if self.store.read(|db| sessions::any_over(db, now))? {
            self.store.write(move |db| sessions::clear(db, now)).await?;
        }
        Ok(())
    }

    /// Ends the session.
    pub async fn log_out(&self, login: &Login) -> Result<()> {
        let session = login.session;
        let change = move |db: &_, _| sessions::delete(db, session.token);
        self.store.write(sessions::authorized(session, &self.clock, change)).await
    }

    /// Ends every session of the account, whatever contract it belongs to.
    pub async fn log_out_everywhere(&self, login: &Login) -> Result<()> {
        let change = |db: &_, account: Account| sessions::delete_others(db, account.id, None);
        self.store.write(sessions::authorized(login.session, &self.clock, change)).await
    }
}

/// The value of a field that must be given.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::field(field, Problem::Missing))
}
