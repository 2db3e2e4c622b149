//! QR codes, and the address of the page for the links in them.

use std::convert::Infallible;

use qrcode::QrCode;
use qrcode::render::svg;
use rocket::http::uri::Absolute;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::{Request, async_trait};

use super::page::SharedJoinInfo;
use crate::http::PublicUrl;

/// Renders `text` as a QR code in SVG. Returns `None` if it is too long.
pub fn svg_code(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let mut render = code.render::<svg::Color<'_>>();
    Some(render.min_dimensions(240, 240).build())
}

/// The address under which others reach the page, without a slash at its end: the setting
/// `public_url`, else the one that the client uses, unless that is of its own machine and the server
/// has one in a network.
pub(super) struct PageAddress(pub(super) Option<String>);

#[async_trait]
impl<'r> FromRequest<'r> for PageAddress {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Self::Error> {
        let public = request.rocket().state::<PublicUrl>().and_then(PublicUrl::address);
        // A browser sends it, and `CsrfProtection` rejects that of another site.
        let origin =
            request.headers().get_one("Origin").and_then(|text| Absolute::parse(text).ok());
        let network = request.rocket().state::<SharedJoinInfo>();
        let network = network.and_then(|info| info.get().addresses.into_iter().next());
        let used = origin.as_ref().map(ToString::to_string);
        Outcome::Success(Self(public.or(match origin {
            Some(origin) if !is_local(&origin) => used,
            _ => network.or(used),
        })))
    }
}

fn is_local(origin: &Absolute<'_>) -> bool {
    origin.authority().is_some_and(|authority| {
        matches!(authority.host(), "localhost" | "[::1]") || authority.host().starts_with("127.")
    })
}
