//! The tiles of the street maps.

use std::io::Cursor;

use rocket::http::{ContentType, Status};
use rocket::request::FromParam;
use rocket::response::{self, Responder, Response};
use rocket::{Request, State, get};
use sha2::{Digest, Sha256};

use super::accept_encoding::accepts_gzip;
use super::not_found::NotFound;
use crate::http::is_cached;
use crate::model::error::Error;
use crate::store::street_maps::{Format, MapTile, StreetMaps, Tile};

/// The extension of the address of vectors.
const VECTORS: &str = ".mvt";

/// A day. The page asks for tiles with the version of their map, so that a new map is shown at once.
const CACHE_CONTROL: &str = "max-age=86400";

/// The last segment of an address: `6` names a picture, `6.mvt` vectors.
pub(super) struct Row {
    row: u32,
    is_vector: bool,
}

impl FromParam<'_> for Row {
    type Error = std::num::ParseIntError;

    fn from_param(segment: &str) -> Result<Self, Self::Error> {
        let vectors = segment.strip_suffix(VECTORS);
        let row = vectors.unwrap_or(segment).parse()?;
        Ok(Self { row, is_vector: vectors.is_some() })
    }
}

/// The response for a tile that the server does not send.
#[derive(Responder)]
pub(super) enum NoTile {
    Missing(NotFound),
    Other(Status),
}

#[get("/tiles/<zoom>/<x>/<y>")]
pub(super) async fn tile(
    zoom: u8,
    x: u32,
    y: Row,
    maps: &State<StreetMaps>,
) -> Result<TileResponse, NoTile> {
    match maps.tile(y.is_vector, zoom, x, y.row).await {
        Ok(MapTile::Found(tile)) => Ok(TileResponse(tile)),
        // Maps have holes. A browser logs a 404 as an error, but not a 204.
        Ok(MapTile::Hole) => Err(NoTile::Other(Status::NoContent)),
        Ok(MapTile::Unreadable | MapTile::NoMap) => Err(NoTile::Missing(NotFound::File)),
        Err(Error::Unavailable(why) | Error::Damaged(why)) => {
            tracing::warn!("cannot read a tile of map_file: {why}");
            Err(NoTile::Other(Status::ServiceUnavailable))
        }
        Err(error) => {
            tracing::error!("cannot read a tile of map_file: {error}");
            Err(NoTile::Other(Status::InternalServerError))
        }
    }
}

/// A tile of a street map. Vectors that are compressed in the file are sent as they are.
pub(super) struct TileResponse(Tile);

impl<'r> Responder<'r, 'static> for TileResponse {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let Self(tile) = self;
        let digest = Sha256::digest(&tile.bytes);
        let digits: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let etag = format!("\"{digits}\"");
        let is_known = is_cached(request, &etag);
        let mut response = Response::build();
        response
            .header(content_type(tile.format))
            .raw_header("Cache-Control", CACHE_CONTROL)
            .raw_header("ETag", etag);
        if tile.format.is_vector() {
            response.raw_header("Vary", "Accept-Encoding");
        }
        if is_known {
            return response.status(Status::NotModified).ok();
        }
        let bytes = if tile.is_gzip() && accepts_gzip(request.headers().get("Accept-Encoding")) {
            response.raw_header("Content-Encoding", "gzip");
            tile.bytes
        } else {
            tile.inflated().ok_or_else(|| {
                tracing::error!("cannot decompress a tile of map_file");
                Status::InternalServerError
            })?
        };
        response.sized_body(bytes.len(), Cursor::new(bytes)).ok()
    }
}

fn content_type(format: Format) -> ContentType {
    match format {
        Format::Png => ContentType::PNG,
        Format::Jpeg => ContentType::JPEG,
        Format::Webp => ContentType::WEBP,
        Format::Protomaps | Format::OpenMapTiles => {
            ContentType::new("application", "vnd.mapbox-vector-tile")
        }
    }
}
