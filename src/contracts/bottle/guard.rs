//! What a request of the Bottle contract proves: a private cookie, and the ownership of a bottle.

use rocket::http::{Cookie, SameSite};
use rocket::outcome::{Outcome, try_outcome};
use rocket::request::{self, FromRequest};
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Request, async_trait};

use crate::accounts::{Account, Contract};
use crate::bottles::Bottles;
use crate::contracts::{Credential, Refused, Session};
use crate::error::Error;
use crate::token::Token;

const COOKIE: &str = "bottle_session";

/// The private (encrypted) cookie.
pub(super) struct Private;

impl Credential for Private {
    const CONTRACT: Contract = Contract::Bottle;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        let cookie = request.cookies().get_private(COOKIE).ok_or(Error::NoToken)?;
        Ok(Token::presented(cookie.value()))
    }
}

/// The cookie that carries `token` for `seconds`. It says how long it lives because app clients
/// keep only cookies that do.
pub(super) fn cookie(token: &Token, seconds: u32) -> Cookie<'static> {
    let lifetime = Duration::seconds(seconds.into());
    Cookie::build((COOKIE, token.secret().to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(lifetime)
        .expires(OffsetDateTime::now_utc() + lifetime)
        .build()
}

/// The cookie to take back at logout.
pub(super) fn spent_cookie() -> Cookie<'static> {
    Cookie::build(COOKIE).path("/").build()
}

/// A bottle id as it stands in a path. What is no number names no bottle.
pub(super) fn bottle_id(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::NoSuchBottle(text.chars().take(20).collect()))
}

/// The bottle in the path, which exists and belongs to whoever is logged in.
pub(super) struct OwnedBottle {
    pub(super) id: i64,
}

#[async_trait]
impl<'r> FromRequest<'r> for OwnedBottle {
    type Error = Refused;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Refused> {
        let session = try_outcome!(request.guard::<Session<Private>>().await);
        match owned(request, &session.login.account) {
            Ok(id) => Outcome::Success(Self { id }),
            Err(error) => Outcome::Forward(Refused::from(error).noted(request).0),
        }
    }
}

/// The id of the bottle in the path, if it is `account`'s.
fn owned(request: &Request<'_>, account: &Account) -> Result<i64, Error> {
    // The path's second segment after the mount point: /bottles/<id>/...
    let id = bottle_id(request.param::<&str>(1).and_then(Result::ok).unwrap_or_default())?;
    let bottles = request.rocket().state::<Bottles>();
    let bottles = bottles.ok_or_else(|| Error::Internal("no bottles are managed".into()))?;
    bottles.check_owner(id, account)?;
    Ok(id)
}

/// Which of the document's two revisions a request speaks. They differ in two messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Revision {
    /// Mounted at `/`.
    Draft,
    /// Mounted at `/api`.
    Current,
}

#[async_trait]
impl<'r> FromRequest<'r> for Revision {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let current = request.route().is_some_and(|route| route.uri.base() == "/api");
        Outcome::Success(if current { Self::Current } else { Self::Draft })
    }
}
