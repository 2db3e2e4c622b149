//! Personal access tokens, with which programs use the Bottle contract for an account.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Accounts, Login};
use crate::model::access::TokenTerms;
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::token::{Token, TokenHash};
use crate::store::access_tokens;
use crate::store::sessions::{self, TokenKind};

pub use crate::store::access_tokens::TokenSummary;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60 * 1000;

/// The minutes in which access tokens were used and that are not stored yet, so that a read does not
/// write.
#[derive(Default)]
pub(super) struct TokenUses(Mutex<HashMap<TokenHash, Timestamp>>);

impl TokenUses {
    fn note(&self, token: TokenHash, now: Timestamp) {
        let minute = now.millis() - now.millis().rem_euclid(MINUTE_MS);
        self.lock().insert(token, Timestamp::from_millis(minute));
    }

    /// Returns the uses and forgets them.
    fn take(&self) -> Vec<(TokenHash, Timestamp)> {
        self.lock().drain().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login {
    /// Returns [`Error::SessionRequired`] if a personal access token or a feed authorizes the request.
    pub fn check_session(&self) -> Result<()> {
        match self.session.kind {
            TokenKind::Session(_) => Ok(()),
            TokenKind::AccessToken | TokenKind::Feed => Err(Error::SessionRequired),
        }
    }
}

impl Accounts {
    /// Returns the login of this personal access token, or [`Error::NotLoggedIn`] if there is no live
    /// one.
    pub fn resolve_access_token(&self, token: &Token) -> Result<Login> {
        let login = self.resolve_kind(TokenKind::AccessToken, token)?;
        self.token_uses.note(login.session.token, self.clock.now());
        Ok(login)
    }

    /// Makes an access token and returns it with its secret, which is not stored. Returns
    /// [`Error::Guest`] for a guest.
    pub async fn make_access_token(
        &self,
        login: &Login,
        terms: TokenTerms,
    ) -> Result<(TokenSummary, Token)> {
        login.check_session()?;
        login.account.check_no_guest()?;
        let (token, now) = (Token::random_access_token(), self.clock.now());
        let hash = token.hash();
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            access_tokens::insert(db, account.id, hash, &terms, now)
        });
        Ok((self.store.write(change).await?, token))
    }

    /// Returns the access tokens of the account, newest first.
    pub fn access_tokens(&self, login: &Login) -> Result<Vec<TokenSummary>> {
        login.check_session()?;
        let now = self.clock.now();
        let mut tokens = self.store.read(|db| access_tokens::list(db, login.account.id, now))?;
        let uses = self.token_uses.lock();
        for token in &mut tokens {
            token.last_used_at = token.last_used_at.max(uses.get(&token.hash).copied());
        }
        Ok(tokens)
    }

    /// Ends an access token of the account.
    pub async fn revoke_access_token(&self, login: &Login, id: i64) -> Result<()> {
        login.check_session()?;
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            access_tokens::revoke(db, account.id, id)
        });
        self.store.write(change).await
    }

    /// Stores the uses since the last call, and deletes the expired access tokens.
    pub(super) async fn sweep_access_tokens(&self, now: Timestamp) -> Result<()> {
        let uses = self.token_uses.take();
        if uses.is_empty() && !self.store.read(|db| access_tokens::any_expired(db, now))? {
            return Ok(());
        }
        let change = move |db: &_| {
            access_tokens::store_uses(db, &uses)?;
            access_tokens::delete_expired(db, now)
        };
        self.store.write(change).await
    }
}
