//! Headers that tell browsers to guess no types, to let no other site frame or read an answer, and to
//! keep nothing that is someone's own.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Request, Response, async_trait};

const HSTS: &str = "Strict-Transport-Security";

/// Sets the headers that are the same in every answer, unless an answer has its own.
pub struct SecurityHeaders {
    defaults: Vec<Header<'static>>,
    hsts: bool,
}

impl SecurityHeaders {
    /// With `hsts`, browsers ask for nothing but https from then on. A map from elsewhere (`has_map`) is
    /// told which site asks; its makers refuse requests that do not say.
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
            // Data need no cache, and nothing else where a browser is made to show them.
            ("Cache-Control", "no-store"),
            (
                "Content-Security-Policy",
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ];
        if hsts {
            // A year.
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
        for header in &self.defaults {
            if !response.headers().contains(header.name()) {
                response.set_header(header.clone());
            }
        }
        if !self.hsts {
            // Over TLS, Rocket's Shield adds it by itself, but in the debug profile.
            response.remove_header(HSTS);
        }
    }
}
