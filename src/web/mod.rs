//! The page: files of `static/`, embedded in the program, the tiles of the street maps, and the search for
//! places.

mod accept_encoding;
mod embedded;
mod not_found;
mod pack;
mod place_search;
mod places;
mod tiles;

use std::borrow::Cow;
use std::path::PathBuf;

use rocket::http::uri::error::PathError;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, Route, get, routes};

use self::accept_encoding::accepts_gzip;
use self::not_found::NotFound;
use self::pack::Packed;
use crate::http::is_cached;

/// Returns the file at `path` in `static/`.
pub fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    embedded::find(path)?.plain().ok()
}

/// Folders whose files change only with the version of a library.
const CACHED_FOLDERS: [&str; 2] = ["vendor/", "data/"];

/// `Cache-Control` of an address that names the version of its file, as `?v=HASH`.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The digits of a file's hash that are its version.
const VERSION_DIGITS: usize = 12;

/// The content security policy of the page. It allows nothing from other hosts except map tiles.
pub struct Policy(String);

impl Policy {
    /// Creates the policy of a page that loads map tiles from `tile_url`, which may be empty.
    pub fn new(tile_url: &str) -> Self {
        let host: String = match tile_url.split_once("://") {
            Some((scheme, rest)) => {
                let host = rest.split('/').next().unwrap_or_default().replace("{s}", "*");
                format!(" {scheme}://{host}")
            }
            None => String::new(),
        };
        Self(format!(
            "default-src 'self'; img-src 'self' data: blob:{host}; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ))
    }
}

/// A file of the page.
struct Asset(Packed);

impl Asset {
    fn find(path: &str) -> Option<Self> {
        embedded::find(path).map(Self)
    }

    /// Returns a response with the file, whatever the client has cached.
    fn whole(self, request: &Request<'_>) -> response::Result<'static> {
        let mut response = self.headers(request);
        match self.body(request) {
            Ok((bytes, is_gzip)) => {
                if is_gzip {
                    response.raw_header("Content-Encoding", "gzip");
                }
                response.sized_body(bytes.len(), std::io::Cursor::new(bytes)).ok()
            }
            Err(e) => {
                tracing::error!("cannot decompress a file of the page: {e}");
                Err(Status::InternalServerError)
            }
        }
    }

    fn headers(&self, request: &Request<'_>) -> response::Builder<'static> {
        let mut response = Response::build();
        response
            .header(self.content_type())
            .raw_header("Cache-Control", self.cache_control(request))
            .raw_header("Vary", "Accept-Encoding")
            .raw_header("ETag", self.etag());
        if let Some(policy) = request.rocket().state::<Policy>() {
            response.raw_header("Content-Security-Policy", policy.0.clone());
        }
        response
    }

    /// Returns how long browsers cache the file: for a year if the request names its version, else for
    /// a day if it is of a library.
    fn cache_control(&self, request: &Request<'_>) -> &'static str {
        let version = request.query_value::<&str>("v").and_then(Result::ok);
        if version.is_some_and(|version| version == &self.0.hash[..VERSION_DIGITS]) {
            IMMUTABLE
        } else if CACHED_FOLDERS.iter().any(|folder| self.0.path.starts_with(folder)) {
            "max-age=86400"
        } else {
            "no-cache"
        }
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.0.hash)
    }

    /// Returns the bytes to send, and whether they are compressed.
    fn body(self, request: &Request<'_>) -> std::io::Result<(Cow<'static, [u8]>, bool)> {
        if self.0.is_gzip && accepts_gzip(request.headers().get("Accept-Encoding")) {
            return Ok((self.0.bytes, true));
        }
        Ok((self.0.plain()?, false))
    }

    fn content_type(&self) -> ContentType {
        let extension = self.0.path.rsplit('.').next().unwrap_or_default();
        match extension {
            "webmanifest" => ContentType::new("application", "manifest+json"),
            "md" | "LICENSE" => ContentType::Plain,
            "js" => ContentType::new("text", "javascript").with_params(("charset", "utf-8")),
            "svg" => ContentType::new("image", "svg+xml").with_params(("charset", "utf-8")),
            _ => ContentType::from_extension(extension).unwrap_or(ContentType::Plain),
        }
    }
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        if is_cached(request, &self.etag()) {
            return self.headers(request).status(Status::NotModified).ok();
        }
        self.whole(request)
    }
}

#[get("/")]
fn index() -> Option<Asset> {
    Asset::find("index.html")
}

/// Returns the file at `path`. The parameter is a `Result` so that a path that no file can have, such
/// as `/.env`, reaches this route, which has a page for browsers.
#[get("/<path..>", rank = 100)]
fn asset(path: Result<PathBuf, PathError>) -> Result<Asset, NotFound> {
    let path = path.map_err(|_| NotFound::Path)?;
    let path = path.to_str().ok_or(NotFound::File)?;
    // `/docs` is `docs.html`.
    Asset::find(path).or_else(|| Asset::find(&format!("{path}.html"))).ok_or(NotFound::File)
}

/// Returns the routes of the page, of map tiles and of places, to be mounted at `/`.
pub fn routes() -> Vec<Route> {
    routes![index, asset, tiles::tile, place_search::places]
}
