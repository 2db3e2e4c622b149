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
        from: IpAddr,
    ) -> Result<StartedSession> {
        let (found, verdict) = self.check(name, password.clone(), from).await?;
        let token = Token::random();
        let now = self.clock.now();
        let expires_at = now.plus_seconds(kind.seconds);
        let new = NewSession {
            token: token.hash(),
            account: found.account.id,
            password_version: found.password_version,
            contract: kind.contract,
            terminal: kind.terminal,
            replaces: kind.replaces.map(|token| token.hash()),
            expires_at,
        };
        self.store.write(move |db| sessions::insert(db, &new, now)).await?;
        let account = found.account.clone();
        if verdict == Verdict::NeedsRehash {
            self.strengthen(found, password).await?;
        }
        Ok(StartedSession { account, token, expires_at })
    }

    /// Returns the account of that name if `password` is its password.
    pub(super) async fn check(
        &self,
        name: Name<'_>,
        password: String,
        from: IpAddr,
    ) -> Result<(Credentials, Verdict)> {
        let found = self.store.read(|db| match name {
            Name::Username(name) => users::by_name(db, &Username::normalized(name)),
            Name::Email(email) => users::by_email(db, email),
        })?;
        let key = match (&found, name) {
            (Some(found), _) => Username::key(&found.account.username),
            (None, Name::Username(name)) => Username::key(name),
            (None, Name::Email(email)) => Email::key(email),
        };
        let stored = match &found {
            Some(found) => found.password_hash.clone(),
            None => self.dummy_hash(&key)?,
        };
        let verdict = self.try_password(&key, from, stored, password).await?;
        let found = found.ok_or(Error::UnknownAccount)?;
        match verdict {
            Verdict::Wrong => Err(Error::WrongPassword),
            Verdict::Right | Verdict::NeedsRehash => Ok((found, verdict)),
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
    pub(super) async fn try_password(
        &self,
        key: &str,
        from: IpAddr,
        stored: String,
        password: String,
    ) -> Result<Verdict> {
        // The limit is checked with the permit in hand: of many concurrent attempts, the last ones
        // see the first ones' failures.
        let permit = self.passwords.acquire().await?;
        self.throttle.check_login(key, from)?;
        let (verdict, _permit) = self.passwords.verify(permit, stored, password).await?;
        if verdict == Verdict::Wrong {
            self.throttle.record_failure(key, from);
        }
        Ok(verdict)
    }

    /// Replaces a hash that is weaker than the current setting, while the password is known.
    async fn strengthen(&self, found: Credentials, password: String) -> Result<()> {
        let new = self.passwords.rehash(password).await?;
        self.store
            .write(move |db| users::rehash(db, found.account.id, &found.password_hash, &new))
            .await
    }
}
