//! Requests that pages of other sites send. A browser sends our cookie along with them, so what they
//! ask to be changed is refused. Clients that are no browsers say nothing of a site, and pass.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::http::uri::{Absolute, Host};
use rocket::{Data, Request, async_trait};

use super::rejection::Rejection;

/// Where people reach the server, as far as the operator says.
#[derive(Clone, Debug, Default)]
pub struct PublicUrl(Option<Absolute<'static>>);

impl PublicUrl {
    /// The address in `text`, which may be empty; the error is for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let wrong = || format!("public_url is no address like https://bottle.example.org: {text}");
        let url = Absolute::parse_owned(text.to_owned()).map_err(|_| wrong())?;
        let is_root = matches!(url.path().as_str(), "" | "/") && url.query().is_none();
        let is_web = matches!(url.scheme(), "http" | "https");
        match url.authority() {
            Some(_) if is_root && is_web => Ok(Self(Some(url))),
            _ => Err(wrong()),
        }
    }

    /// Whether everything travels encrypted.
    pub fn is_https(&self) -> bool {
        self.0.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// Whether `origin`, as a browser says it, is this server's, which `host` was asked for.
    fn is_own(&self, origin: &str, host: Option<&Host<'_>>) -> bool {
        let Ok(origin) = Absolute::parse(origin) else { return false };
        let as_public = self.0.as_ref().is_some_and(|url| {
            url.scheme() == origin.scheme() && place(url).is_some_and(|p| Some(p) == place(&origin))
        });
        // To what is public over https, plain http is another site: anyone on the way may be it.
        let plain_may_be = !self.is_https() || origin.scheme() == "https";
        let as_asked = host.is_some_and(|host| {
            let port = host.port().or_else(|| default_port(&origin));
            place(&origin) == Some((host.domain().as_str().to_lowercase(), port))
        });
        as_public || (plain_may_be && as_asked)
    }
}

/// Host and port.
fn place(url: &Absolute<'_>) -> Option<(String, Option<u16>)> {
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

/// Refuses what the page of another site asks to be changed.
pub struct CsrfProtection;

#[async_trait]
impl Fairing for CsrfProtection {
    fn info(&self) -> Info {
        Info { name: "own pages only", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let changes_nothing = matches!(request.method(), Method::Get | Method::Head);
        if !changes_nothing && is_foreign(request) {
            Rejection::Foreign.stash(request);
            // No handler is there for this method, but the one that reads bodies for nothing.
            request.set_method(Method::Trace);
        }
    }
}

fn is_foreign(request: &Request<'_>) -> bool {
    let url = request.rocket().state::<PublicUrl>().cloned().unwrap_or_default();
    let headers = request.headers();
    let foreign_site = |site: &str| !matches!(site, "same-origin" | "none");
    headers.get("Sec-Fetch-Site").any(foreign_site)
        || headers.get("Origin").any(|origin| !url.is_own(origin, request.host()))
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
        assert_eq!(PublicUrl::parse(url).unwrap().is_own(origin, Some(&host)), own);
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
        assert!(PublicUrl::parse(url).is_err());
    }
}
