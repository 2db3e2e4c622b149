//! The address of the server in links.

use std::convert::Infallible;

use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::page::SharedJoinInfo;
use crate::http::PublicUrl;

/// The address under which others reach the server, without a slash at its end: the public URL, else
/// the first address on the local network, else the one that the request was sent to.
pub(super) struct ServerAddress(pub(super) String);

#[async_trait]
impl<'r> FromRequest<'r> for ServerAddress {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let rocket = request.rocket();
        let public = rocket.state::<PublicUrl>().and_then(PublicUrl::base);
        let lan = || rocket.state::<SharedJoinInfo>()?.get().addresses.into_iter().next();
        let own = || {
            let scheme = if rocket.config().tls_enabled() { "https" } else { "http" };
            format!("{scheme}://{}", request.host().map(ToString::to_string).unwrap_or_default())
        };
        request::Outcome::Success(Self(public.or_else(lan).unwrap_or_else(own)))
    }
}
