//! The guard that states "someone is logged in", whatever they carry to prove it.

use std::marker::PhantomData;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::rejection::Rejection;
use crate::domain::accounts::{Accounts, Contract, Login};
use crate::model::error::Error;
use crate::model::token::Token;
use crate::store::Snapshot;

/// A way to carry a session: where a request of one contract has its token.
pub trait Credential: Send + Sync + 'static {
    /// The contract whose sessions it proves.
    const CONTRACT: Contract;

    /// The token the request carries, or why it has none.
    fn token(request: &Request<'_>) -> Result<Token, Error>;
}

/// A live session, proved by the credential `C`: with it in a handler's signature, nobody gets in
/// who is not logged in by that contract.
pub struct Session<C> {
    /// Who, and by which token.
    pub login: Login,
    by: PhantomData<C>,
}

/// A live session, as [`Session`], and what the file held when it was found live. For answers that
/// only read, at once.
pub struct SessionSnapshot<C> {
    /// Who, and by which token.
    pub login: Login,
    /// What there is to see.
    pub snapshot: Snapshot,
    by: PhantomData<C>,
}

#[async_trait]
impl<'r, C: Credential> FromRequest<'r> for Session<C> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        proved::<C, _>(request, Accounts::resolve).map(|login| {
            note(request, &login);
            Self { login, by: PhantomData }
        })
    }
}

#[async_trait]
impl<'r, C: Credential> FromRequest<'r> for SessionSnapshot<C> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        proved::<C, _>(request, Accounts::resolve_with_snapshot).map(|(login, snapshot)| {
            note(request, &login);
            Self { login, snapshot, by: PhantomData }
        })
    }
}

/// What `resolve` makes of the request's token of `C`. A request without a good one goes on to the
/// catcher.
fn proved<C: Credential, T>(
    request: &Request<'_>,
    resolve: impl FnOnce(&Accounts, Contract, &Token) -> Result<T, Error>,
) -> request::Outcome<T, Rejection> {
    let resolved = C::token(request).and_then(|token| {
        let accounts = request
            .rocket()
            .state::<Accounts>()
            .ok_or_else(|| Error::Internal("no accounts are managed".into()))?;
        resolve(accounts, C::CONTRACT, &token)
    });
    match resolved {
        Ok(resolved) => Outcome::Success(resolved),
        Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
    }
}

/// The id of the account that a request proved to be, for the log.
struct Proved(Option<i64>);

fn note(request: &Request<'_>, login: &Login) {
    request.local_cache(|| Proved(Some(login.account.id)));
}

/// The id of the account whose session let `request` in, if one did.
pub fn account_of(request: &Request<'_>) -> Option<i64> {
    request.local_cache(|| Proved(None)).0
}
