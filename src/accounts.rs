//! Accounts and their sessions: the only account logic there is, whichever contract asks.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Problem, Result};
use crate::fields::{Gender, NewPassword, Nickname, Username};
use crate::password::{Passwords, Verdict};
use crate::store::sessions::NewSession;
use crate::store::users::{Changes, Credentials, NewAccount};
use crate::store::{Store, sessions, users};
use crate::token::{Token, TokenHash};

pub use crate::store::sessions::Contract;
pub use crate::store::users::Account;

/// Registers accounts, logs them in, and knows who carries which token.
pub struct Accounts {
    store: Arc<Store>,
    passwords: Passwords,
    clock: Clock,
    min_password_length: usize,
}

/// What someone registers with, as a contract received it.
#[derive(Default)]
#[allow(missing_docs)]
pub struct Registration {
    pub username: String,
    pub password: String,
    /// The username, if absent.
    pub nickname: Option<String>,
    pub gender: Option<Gender>,
}

/// What someone wants changed of their account; `None` leaves a thing as it is.
#[derive(Default)]
#[allow(missing_docs)]
pub struct ProfileChanges {
    pub nickname: Option<String>,
    pub gender: Option<Gender>,
    pub password: Option<String>,
    /// Checked where it is given: [`Error::WrongPassword`] if it is not the account's.
    pub current_password: Option<String>,
}

/// A live session: an account, and the token it is reached by.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who is logged in.
    pub account: Account,
    /// By which token.
    pub token: TokenHash,
}

impl Accounts {
    /// The accounts in `store`. New passwords have at least `min_password_length` characters.
    pub fn new(
        store: Arc<Store>,
        passwords: Passwords,
        clock: Clock,
        min_password_length: usize,
    ) -> Self {
        Self { store, passwords, clock, min_password_length }
    }

    /// Makes an account. [`Error::UsernameTaken`] if its name is another's in any contract.
    pub async fn register(&self, registration: Registration) -> Result<Account> {
        let username = Username::parse("username", &registration.username)?;
        let password = self.new_password("password", &registration.password)?;
        let nickname = registration.nickname.as_deref().unwrap_or(username.as_str());
        let nickname = Nickname::parse(nickname)?;
        let gender = registration.gender.unwrap_or(Gender::Unknown);

        let password_hash = self.passwords.hash(password).await?;
        let new = NewAccount { username, password_hash, nickname, gender };
        let now = self.clock.now();
        self.store.write(move |db| users::insert(db, &new, now)).await
    }

    /// Begins a session of `contract` that lives `seconds`. [`Error::UnknownAccount`] and
    /// [`Error::WrongPassword`] take the same time; a contract that has one answer for both gives
    /// nothing away.
    pub async fn log_in(
        &self,
        username: &str,
        password: String,
        contract: Contract,
        seconds: u32,
    ) -> Result<(Account, Token)> {
        let username = Username::normalized(username);
        let found = self.store.read(|db| users::by_name(db, &username))?;
        let stored = found.as_ref().map(|found| found.password_hash.clone());
        let verdict = self.passwords.verify(stored, password.clone()).await?;
        let found = found.ok_or(Error::UnknownAccount)?;
        if verdict == Verdict::Wrong {
            return Err(Error::WrongPassword);
        }
        let token = Token::random();
        let now = self.clock.now();
        let new = NewSession {
            token: token.hash(),
            account: found.account.id,
            password_version: found.password_version,
            contract,
            expires_at: now.plus_seconds(seconds),
        };
        self.store.write(move |db| sessions::insert(db, &new, now)).await?;
        let account = found.account.clone();
        if verdict == Verdict::RightButWeak {
            self.strengthen(found, password).await?;
        }
        Ok((account, token))
    }

    /// Who carries this token of `contract`; [`Error::NotLoggedIn`] if it is no live session's.
    pub fn resolve(&self, contract: Contract, token: &Token) -> Result<Login> {
        let token = token.hash();
        let now = self.clock.now();
        self.store
            .read(|db| sessions::account(db, contract, token, now))?
            .map(|account| Login { account, token })
            .ok_or(Error::NotLoggedIn)
    }

    /// Ends the session.
    pub async fn log_out(&self, login: Login) -> Result<()> {
        let ended = self.store.write(move |db| sessions::delete(db, login.token)).await?;
        if ended { Ok(()) } else { Err(Error::NotLoggedIn) }
    }

    /// Changes an account. A new password ends all its other sessions, in the same transaction.
    pub async fn update(&self, login: Login, wanted: ProfileChanges) -> Result<Account> {
        let mut changes = Changes {
            nickname: wanted.nickname.as_deref().map(Nickname::parse).transpose()?,
            gender: wanted.gender,
            ..Changes::default()
        };
        let new_password =
            wanted.password.map(|password| self.new_password("password", &password)).transpose()?;
        if let Some(current) = wanted.current_password {
            changes.password_version = Some(self.confirm(&login, current).await?);
        }
        if let Some(password) = new_password {
            changes.password_hash = Some(self.passwords.hash(password).await?);
        }
        self.store
            .write(move |db| {
                let id = login.account.id;
                let account = users::update(db, id, &changes)?.ok_or(Error::NotLoggedIn)?;
                if changes.password_hash.is_some() {
                    sessions::delete_others(db, id, login.token)?;
                }
                Ok(account)
            })
            .await
    }

    /// The version of the account's password, if `password` is it.
    async fn confirm(&self, login: &Login, password: String) -> Result<i64> {
        let stored =
            self.store.read(|db| users::by_id(db, login.account.id))?.ok_or(Error::NotLoggedIn)?;
        match self.passwords.verify(Some(stored.password_hash), password).await? {
            Verdict::Wrong => Err(Error::WrongPassword),
            Verdict::Right | Verdict::RightButWeak => Ok(stored.password_version),
        }
    }

    /// Replaces a hash weaker than today's setting, now that the password is at hand.
    async fn strengthen(&self, found: Credentials, password: String) -> Result<()> {
        let new = self.passwords.rehash(password).await?;
        self.store
            .write(move |db| users::rehash(db, found.account.id, &found.password_hash, &new))
            .await
    }

    fn new_password(&self, field: &'static str, text: &str) -> Result<NewPassword> {
        NewPassword::parse(field, text, self.min_password_length)
    }
}

/// The value of a field that must be given.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::field(field, Problem::Missing))
}
