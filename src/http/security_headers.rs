//! Security headers: browsers must not guess content types, let other sites frame or read a
//! response, or cache personal data.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Request, Response, async_trait};

const HSTS: &str = "Strict-Transport-Security";

/// Sets the security headers that a response does not already have.
pub struct SecurityHeaders {
    defaults: Vec<Header<'static>>,
    hsts: bool,
}

impl SecurityHeaders {
    /// Creates the fairing.
    ///
    /// With `hsts`, browsers use only HTTPS from then on. With `has_map`, browsers send the origin
    /// of the page to the map's server: public tile servers reject requests without it.
    pub fn new(hsts: bool, has_map: bool) -> Self {
        let referrer = if has_map { "strict-origin-when-cross-origin" } else { "same-origin" };
        let mut defaults = vec![
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("X-DNS-Prefetch-Control", "off"),
            (
                "Permissions-Policy",
                "geolocation=(self), camera=(), microphone=(), payment=(), usb=()",
            ),
            ("Referrer-Policy", referrer),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            // JSON is neither cached nor, if a browser displays it, allowed to load anything.
            ("Cache-Control", "no-store"),
            (
                "Content-Security-Policy",
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ];
        if hsts {
            // In seconds: a year.
            defaults.push((HSTS, "max-age=31536000"));
        }
        let defaults = defaults.into_iter().map(|(name, value)| Header::new(name, value));
        Self { defaults: defaults.collect(), hsts }
    }
}

#[async_trait]
impl Fairing for SecurityHeaders {
    fn info(&self) -> Info {
        Info { name: "security headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        // Compares names, because a response has few headers of its own: a look-up would hash each of
        // ten names, and setting the header hashes it again.
        let is_missing = |default: &&Header<'_>| {
            !response.headers().iter().any(|own| own.name() == default.name())
        };
        let missing: Vec<_> = self.defaults.iter().filter(is_missing).cloned().collect();
        for header in missing {
            response.set_header(header);
        }
        if !self.hsts {
            // Over TLS, Rocket's Shield adds it except in the debug profile.
            response.remove_header(HSTS);
        }
    }
}
