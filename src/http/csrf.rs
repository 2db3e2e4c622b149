//! Protection against cross-site request forgery (CSRF).
//!
//! A browser attaches the session cookie to requests that pages of other sites send. Requests other
//! than GET and HEAD are therefore rejected if `Origin` or `Sec-Fetch-Site` names another site. A
//! client that sends neither header is not a browser, and passes.

use rocket::http::Status;
use rocket::http::uri::{Absolute, Host};
use rocket::route::{Handler, Outcome};
use rocket::{Data, Request, Route, async_trait};

use super::drain::{METHODS_EXCEPT_GET, drain};
use super::rejection::Rejection;

/// The URL under which clients reach the server, or none if the operator did not set one.
///
/// ```
/// use bottle::http::PublicUrl;
///
/// assert!(PublicUrl::parse("public_url", "https://bottle.example.org").is_ok_and(|url| url.is_https()));
/// assert!(PublicUrl::parse("public_url", "").is_ok_and(|none| !none.is_https()));
/// assert!(PublicUrl::parse("public_url", "https://bottle.example.org/sea").is_err());
/// assert!(PublicUrl::parse("public_url", "bottle.example.org").is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PublicUrl(Option<Absolute<'static>>);

impl PublicUrl {
    /// Parses the setting of this name, which may be empty.
    ///
    /// # Errors
    /// Returns a message for the operator unless `text` is a URL with the scheme `http` or `https`,
    /// a host, and neither a path nor a query.
    pub fn parse(setting: &str, text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let invalid = || {
            format!(
                "{setting} is not a URL like https://bottle.example.org, without a path: {text}"
            )
        };
        let url = Absolute::parse_owned(text.to_owned()).map_err(|_| invalid())?;
        let is_root = matches!(url.path().as_str(), "" | "/") && url.query().is_none();
        let is_web = matches!(url.scheme(), "http" | "https");
        match url.authority() {
            Some(_) if is_root && is_web => Ok(Self(Some(url))),
            _ => Err(invalid()),
        }
    }

    /// Returns the URL without a slash at its end, or `None` if the operator did not set one.
    pub fn base(&self) -> Option<String> {
        self.0.as_ref().map(|url| url.to_string().trim_end_matches('/').to_owned())
    }

    /// Returns whether clients reach the server over HTTPS.
    pub fn is_https(&self) -> bool {
        self.0.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// Returns whether the `Origin` header `origin` names this server, which the `Host` header
    /// `host` names as well.
    fn is_own_origin(&self, origin: &str, host: Option<&Host<'_>>) -> bool {
        let Ok(origin) = Absolute::parse(origin) else { return false };
        let matches_public_url = self.0.as_ref().is_some_and(|url| {
            url.scheme() == origin.scheme()
                && host_and_port(url).is_some_and(|p| Some(p) == host_and_port(&origin))
        });
        // If the server is public over HTTPS, its name over plain HTTP is another site: anyone on
        // the network could serve it.
        let accepts_plain_http = !self.is_https() || origin.scheme() == "https";
        let matches_host = host.is_some_and(|host| {
            let port = host.port().or_else(|| default_port(&origin));
            host_and_port(&origin) == Some((host.domain().as_str().to_lowercase(), port))
        });
        matches_public_url || (accepts_plain_http && matches_host)
    }
}

/// Returns the host, in lower case, and the port.
fn host_and_port(url: &Absolute<'_>) -> Option<(String, Option<u16>)> {
    let authority = url.authority()?;
    Some((authority.host().to_lowercase(), authority.port().or_else(|| default_port(url))))
}

fn default_port(url: &Absolute<'_>) -> Option<u16> {
    match url.scheme() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Returns the routes of the CSRF protection, to be mounted at `/`. They match every request except
/// GET and HEAD before any other route does, and forward it unless a page of another site sent it.
///
/// They are routes because a fairing cannot reject a request.
pub fn routes() -> Vec<Route> {
    let route = |method| Route::ranked(isize::MIN, method, "/<_..>", CsrfProtection);
    METHODS_EXCEPT_GET.into_iter().map(route).collect()
}

/// Rejects a request that a page of another site sent, after reading its body.
#[derive(Clone)]
struct CsrfProtection;

#[async_trait]
impl Handler for CsrfProtection {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if !is_cross_site(request) {
            return Outcome::Forward((data, Status::NotFound));
        }
        drain(request, data).await;
        Outcome::Error(Rejection::CrossSite.stash(request).0)
    }
}

fn is_cross_site(request: &Request<'_>) -> bool {
    let url = request.rocket().state::<PublicUrl>().cloned().unwrap_or_default();
    let headers = request.headers();
    let is_other_site = |site: &str| !matches!(site, "same-origin" | "none");
    headers.get("Sec-Fetch-Site").any(is_other_site)
        || headers.get("Origin").any(|origin| !url.is_own_origin(origin, request.host()))
}

#[cfg(test)]
mod tests {
    use rocket::http::uri::Host;
    use rstest::rstest;

    use super::PublicUrl;

    const HTTPS: &str = "https://bottle.example.org";
    const HERE: &str = "127.0.0.1:8000";

    #[rstest]
    #[case::own("", HERE, "http://127.0.0.1:8000", true)]
    #[case::default_port("", "bottle.lan", "http://bottle.lan:80", true)]
    #[case::another_site("", HERE, "https://elsewhere.example", false)]
    #[case::another_port("", HERE, "http://127.0.0.1:1", false)]
    #[case::another_name_of_this_machine("", HERE, "http://localhost:8000", false)]
    #[case::a_file_or_a_sandbox("", HERE, "null", false)]
    #[case::no_origin("", HERE, "", false)]
    #[case::a_name_that_begins_alike("", HERE, "http://127.0.0.1.elsewhere.example:8000", false)]
    #[case::public(HTTPS, HERE, HTTPS, true)]
    #[case::port_spelled_out(HTTPS, HERE, "https://bottle.example.org:443", true)]
    #[case::in_capitals("https://Bottle.example.org/", HERE, "https://bottle.EXAMPLE.org", true)]
    #[case::public_over_http(HTTPS, HERE, "http://bottle.example.org", false)]
    #[case::plain_here(HTTPS, HERE, "http://127.0.0.1:8000", false)]
    #[case::https_here(HTTPS, "bottle.lan", "https://bottle.lan", true)]
    #[case::public_at_another_port(
        "http://bottle.example.org:81",
        HERE,
        "http://bottle.example.org",
        false
    )]
    fn an_origin_is_own_by_the_public_url_or_the_host(
        #[case] url: &str,
        #[case] host: &str,
        #[case] origin: &str,
        #[case] own: bool,
    ) {
        let host = Host::parse(host).unwrap();
        assert_eq!(
            PublicUrl::parse("public_url", url).unwrap().is_own_origin(origin, Some(&host)),
            own
        );
    }

    #[rstest]
    fn a_public_url_is_the_root_of_a_web_site(
        #[values(
            "bottle.example.org",
            "ftp://example.org",
            "https://example.org/a",
            "https://example.org/?a"
        )]
        url: &str,
    ) {
        assert!(PublicUrl::parse("public_url", url).is_err());
    }
}
