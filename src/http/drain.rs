//! Bodies that no handler reads. Closing a connection with part of a body unread can lose the answer
//! on its way: a client that sends all before it listens would hear a reset, not a refusal. So guards
//! forward what they refuse, with its reason noted, and it ends here.

use std::io;

use rocket::data::{Data, ToByteUnit};
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::tokio::io::sink;
use rocket::{Request, Route, async_trait};

use super::rejection::Rejection;
use crate::http::connections::Connections;

/// How much of a body is read for nothing.
pub(super) const PATIENCE_MIB: u64 = 16;

/// Routes, to be mounted at `/`, that any request with a body comes to when no other took it.
pub fn routes() -> Vec<Route> {
    [Method::Post, Method::Put, Method::Delete, Method::Patch, Method::Trace]
        .into_iter()
        .map(|method| Route::ranked(isize::MAX, method, "/<_..>", Unread))
        .collect()
}

/// Reads the body, then leaves the request to its contract's catcher.
#[derive(Clone)]
struct Unread;

#[async_trait]
impl Handler for Unread {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        // What cannot be read, because the client has gone, needs no answer either.
        let _ = in_time(request, data.open(PATIENCE_MIB.mebibytes()).stream_to(sink())).await;
        let reason = request.local_cache(|| None::<Rejection>);
        Outcome::Error(reason.as_ref().map_or(Status::NotFound, Rejection::status))
    }
}

/// What `reading` the body of `request` comes to, or that the client took too long to send it.
pub(super) async fn in_time<T>(
    request: &Request<'_>,
    reading: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match request.rocket().state::<Connections>() {
        Some(connections) => connections.receive(request.remote(), reading).await,
        None => reading.await,
    }
}
