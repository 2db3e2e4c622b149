//! Why a request gets no answer from its handler, and how each contract's catcher learns the reason.

use rocket::Request;
use rocket::http::{Method, Status};
use rocket::response::{self, Response};
use serde::Serialize;

use crate::domain::rate_limit::LONGEST_WAIT;
use crate::model::error::Error;

/// How many seconds a session lives, by contract.
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

/// Why a request does not get what it asked for. Each contract has its own words for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The domain said no.
    Domain(Error),
    /// The body is not JSON by its own `Content-Type`.
    NotJson,
    /// The body is not well-formed JSON, or the request not well-formed HTTP.
    Malformed,
    /// The body is over the limit.
    TooLarge,
    /// No such path.
    NoSuchPath,
    /// The path exists, for other methods.
    WrongMethod,
    /// A page of another site asks for it.
    Foreign,
    /// Someone tries too often.
    TooOften,
    /// The store cannot do it now; trying later may help.
    Unavailable,
    /// A bug, of which the client hears no more.
    Bug,
}

impl From<Error> for Rejection {
    /// What is for the log alone is logged here, once.
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(why) => {
                tracing::warn!("the store is unavailable: {why}");
                Self::Unavailable
            }
            Error::Internal(why) => {
                tracing::error!("{why}");
                Self::Bug
            }
            Error::TooOften => Self::TooOften,
            error => Self::Domain(error),
        }
    }
}

impl Rejection {
    /// The status that says the same; a contract may answer what the domain said with another.
    pub fn status(&self) -> Status {
        match self {
            Self::Domain(_) | Self::Malformed => Status::BadRequest,
            Self::NotJson => Status::UnsupportedMediaType,
            Self::TooLarge => Status::PayloadTooLarge,
            Self::NoSuchPath => Status::NotFound,
            Self::WrongMethod => Status::MethodNotAllowed,
            Self::Foreign => Status::Forbidden,
            Self::TooOften => Status::TooManyRequests,
            Self::Unavailable => Status::ServiceUnavailable,
            Self::Bug => Status::InternalServerError,
        }
    }

    /// What a guard fails with. The reason is left where the catcher finds it: a catcher is told
    /// only a status.
    pub(crate) fn stash(self, request: &Request<'_>) -> (Status, Self) {
        request.local_cache(|| Some(self.clone()));
        (self.status(), self)
    }

    /// Why no handler answered this request, for its contract's catcher.
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
            _ => Self::Bug,
        }
    }
}

/// `body` as JSON under `status`, with the headers that a status asks for.
pub(crate) fn respond(
    request: &Request<'_>,
    status: Status,
    body: &impl Serialize,
) -> response::Result<'static> {
    let json = serde_json::to_vec(body).map_err(|e| {
        tracing::error!("an answer is no JSON: {e}");
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

/// Whether a segment of a route takes any text. One that takes a whole path means none in particular.
fn is_parameter(segment: &str) -> bool {
    segment.starts_with('<') && !segment.ends_with("..>")
}

/// The methods that the request's path has routes for.
fn allowed_methods(request: &Request<'_>) -> Vec<Method> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let mut methods: Vec<Method> = request
        .rocket()
        .routes()
        // The routes for unread bodies have no name; they take every path, and mean none.
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
