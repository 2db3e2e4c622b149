//! Feeds: a secret link with which a program that cannot log in reads for an account.

use super::{Accounts, Login};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};
use crate::model::token::Token;
use crate::store::feeds;
use crate::store::sessions::{self, TokenKind};

impl Accounts {
    /// Makes the feed of the account in place of an earlier one. Returns its time and its secret, which
    /// is not stored. Returns [`Error::Guest`] for a guest.
    pub async fn make_feed(&self, login: &Login) -> Result<(Timestamp, Token)> {
        login.check_session()?;
        login.account.check_no_guest()?;
        let (token, now) = (Token::random(), self.clock.now());
        let hash = token.hash();
        let change = sessions::authorized(login.session, &self.clock, move |db, account| {
            feeds::replace(db, account.id, hash, now)
        });
        self.store.write(change).await?;
        Ok((now, token))
    }

    /// Returns the time at which the feed of the account was made, if it has one.
    pub fn feed(&self, login: &Login) -> Result<Option<Timestamp>> {
        login.check_session()?;
        self.store.read(|db| feeds::created_at(db, login.account.id))
    }

    /// Ends the feed of the account, if it has one.
    pub async fn end_feed(&self, login: &Login) -> Result<()> {
        login.check_session()?;
        let change = sessions::authorized(login.session, &self.clock, |db, account| {
            feeds::delete(db, account.id)
        });
        self.store.write(change).await
    }

    /// Returns the login of the feed with this secret, which only reads, or [`Error::NoSuchFeed`] if
    /// there is none.
    pub fn resolve_feed(&self, token: &Token) -> Result<Login> {
        self.resolve_kind(TokenKind::Feed, token).map_err(|error| match error {
            Error::NotLoggedIn => Error::NoSuchFeed,
            error => error,
        })
    }
}
