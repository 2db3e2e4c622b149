//! The secret in the path of a feed. It is taken out before the request is routed, so that nothing
//! logs it.

use std::borrow::Cow;

use rocket::Request;
use rocket::http::RawStr;
use rocket::http::uri::Origin;

use crate::model::token::Token;

/// The first segment of the paths that have a secret as their second one.
const BASE: &str = "feeds";

/// The secret of a request, kept in its cache.
struct Taken(Option<Token>);

/// Replaces the secret in the path of `request` by `-`.
pub fn take_feed_secret(request: &mut Request<'_>) {
    let Some((secret, redacted)) = split(request.uri()) else { return };
    let token = Token::presented(secret);
    request.local_cache(|| Taken(Some(token)));
    request.set_uri(redacted);
}

/// Returns the secret that [`take_feed_secret`] took out of the path, if there was one.
pub(crate) fn feed_secret(request: &Request<'_>) -> Option<Token> {
    request.local_cache(|| Taken(None)).0.clone()
}

/// Returns the secret in a path, and the path without it.
fn split(uri: &Origin<'_>) -> Option<(String, Origin<'static>)> {
    let mut segments = uri.path().as_str().split('/').filter(|part| !part.is_empty());
    let base = segments.next()?;
    // A client may have escaped letters of the base.
    if !percent_decoded(base).eq_ignore_ascii_case(BASE) {
        return None;
    }
    let secret = segments.next()?;
    let rest: Vec<&str> = segments.collect();
    let path = format!("/{base}/-/{}", rest.join("/"));
    let redacted = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    Some((secret.to_owned(), Origin::parse_owned(redacted).ok()?))
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    RawStr::new(text).percent_decode_lossy()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/feeds/abc/inbox.atom", Some(("abc", "/feeds/-/inbox.atom")))]
    #[case("/feeds/abc/nearby.geojson?latitude=1", Some(("abc", "/feeds/-/nearby.geojson?latitude=1")))]
    #[case("//feeds//abc//x", Some(("abc", "/feeds/-/x")))]
    #[case("/Feed%73/abc", Some(("abc", "/Feed%73/-/")))]
    #[case("/feeds", None)]
    #[case("/api/feeds/abc", None)]
    fn the_second_segment_is_the_secret(#[case] uri: &str, #[case] expected: Option<(&str, &str)>) {
        let found = split(&Origin::parse(uri).unwrap());
        let found = found.map(|(secret, redacted)| (secret, redacted.to_string()));
        let expected = expected.map(|(secret, path)| (secret.to_owned(), path.to_owned()));
        assert_eq!(found, expected);
    }
}
