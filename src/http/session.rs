//! The session guard, for the credentials of all contracts.

use std::marker::PhantomData;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::rejection::Rejection;
use crate::domain::accounts::{Accounts, Contract, Login};
use crate::model::error::Error;
use crate::model::token::Token;

/// The form in which requests of one contract carry a session's token.
pub trait Credential: Send + Sync + 'static {
    /// The contract whose sessions the credential names.
    const CONTRACT: Contract;

    /// Returns the token of `request`.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`], or another error that the contract reports for a bad credential.
    fn token(request: &Request<'_>) -> Result<Token, Error>;

    /// Returns the login that authorizes `request`.
    ///
    /// # Errors
    /// Returns those of [`Credential::token`], and [`Error::NotLoggedIn`] for a token that is not
    /// live.
    fn resolve(request: &Request<'_>, accounts: &Accounts) -> Result<Login, Error> {
        accounts.resolve(Self::CONTRACT, &Self::token(request)?)
    }
}

/// A live session, named by the credential `C`. A handler with this guard runs only for requests
/// that are logged in.
pub struct Session<C> {
    /// The account and its session.
    pub login: Login,
    credential: PhantomData<C>,
}

#[async_trait]
impl<'r, C: Credential> FromRequest<'r> for Session<C> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        resolve_session::<C>(request).map(|login| {
            remember_account(request, &login);
            Self { login, credential: PhantomData }
        })
    }
}

/// Returns the login of the request's token, and forwards the request if there is none.
fn resolve_session<C: Credential>(request: &Request<'_>) -> request::Outcome<Login, Rejection> {
    let accounts = request.rocket().state::<Accounts>();
    let resolved = accounts
        .ok_or_else(|| Error::Internal("Rocket manages no Accounts".into()))
        .and_then(|accounts| C::resolve(request, accounts));
    match resolved {
        Ok(resolved) => Outcome::Success(resolved),
        Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
    }
}

/// The id of the account that a request is logged in as, for the log.
struct LoggedIn(Option<i64>);

fn remember_account(request: &Request<'_>, login: &Login) {
    request.local_cache(|| LoggedIn(Some(login.account.id)));
}

/// Returns the id of the account that `request` is logged in as, if a guard found its session.
pub fn account_of(request: &Request<'_>) -> Option<i64> {
    request.local_cache(|| LoggedIn(None)).0
}
