//! Entity tags: a client that has a response asks whether it has changed.

use rocket::Request;

/// Returns whether the client has the response with this entity tag, by `If-None-Match` (RFC 9110,
/// section 13.1.2).
pub fn is_cached(request: &Request<'_>, etag: &str) -> bool {
    let known = request.headers().get("If-None-Match").flat_map(|tags| tags.split(','));
    known.map(str::trim).any(|tag| tag.trim_start_matches("W/") == etag)
}
