//! Login: verifies a password within the rate limits, and starts a session.

use std::hash::BuildHasher;
use std::net::IpAddr;

use super::{Accounts, Name, SessionKind, StartedSession};
use crate::domain::password::Verdict;
use crate::model::error::{Error, Result};
use crate::model::fields::{Email, Username};
use crate::model::token::Token;
use crate::store::sessions::NewSession;
use crate::store::users::Credentials;
use crate::store::{sessions, users};

impl Accounts {
    /// Starts a session. [`Error::UnknownAccount`] and [`Error::WrongPassword`] take the same time,
    /// so that a contract with one response for both does not reveal which names exist.
    pub async fn log_in(
        &self,
        name: Name<'_>,
        password: String,
        kind: SessionKind,
        ip: IpAddr,
    ) -> Result<StartedSession> {
        let (credentials, verdict) = self.verify_credentials(name, password.clone(), ip).await?;
        let token = Token::random();
        let now = self.clock.now();
        let expires_at = now.plus_seconds(kind.seconds);
        let new = NewSession {
            token: token.hash(),
            account: credentials.account.id,
            password_version: credentials.password_version,
            contract: kind.contract,
            terminal: kind.terminal,
            replaces: kind.replaces.map(|token| token.hash()),
            expires_at,
        };
        self.store.write(move |db| sessions::insert(db, &new, now)).await?;
        let account = credentials.account.clone();
        if verdict == Verdict::NeedsRehash {
            self.upgrade_hash(credentials, password).await?;
        }
        Ok(StartedSession { account, token, expires_at })
    }

    /// Returns the account of that name if `password` is its password.
    pub(super) async fn verify_credentials(
        &self,
        name: Name<'_>,
        password: String,
        ip: IpAddr,
    ) -> Result<(Credentials, Verdict)> {
        let credentials = self.store.read(|db| match name {
            Name::Username(name) => users::by_name(db, &Username::normalized(name)),
            Name::Email(email) => users::by_email(db, email),
        })?;
        let key = match (&credentials, name) {
            (Some(credentials), _) => Username::key(&credentials.account.username),
            (None, Name::Username(name)) => Username::key(name),
            (None, Name::Email(email)) => Email::key(email),
        };
        let stored = match &credentials {
            Some(credentials) => credentials.password_hash.clone(),
            None => self.dummy_hash(&key)?,
        };
        let verdict = self.verify_password(&key, ip, stored, password).await?;
        let credentials = credentials.ok_or(Error::UnknownAccount)?;
        match verdict {
            Verdict::Wrong => Err(Error::WrongPassword),
            Verdict::Right | Verdict::NeedsRehash => Ok((credentials, verdict)),
        }
    }

    /// Returns a hash against which the password of an unknown name is verified.
    ///
    /// Its cost is that of some account's hash, the same one for each spelling of the name. After
    /// the setting was raised, hashes of several costs are stored; today's cost would reveal that
    /// the name is unknown.
    fn dummy_hash(&self, key: &str) -> Result<String> {
        let chosen = self.hasher.hash_one(key);
        let hash = self.store.read(|db| users::some_password_hash(db, chosen))?;
        Ok(self.passwords.dummy_hash(hash.as_deref()))
    }

    /// Verifies `password` against `stored`. Returns [`Error::TooOften`] if the rate limit is
    /// exceeded. Attempts are counted by `key`, which is the same for all spellings of a name.
    pub(super) async fn verify_password(
        &self,
        key: &str,
        ip: IpAddr,
        stored: String,
        password: String,
    ) -> Result<Verdict> {
        // The limit is checked with the permit in hand: of many concurrent attempts, the last ones
        // see the first ones' failures.
        let permit = self.passwords.acquire().await?;
        self.rate_limiter.check_login(key, ip)?;
        let (verdict, _permit) = self.passwords.verify(permit, stored, password).await?;
        if verdict == Verdict::Wrong {
            self.rate_limiter.record_failure(key, ip);
        }
        Ok(verdict)
    }

    /// Replaces a hash that is weaker than the current setting, while the password is known.
    async fn upgrade_hash(&self, credentials: Credentials, password: String) -> Result<()> {
        let new = self.passwords.rehash(password).await?;
        self.store
            .write(move |db| {
                users::rehash(db, credentials.account.id, &credentials.password_hash, &new)
            })
            .await
    }
}
