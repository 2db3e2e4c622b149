//! The page for an address at which there is nothing.

use std::convert::Infallible;

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{self, Responder};
use rocket::{Request, async_trait};

use super::Asset;
use crate::http::mounts::Surface;

/// The page that a browser shows for a missing one. Other clients, and every path of a contract, get the
/// contract's own response instead.
pub(super) struct NotFoundPage;

#[async_trait]
impl<'r> FromRequest<'r> for NotFoundPage {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let prefers_html = request.accept().is_some_and(|accept| accept.preferred().is_html());
        match Surface::of_path(request.uri().path().as_str()) {
            None if prefers_html => Outcome::Success(Self),
            _ => Outcome::Forward(Status::NotFound),
        }
    }
}

impl<'r> Responder<'r, 'static> for NotFoundPage {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Asset::find("404.html").ok_or(Status::NotFound)?.respond_to(request)?;
        response.set_status(Status::NotFound);
        response.set_raw_header("Vary", "Accept, Accept-Encoding");
        // Without it no client asks whether the page has changed.
        response.remove_header("ETag");
        Ok(response)
    }
}
