//! Where a request comes from.

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

/// The address that a request comes from.
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
    /// The address that `request` comes from.
    pub fn of(request: &Request<'_>) -> Self {
        let peer = request.remote().map(|peer| peer.ip());
        let proxy = request.rocket().state::<TrustedProxy>();
        let is_proxy = proxy.zip(peer).is_some_and(|(proxy, peer)| proxy.is_at(peer));
        let told = request.client_ip().filter(|_| is_proxy);
        // A request always has a peer, but for one that a test makes up.
        Self(told.or(peer).map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.to_canonical()))
    }
}

/// Someone who may register now. Each request that comes so far counts.
pub struct RegistrationLimit;

#[async_trait]
impl<'r> FromRequest<'r> for RegistrationLimit {
    type Error = Rejection;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Rejection> {
        counted(request, RateLimiter::register).map(|()| Self)
    }
}

/// What `count` says of this request's address. A request too many goes on to the catcher.
pub(crate) fn counted(
    request: &Request<'_>,
    count: impl FnOnce(&RateLimiter, IpAddr) -> Result<()>,
) -> request::Outcome<(), Rejection> {
    let throttle = request.rocket().state::<Arc<RateLimiter>>();
    let throttle = throttle.ok_or_else(|| Error::Internal("no throttle is managed".into()));
    match throttle.and_then(|throttle| count(throttle, ClientIp::of(request).0)) {
        Ok(()) => Outcome::Success(()),
        Err(error) => Outcome::Forward(Rejection::from(error).stash(request).0),
    }
}
