//! The page for an address at which there is nothing.

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};

use super::Asset;
use crate::http::mounts::Surface;

/// The response for a missing file: a page for browsers. Other clients, and every path of a contract, get the
/// contract's own response.
pub(super) enum NotFound {
    /// No file has this path.
    File,
    /// No file can have this path, such as `/.env`. To other clients than browsers the request is malformed.
    Path,
}

impl<'r> Responder<'r, 'static> for NotFound {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let prefers_html = request.accept().is_some_and(|accept| accept.preferred().is_html());
        if !prefers_html || Surface::of_path(request.uri().path().as_str()).is_some() {
            return Err(match self {
                Self::File => Status::NotFound,
                Self::Path => Status::UnprocessableEntity,
            });
        }
        let mut response = Asset::find("404.html").ok_or(Status::NotFound)?.whole(request)?;
        response.set_status(Status::NotFound);
        response.set_raw_header("Vary", "Accept, Accept-Encoding");
        // The tag is that of `/404.html`.
        response.remove_header("ETag");
        Ok(response)
    }
}
