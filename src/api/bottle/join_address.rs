//! The address of the server in links that others follow.

use std::convert::Infallible;

use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::page::SharedJoinInfo;
use crate::http::PublicUrl;

/// The address under which others reach the server: the public URL, else the first address on the
/// local network, else the one that the request was sent to.
pub(super) struct JoinAddress(String);

#[async_trait]
impl<'r> FromRequest<'r> for JoinAddress {
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

impl JoinAddress {
    /// Returns the address, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.0
    }

    /// Returns the link to the page with this fragment.
    pub(super) fn link(&self, fragment: &str) -> String {
        format!("{}/#{fragment}", self.0)
    }
}
