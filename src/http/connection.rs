//! The connection that a request came by, whose client may leave while the request waits for its turn.

use std::convert::Infallible;
use std::net::SocketAddr;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::tokio::select;
use rocket::{Orbit, Request, Rocket, async_trait};

use crate::http::connections::Connections;
use crate::model::error::{Error, Result};

/// The connection that a request came by.
pub struct ClientConnection<'r> {
    rocket: &'r Rocket<Orbit>,
    client: Option<SocketAddr>,
}

#[async_trait]
impl<'r> FromRequest<'r> for ClientConnection<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self { rocket: request.rocket(), client: request.remote() })
    }
}

impl ClientConnection<'_> {
    /// What `read` finds, unless the client leaves while it waits: then it is dropped. Rocket itself would let
    /// it go on.
    pub async fn while_open<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        select! {
            biased;
            found = read => found,
            () = self.closed() => Err(Error::Unavailable("the client has left".into())),
        }
    }

    async fn closed(&self) {
        match self.rocket.state::<Connections>() {
            Some(connections) => connections.closed(self.client).await,
            None => std::future::pending().await,
        }
    }
}
