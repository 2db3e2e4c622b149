//! The reasons to reject a request, and their way from a guard to the contract's catcher.

use rocket::Request;
use rocket::http::{Method, Status};
use rocket::response::{self, Response};
use serde::Serialize;

use crate::domain::rate_limit::LONGEST_WAIT;
use crate::model::error::Error;

/// The lifetime of a session in seconds, by contract.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// The private cookie of the Bottle contract.
    pub bottle: u32,
    /// The JWT of the Ledger contract.
    pub ledger: u32,
    /// The bearer token of the Music contract.
    pub music: u32,
    /// The terminal's token of the Bookstore contract.
    pub bookstore: u32,
}

/// The reason why a request gets no regular response. Each contract has its own messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// A rule of the domain forbids it.
    Domain(Error),
    /// The body is not JSON by its own `Content-Type`.
    NotJson,
    /// The body is not well-formed JSON, or the request not well-formed HTTP.
    Malformed,
    /// The body exceeds the size limit.
    TooLarge,
    /// No route has this path.
    NoSuchPath,
    /// Routes have this path, but with other methods.
    WrongMethod,
    /// A page of another site sent it.
    CrossSite,
    /// The client exceeds its rate limit.
    RateLimited,
    /// The store cannot answer now; a later attempt may succeed.
    Unavailable,
    /// The server is a standby, which changes nothing; the address of the primary.
    Standby(String),
    /// The server has a bug. The log has the details, the response has none.
    Internal,
}

impl From<Error> for Rejection {
    /// Converts `error`, and logs the details that are not sent. This is the only place that does.
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(why) => {
                tracing::warn!("the store is unavailable: {why}");
                Self::Unavailable
            }
            // The store has logged it.
            Error::Damaged(_) => Self::Unavailable,
            Error::Internal(why) => {
                tracing::error!("{why}");
                Self::Internal
            }
            Error::Standby(primary_url) => Self::Standby(primary_url),
            Error::TooOften => Self::RateLimited,
            error => Self::Domain(error),
        }
    }
}

impl Rejection {
    /// Returns the HTTP status. A contract may use another one for [`Self::Domain`].
    pub fn status(&self) -> Status {
        match self {
            Self::Domain(_) | Self::Malformed => Status::BadRequest,
            Self::NotJson => Status::UnsupportedMediaType,
            Self::TooLarge => Status::PayloadTooLarge,
            Self::NoSuchPath => Status::NotFound,
            Self::WrongMethod => Status::MethodNotAllowed,
            Self::CrossSite => Status::Forbidden,
            Self::RateLimited => Status::TooManyRequests,
            Self::Unavailable | Self::Standby(_) => Status::ServiceUnavailable,
            Self::Internal => Status::InternalServerError,
        }
    }

    /// Stores the rejection in the request's cache, because Rocket passes only a status to a
    /// catcher, and returns a guard's outcome.
    pub(crate) fn stash(self, request: &Request<'_>) -> (Status, Self) {
        request.local_cache(|| Some(self.clone()));
        (self.status(), self)
    }

    /// Returns the reason why no handler answered `request`: the stashed one, or one derived from
    /// `status`.
    pub(crate) fn from_catcher(status: Status, request: &Request<'_>) -> Self {
        if let Some(reason) = request.local_cache(|| None::<Self>) {
            return reason.clone();
        }
        match status.code {
            404 if exists_for_another_method(request) => Self::WrongMethod,
            404 => Self::NoSuchPath,
            413 => Self::TooLarge,
            503 => Self::Unavailable,
            400..500 => Self::Malformed,
            _ => Self::Internal,
        }
    }
}

/// Returns a response with `status` and `body` as JSON, with `Allow` for 405, and `Retry-After` in
/// seconds for 429 and 503.
pub(crate) fn respond(
    request: &Request<'_>,
    status: Status,
    body: &impl Serialize,
) -> response::Result<'static> {
    let json = serde_json::to_vec(body).map_err(|e| {
        tracing::error!("cannot serialize a response as JSON: {e}");
        Status::InternalServerError
    })?;
    let mut response = Response::build_from(super::budget::json_response(request, json)?);
    response.status(status);
    match status.code {
        405 => {
            let allowed: Vec<_> = allowed_methods(request).iter().map(|m| m.as_str()).collect();
            response.raw_header("Allow", allowed.join(", "));
        }
        429 => {
            response.raw_header("Retry-After", LONGEST_WAIT.as_secs().to_string());
        }
        503 => {
            response.raw_header("Retry-After", "5");
        }
        _ => {}
    }
    response.ok()
}

fn exists_for_another_method(request: &Request<'_>) -> bool {
    let methods = allowed_methods(request);
    !methods.is_empty() && !methods.contains(&request.method())
}

/// Returns whether a segment of a route matches any text. One that matches a whole path does not
/// count.
fn is_parameter(segment: &str) -> bool {
    segment.starts_with('<') && !segment.ends_with("..>")
}

/// Returns the methods of the routes that match the request's path.
fn allowed_methods(request: &Request<'_>) -> Vec<Method> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let mut methods: Vec<Method> = request
        .rocket()
        .routes()
        // The routes of `csrf` and `drain`, which match every path, have no name.
        .filter(|route| route.name.is_some())
        .filter(|route| {
            let pattern: Vec<&str> =
                route.uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
            pattern.len() == path.len()
                && pattern.iter().zip(&path).all(|(p, s)| is_parameter(p) || p == s)
        })
        .map(|route| route.method)
        .collect();
    methods.sort_unstable_by_key(|method| method.as_str());
    methods.dedup();
    methods
}
