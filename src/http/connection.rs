//! The guard for handlers whose client may disconnect or stop reading.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::tokio::select;
use rocket::{Request, async_trait};

use crate::http::connections::Connections;
use crate::model::error::{Error, Result};

/// The connection of a request. Clones refer to the same connection.
#[derive(Clone)]
pub struct ClientConnection {
    /// `None` if the server has no [`Connections`] fairing.
    connections: Option<Connections>,
    client: Option<SocketAddr>,
}

#[async_trait]
impl<'r> FromRequest<'r> for ClientConnection {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let connections = request.rocket().state::<Connections>().cloned();
        Outcome::Success(Self { connections, client: request.remote() })
    }
}

impl ClientConnection {
    /// Awaits `read`, and drops it if the client disconnects first. Rocket itself would run it to
    /// its end.
    ///
    /// # Errors
    /// Returns [`Error::Unavailable`] if the client disconnects.
    pub async fn while_open<T>(&self, read: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(connections) = &self.connections else { return read.await };
        select! {
            biased;
            found = read => found,
            () = connections.closed(self.client) => Err(Error::Unavailable("the client disconnected".into())),
        }
    }

    /// Closes the connection unless the client reads a part of its response within `within` plus
    /// `request_timeout_seconds`.
    pub fn expect_read(&self, within: Duration) {
        if let Some(connections) = &self.connections {
            connections.expect_read(self.client, within);
        }
    }
}
