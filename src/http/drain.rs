//! Reads the bodies of rejected requests.
//!
//! Closing a connection with part of a body unread can lose the response in transit: a client that
//! sends its whole body before it reads would see a reset instead of the rejection. Guards
//! therefore stash their [`Rejection`] and forward, and the drain route reads the body.

use std::io;

use rocket::data::{Data, ToByteUnit};
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::tokio::io::sink;
use rocket::{Request, Route, async_trait};

use super::rejection::Rejection;
use crate::http::connections::Connections;

/// All methods except GET, and HEAD, which Rocket turns into GET.
pub(super) const METHODS_EXCEPT_GET: [Method; 7] = [
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Options,
    Method::Trace,
    Method::Connect,
];

/// The largest part of a rejected body that is read, in MiB.
pub(super) const MAX_DRAIN_MIB: u64 = 16;

/// Returns the drain routes, to be mounted at `/`. They match any request with a body that no other
/// route has handled.
pub fn routes() -> Vec<Route> {
    let route = |method| Route::ranked(isize::MAX, method, "/<_..>", Drain);
    METHODS_EXCEPT_GET.into_iter().map(route).collect()
}

/// Reads the body, then leaves the request to its contract's catcher.
#[derive(Clone)]
struct Drain;

#[async_trait]
impl Handler for Drain {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        drain(request, data).await;
        let reason = request.local_cache(|| None::<Rejection>);
        Outcome::Error(reason.as_ref().map_or(Status::NotFound, Rejection::status))
    }
}

/// Reads the body of `request` and discards it. Ignores failures: the client has disconnected or
/// exceeded the timeout.
pub(super) async fn drain(request: &Request<'_>, data: Data<'_>) {
    let _ = with_timeout(request, data.open(MAX_DRAIN_MIB.mebibytes()).stream_to(sink())).await;
}

/// Awaits `reading`, which reads the body of `request`, for at most the request timeout.
pub(super) async fn with_timeout<T>(
    request: &Request<'_>,
    reading: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match request.rocket().state::<Connections>() {
        Some(connections) => connections.receive(request.remote(), reading).await,
        None => reading.await,
    }
}
