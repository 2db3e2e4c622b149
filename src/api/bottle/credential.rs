//! The credentials of the Bottle contract: the private cookie of a session, and personal access
//! tokens.

use std::convert::Infallible;

use rocket::http::private::cookie::CookieBuilder;
use rocket::http::{Cookie, CookieJar, Method, SameSite};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Request, async_trait};

use crate::domain::accounts::{Accounts, Contract, Login};
use crate::http::{Credential, PublicUrl};
use crate::model::access::Access;
use crate::model::error::Error;
use crate::model::token::{ACCESS_TOKEN_PREFIX, Token};

/// The credential of routes that need a session: Rocket's private (encrypted) cookie. A request with
/// an access token is rejected.
pub(super) struct PrivateCookie;

impl Credential for PrivateCookie {
    const CONTRACT: Contract = Contract::Bottle;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        SessionCookie::of(request).token().ok_or(Error::NoToken)
    }

    fn resolve(request: &Request<'_>, accounts: &Accounts) -> Result<Login, Error> {
        let login = CookieOrToken::resolve(request, accounts)?;
        login.check_session()?;
        Ok(login)
    }
}

/// The credential of most routes: the private cookie, or a personal access token in the header
/// `Authorization`, which decides if the request has both.
pub(super) struct CookieOrToken;

impl Credential for CookieOrToken {
    const CONTRACT: Contract = Contract::Bottle;

    fn token(request: &Request<'_>) -> Result<Token, Error> {
        PrivateCookie::token(request)
    }

    fn resolve(request: &Request<'_>, accounts: &Accounts) -> Result<Login, Error> {
        let Some(token) = access_token(request) else {
            return accounts.resolve(Self::CONTRACT, &Self::token(request)?);
        };
        let login = accounts.resolve_access_token(&token)?;
        let only_reads = matches!(request.method(), Method::Get | Method::Head);
        match login.access {
            Access::Read if !only_reads => Err(Error::ReadOnlyToken),
            Access::Read | Access::Full => Ok(login),
        }
    }
}

/// Returns the personal access token of the header `Authorization: Bearer bottle_…`. Other bearer
/// tokens belong to other contracts, which share the header.
fn access_token(request: &Request<'_>) -> Option<Token> {
    request.headers().get("Authorization").find_map(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        let is_ours =
            scheme.eq_ignore_ascii_case("Bearer") && token.starts_with(ACCESS_TOKEN_PREFIX);
        is_ours.then(|| Token::presented(token))
    })
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
