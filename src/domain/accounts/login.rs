//! Logging in: checking a password, within the rate limits, and starting a session.

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
    /// Begins a session. [`Error::UnknownAccount`] and [`Error::WrongPassword`] take the same time:
    /// a contract that has one answer for both gives nothing away.
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

    /// The account of that name, whose password is `password`.
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

    /// A hash to check the password of a name against that no account has. Its cost is that of an
    /// existing account's, the same one for each spelling of the name: hashes of several costs lie
    /// beside each other once the setting was raised, and today's would tell the name from theirs.
    fn dummy_hash(&self, key: &str) -> Result<String> {
        let chosen = self.hasher.hash_one(key);
        let hash = self.store.read(|db| users::some_password_hash(db, chosen))?;
        Ok(self.passwords.dummy_hash(hash.as_deref()))
    }

    /// Whether `password` is the one behind `stored`, unless too many wrong ones came before it. Tries
    /// are counted by `key`, in which all spellings of a name are one.
    pub(super) async fn try_password(
        &self,
        key: &str,
        from: IpAddr,
        stored: String,
        password: String,
    ) -> Result<Verdict> {
        // Asked when its turn has come: of many at one time, the last know of the first.
        let permit = self.passwords.acquire().await?;
        self.throttle.check_login(key, from)?;
        let (verdict, _permit) = self.passwords.verify(permit, stored, password).await?;
        if verdict == Verdict::Wrong {
            self.throttle.record_failure(key, from);
        }
        Ok(verdict)
    }

    /// Replaces a hash weaker than today's setting, now that the password is at hand.
    async fn strengthen(&self, found: Credentials, password: String) -> Result<()> {
        let new = self.passwords.rehash(password).await?;
        self.store
            .write(move |db| users::rehash(db, found.account.id, &found.password_hash, &new))
            .await
    }
}
