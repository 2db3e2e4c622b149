//! The guards of the Bottle contract: the private cookie, the ownership of a bottle, the roles
//! of teachers and operators.

use std::convert::Infallible;

use rocket::http::private::cookie::CookieBuilder;
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest};
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Request, async_trait};

use crate::domain::accounts::{Account, Contract, Login};
use crate::domain::bottles::Bottles;
use crate::http::mounts::Surface;
use crate::http::{Credential, PublicUrl, Rejection, Session, check_rate_limit};
use crate::model::error::Error;
use crate::model::fields::ThrowKey;
use crate::model::token::Token;

/// The credential: Rocket's private (encrypted) cookie.
pub(super) struct PrivateCookie;

impl Credential for PrivateCookie {
    const CONTRACT: Contract = Contract::Bottle;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        SessionCookie::of(request).token().ok_or(Error::NoToken)
    }
}

/// Reads and sets the session's cookie.
pub(super) struct SessionCookie<'r> {
    cookies: &'r CookieJar<'r>,
    is_https: bool,
}

#[async_trait]
impl<'r> FromRequest<'r> for SessionCookie<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}

impl<'r> SessionCookie<'r> {
    fn of(request: &'r Request<'_>) -> Self {
        let url = request.rocket().state::<PublicUrl>();
        let is_https =
            url.is_some_and(PublicUrl::is_https) || request.rocket().config().tls_enabled();
        Self { cookies: request.cookies(), is_https }
    }

    /// Returns the cookie's name. A browser accepts one with the prefix `__Host-` only from this
    /// host, over HTTPS.
    fn name(&self) -> &'static str {
        if self.is_https { "__Host-bottle_session" } else { "bottle_session" }
    }

    /// Returns the token that the client sent, unless the server did not encrypt it.
    pub(super) fn token(&self) -> Option<Token> {
        self.cookies.get_private(self.name()).map(|cookie| Token::presented(cookie.value()))
    }

    /// Sets the cookie to `token` for `seconds`. The cookie has an expiry, because clients on phones
    /// drop cookies without one.
    pub(super) fn set(&self, token: &Token, seconds: u32) {
        let lifetime = Duration::seconds(seconds.into());
        let cookie = self.build(token.secret());
        let until = OffsetDateTime::now_utc() + lifetime;
        self.cookies.add_private(cookie.max_age(lifetime).expires(until));
    }

    /// Removes the cookie from the client.
    pub(super) fn remove(&self) {
        self.cookies.remove_private(self.build(""));
    }

    fn build(&self, secret: &str) -> CookieBuilder<'static> {
        Cookie::build((self.name(), secret.to_owned()))
            .http_only(true)
            .same_site(SameSite::Lax)
            .path("/")
            .secure(self.is_https)
    }
}

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
        let login = try_outcome!(request.guard::<Session<PrivateCookie>>().await).login;
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
        let login = try_outcome!(request.guard::<Session<PrivateCookie>>().await).login;
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

/// The session of a teacher.
pub(super) struct Teacher {
    pub(super) login: Login,
}

#[async_trait]
impl<'r> FromRequest<'r> for Teacher {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        let login = try_outcome!(request.guard::<Session<PrivateCookie>>().await).login;
        match login.account.check_teacher() {
            Ok(()) => Outcome::Success(Self { login }),
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
