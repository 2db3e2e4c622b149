//! The guards of the Bottle contract: the ownership of a bottle, the roles of teachers and operators.

use std::convert::Infallible;
use std::marker::PhantomData;

use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

pub(super) use super::credential::{CookieOrToken, PrivateCookie, SessionCookie};
use crate::domain::accounts::{Account, Login};
use crate::domain::bottles::Bottles;
use crate::http::mounts::Surface;
use crate::http::{Credential, Rejection, Session, check_rate_limit};
use crate::model::error::Error;
use crate::model::fields::ThrowKey;

/// Parses the bottle id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchBottle`] if `text` is not a number.
pub(super) fn bottle_id(text: &str) -> Result<i64, Error> {
    path_id(text, Error::NoSuchBottle)
}

/// Parses the reply id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchReply`] if `text` is not a number.
pub(super) fn reply_id(text: &str) -> Result<i64, Error> {
    path_id(text, Error::NoSuchReply)
}

/// Parses the account id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchUser`] if `text` is not a number.
pub(super) fn user_id(text: &str) -> Result<i64, Error> {
    path_id(text, Error::NoSuchUser)
}

/// Parses the invitation id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchInvitation`] if `text` is not a number.
pub(super) fn invitation_id(text: &str) -> Result<i64, Error> {
    path_id(text, Error::NoSuchInvitation)
}

/// Parses the class id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchClass`] if `text` is not a number.
pub(super) fn class_id(text: &str) -> Result<i64, Error> {
    path_id(text, Error::NoSuchClass)
}

/// Parses the access token id of a path.
///
/// # Errors
/// Returns [`Error::NoSuchAccessToken`] if `text` is not a number.
pub(super) fn access_token_id(text: &str) -> Result<i64, Error> {
    path_id(text, |_| Error::NoSuchAccessToken)
}

fn path_id(text: &str, missing: fn(String) -> Error) -> Result<i64, Error> {
    text.parse().map_err(|_| missing(text.chars().take(20).collect()))
}

/// The bottle in the path, which exists and belongs to the account of the session.
pub(super) struct OwnedBottle {
    pub(super) login: Login,
    pub(super) id: i64,
}

#[async_trait]
impl<'r> FromRequest<'r> for OwnedBottle {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let login = try_outcome!(request.guard::<Session<CookieOrToken>>().await).login;
        match owned_bottle_id(request, &login.account).await {
            Ok(id) => Outcome::Success(Self { login, id }),
            Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
        }
    }
}

/// Returns the id of the bottle in the path, if `account` owns it.
async fn owned_bottle_id(request: &Request<'_>, account: &Account) -> Result<i64, Error> {
    // The path's second segment after the mount point: /bottles/<id>/...
    let id = bottle_id(request.param::<&str>(1).and_then(Result::ok).unwrap_or_default())?;
    let bottles = request.rocket().state::<Bottles>();
    let bottles = bottles.ok_or_else(|| Error::Internal("Rocket manages no Bottles".into()))?;
    bottles.check_owner(id, account).await?;
    Ok(id)
}

/// A session within the rate limit for throwing. Each request that reaches this guard counts.
pub(super) struct Thrower {
    pub(super) login: Login,
}

#[async_trait]
impl<'r> FromRequest<'r> for Thrower {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let login = try_outcome!(request.guard::<Session<CookieOrToken>>().await).login;
        check_rate_limit(request, |rate_limiter, from| rate_limiter.throw(login.account.id, from))
            .map(|()| Self { login })
    }
}

/// The header `Idempotency-Key`, if there is one.
pub(super) struct IdempotencyKey(pub(super) Option<ThrowKey>);

#[async_trait]
impl<'r> FromRequest<'r> for IdempotencyKey {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        match request.headers().get_one("Idempotency-Key").map(ThrowKey::parse).transpose() {
            Ok(key) => Outcome::Success(Self(key)),
            Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
        }
    }
}

/// A teacher, by the credential `C`.
pub(super) struct Teacher<C = CookieOrToken> {
    pub(super) login: Login,
    credential: PhantomData<C>,
}

#[async_trait]
impl<'r, C: Credential> FromRequest<'r> for Teacher<C> {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let login = try_outcome!(request.guard::<Session<C>>().await).login;
        match login.account.check_teacher() {
            Ok(()) => Outcome::Success(Self { login, credential: PhantomData }),
            Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
        }
    }
}

/// The session of an operator.
pub(super) struct Operator {
    pub(super) login: Login,
}

#[async_trait]
impl<'r> FromRequest<'r> for Operator {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let login = try_outcome!(request.guard::<Session<PrivateCookie>>().await).login;
        match login.account.check_operator() {
            Ok(()) => Outcome::Success(Self { login }),
            Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
        }
    }
}

/// The revision of the contract that a request uses. The two differ in two messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    /// Mounted at `/`.
    Draft,
    /// Mounted at `/api`.
    Current,
}

#[async_trait]
impl<'r> FromRequest<'r> for Revision {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let is_draft = Surface::of(request) == Some(Surface::BottleDraft);
        Outcome::Success(if is_draft { Self::Draft } else { Self::Current })
    }
}
