//! Typed JSON bodies.

use rocket::data::{Data, FromData, Limits, Outcome as DataOutcome, ToByteUnit};
use rocket::outcome::Outcome;
use rocket::tokio::io::{AsyncReadExt, copy, sink};
use rocket::{Request, async_trait};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::drain::{MAX_DRAIN_MIB, with_timeout};
use super::method_override::READ_AHEAD;
use super::rejection::Rejection;
use super::strict_json::StrictJson;
use crate::model::error::{Error, Problem};

/// Parses a JSON object of the shape `T`, ignoring unknown fields.
///
/// Rejects a body that is not JSON, is malformed, exceeds Rocket's limit `json` (in bytes) or has
/// another shape. A body without a `Content-Type` counts as JSON, one with another type does not.
pub struct Body<T>(pub T);

#[async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for Body<T> {
    type Error = Rejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match read(request, data).await.and_then(|bytes| parse(&bytes)) {
            Ok(value) => Outcome::Success(Self(value)),
            Err(rejection) => Outcome::Error(rejection.stash(request)),
        }
    }
}

/// Parses a body as [`Body`] does, but takes an empty one for `T`'s default.
pub struct OptionalBody<T>(pub T);

#[async_trait]
impl<'r, T: DeserializeOwned + Default> FromData<'r> for OptionalBody<T> {
    type Error = Rejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        let parsed = match read(request, data).await {
            Ok(bytes) if bytes.is_empty() => Ok(T::default()),
            Ok(bytes) => parse(&bytes),
            Err(rejection) => Err(rejection),
        };
        match parsed {
            Ok(value) => Outcome::Success(Self(value)),
            Err(rejection) => Outcome::Error(rejection.stash(request)),
        }
    }
}

/// Parses a body as [`Body`] does, but takes one that is not a JSON object for `None`: clients send
/// anything to a route that ignored its body at first.
pub struct LenientBody<T>(pub Option<T>);

#[async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for LenientBody<T> {
    type Error = Rejection;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        let is_json = request.content_type().is_none_or(|kind| kind.is_json());
        match read(request, data).await {
            Ok(bytes)
                if is_json && serde_json::from_slice::<Map<String, Value>>(&bytes).is_ok() =>
            {
                match parse(&bytes) {
                    Ok(value) => Outcome::Success(Self(Some(value))),
                    Err(rejection) => Outcome::Error(rejection.stash(request)),
                }
            }
            _ => Outcome::Success(Self(None)),
        }
    }
}

async fn read(request: &Request<'_>, mut data: Data<'_>) -> Result<Vec<u8>, Rejection> {
    if is_truncated(&mut data).await {
        return Err(Rejection::Malformed);
    }
    let limit = request.limits().get("json").unwrap_or(Limits::JSON).as_u64();
    let mut bytes = Vec::new();
    with_timeout(request, async {
        let mut stream = data.open(MAX_DRAIN_MIB.mebibytes());
        (&mut stream).take(limit + 1).read_to_end(&mut bytes).await?;
        copy(&mut stream, &mut sink()).await
    })
    .await
    .map_err(|_| Rejection::Malformed)?;
    if bytes.len() as u64 > limit {
        return Err(Rejection::TooLarge);
    }
    if bytes.is_empty() {
        return Ok(bytes);
    }
    if request.content_type().is_some_and(|kind| !kind.is_json()) {
        return Err(Rejection::NotJson);
    }
    Ok(bytes)
}

/// Returns whether the connection ended while Rocket read ahead.
///
/// Rocket ignores such an end, and would present the bytes received so far as the whole body.
async fn is_truncated(data: &mut Data<'_>) -> bool {
    let is_whole = data.peek_complete();
    !is_whole && data.peek(READ_AHEAD).await.len() < READ_AHEAD
}

/// Parses `bytes` in two steps, because malformed JSON and a wrong field get different responses.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Rejection::Malformed)?;
    if !value.is_object() {
        return Err(Error::field("body", Problem::WrongType).into());
    }
    // Only the path is kept: the error's own text repeats the value, which may be a password.
    serde_path_to_error::deserialize(StrictJson(value))
        .map_err(|e| Error::field(e.path().to_string(), Problem::WrongType).into())
}
