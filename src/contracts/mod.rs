//! How HTTP speaks: one contract a module, each with the same five parts in the same order
//! (envelope, guard, handlers, `routes()`, `catchers()`) and no logic of its own.
//!
//! What they share is here: why a request was refused before its handler ran, the JSON body, and
//! the session a credential proves.

pub mod bottle;

mod body;
mod chinese;
mod session;

use rocket::Request;
use rocket::http::{Method, Status};

use crate::error::Error;

pub use body::Body;
pub use session::{Credential, Session};

/// How many seconds a session lives, by contract.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// The private cookie of the Bottle contract.
    pub bottle: u32,
}

/// Why a request gets no answer of its handler's. Each contract has its own words for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
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
    /// Anything else: a status that Rocket found.
    Other(Status),
}

impl Refused {
    /// The status under which a guard fails; a contract may answer with another.
    fn status(&self) -> Status {
        match self {
            Self::Domain(_) | Self::Malformed => Status::BadRequest,
            Self::NotJson => Status::UnsupportedMediaType,
            Self::TooLarge => Status::PayloadTooLarge,
            Self::NoSuchPath => Status::NotFound,
            Self::WrongMethod => Status::MethodNotAllowed,
            Self::Other(status) => *status,
        }
    }

    /// What a guard fails with. The reason is left where the catcher finds it: a catcher is told
    /// only a status.
    fn noted(self, request: &Request<'_>) -> (Status, Self) {
        request.local_cache(|| Some(self.clone()));
        (self.status(), self)
    }

    /// Why this request was refused, for its contract's catcher.
    pub fn caught(status: Status, request: &Request<'_>) -> Self {
        if let Some(reason) = request.local_cache(|| None::<Self>) {
            return reason.clone();
        }
        match status.code {
            400 => Self::Malformed,
            404 if exists_for_another_method(request) => Self::WrongMethod,
            404 => Self::NoSuchPath,
            413 => Self::TooLarge,
            _ => Self::Other(status),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

/// The methods that the request's path has routes for, where its own is none of them.
pub fn allowed_methods(request: &Request<'_>) -> Vec<Method> {
    let path: Vec<&str> = request.uri().path().segments().collect();
    let mut methods: Vec<Method> = request
        .rocket()
        .routes()
        .filter(|route| {
            let pattern: Vec<&str> =
                route.uri.path().split('/').filter(|s| !s.is_empty()).collect();
            pattern.len() == path.len()
                && pattern.iter().zip(&path).all(|(p, s)| p.starts_with('<') || p == s)
        })
        .map(|route| route.method)
        .collect();
    methods.sort_unstable_by_key(|method| method.as_str());
    methods.dedup();
    methods
}

fn exists_for_another_method(request: &Request<'_>) -> bool {
    !allowed_methods(request).is_empty()
}
