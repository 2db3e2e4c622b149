//! What every answer tells a browser: to guess no types, to let no other site frame or read it, and to
//! keep nothing that is someone's own.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::shield::{
    Allow, Feature, Frame, Hsts, NoSniff, Permission, Policy, Prefetch, Referrer, Shield,
};
use rocket::time::Duration;
use rocket::{Request, Response, async_trait};

/// The headers that are the same in every answer. A map from elsewhere (`has_map`) must be told who
/// asks; its makers refuse those who do not say. Once `https`, a browser asks for nothing else any more.
pub fn shield(https: bool, has_map: bool) -> Shield {
    let permissions = Permission::allowed(Feature::Geolocation, Allow::This)
        .block(Feature::Camera)
        .block(Feature::Microphone)
        .block(Feature::Payment)
        .block(Feature::Usb);
    let shield = Shield::new()
        .enable(NoSniff::Enable)
        .enable(Frame::Deny)
        .enable(Prefetch::Off)
        .enable(permissions)
        .enable(if has_map { Referrer::StrictOriginWhenCrossOrigin } else { Referrer::SameOrigin })
        .enable(CrossOriginOpenerPolicy)
        .enable(CrossOriginResourcePolicy);
    match https {
        true => shield.enable(Hsts::Enable(Duration::days(365))),
        false => shield,
    }
}

/// Which pages share a window's group of this one's.
#[derive(Default)]
struct CrossOriginOpenerPolicy;

impl Policy for CrossOriginOpenerPolicy {
    const NAME: &'static str = "Cross-Origin-Opener-Policy";

    fn header(&self) -> Header<'static> {
        Header::new(Self::NAME, "same-origin")
    }
}

/// Which pages may load this.
#[derive(Default)]
struct CrossOriginResourcePolicy;

impl Policy for CrossOriginResourcePolicy {
    const NAME: &'static str = "Cross-Origin-Resource-Policy";

    fn header(&self) -> Header<'static> {
        Header::new(Self::NAME, "same-origin")
    }
}

/// Data need nothing, not even where a browser is made to show them.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What holds for an answer that says nothing else: it is data, for this once.
pub struct Defaults;

#[async_trait]
impl Fairing for Defaults {
    fn info(&self) -> Info {
        Info { name: "default headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        let defaults = [("Cache-Control", "no-store"), ("Content-Security-Policy", POLICY)];
        for (name, value) in defaults {
            if !response.headers().contains(name) {
                response.set_raw_header(name, value);
            }
        }
    }
}
