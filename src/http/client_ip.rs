//! The client's address, and the rate limits that guards apply to it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::rejection::Rejection;
use crate::domain::rate_limit::RateLimiter;
use crate::model::error::{Error, Result};
use crate::model::network::TrustedProxy;

/// The address of the client that sent a request.
///
/// It is the peer of the connection, or the address that the trusted proxy names. An IPv4 address
/// in IPv6 notation becomes plain IPv4.
#[derive(Clone, Copy, Debug)]
pub struct ClientIp(pub IpAddr);

#[async_trait]
impl<'r> FromRequest<'r> for ClientIp {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        Outcome::Success(Self::of(request))
    }
}

impl ClientIp {
    /// Returns the address of the client that sent `request`.
    pub fn of(request: &Request<'_>) -> Self {
        let peer = request.remote().map(|peer| peer.ip());
        let proxy = request.rocket().state::<TrustedProxy>();
        let is_proxy = proxy.zip(peer).is_some_and(|(proxy, peer)| proxy.is_at(peer));
        let forwarded = is_proxy.then(|| request.client_ip()).flatten();
        // Only a request of Rocket's local test client has no peer.
        Self(
            forwarded
                .or(peer)
                .map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.to_canonical()),
        )
    }
}

/// Admits a request whose address has not exceeded the rate limit for registrations. Each request
/// that reaches this guard counts.
pub struct RegistrationLimit;

#[async_trait]
impl<'r> FromRequest<'r> for RegistrationLimit {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        check_rate_limit(request, RateLimiter::register).map(|()| Self)
    }
}

/// Admits a request whose address has not exceeded the rate limit for the setup link. Each request
/// that reaches this guard counts.
pub struct SetupLimit;

#[async_trait]
impl<'r> FromRequest<'r> for SetupLimit {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        check_rate_limit(request, RateLimiter::set_up).map(|()| Self)
    }
}

/// Counts the request with `count`, and forwards it with the reason if it exceeds the rate limit.
pub(crate) fn check_rate_limit(
    request: &Request<'_>,
    count: impl FnOnce(&RateLimiter, IpAddr) -> Result<()>,
) -> request::Outcome<(), Rejection> {
    let rate_limiter = request.rocket().state::<Arc<RateLimiter>>();
    let rate_limiter =
        rate_limiter.ok_or_else(|| Error::Internal("Rocket manages no RateLimiter".into()));
    match rate_limiter.and_then(|limiter| count(limiter, ClientIp::of(request).0)) {
        Ok(()) => Outcome::Success(()),
        Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
    }
}
