//! Closes connections that exceed a timeout or a limit.
//!
//! Rocket has no timeout for a request's head or body, accepts as many connections as there are
//! descriptors, and has no hook on its listener. The process therefore inspects its own sockets
//! once a second, and within 100 ms when many descriptors are in use. Requests pass unchanged:
//! fairings mark the connections whose request is being answered, and `receive` those whose body is
//! being read. All others are waiting.

mod limits;
mod sockets;

use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use rocket::fairing::{Fairing, Info, Kind};
use rocket::tokio::time::{sleep, timeout};
use rocket::{Data, Orbit, Request, Response, Rocket, async_trait, tokio};

use self::sockets::{Descriptors, OTHER_DESCRIPTORS};

pub use self::limits::Limits;
pub use self::sockets::{raise_fd_limit, stop_listening};

/// The time between two checks of how many descriptors are in use. A flood must not use up, within
/// this time, the quarter of them that `raise_fd_limit` leaves free: 1,000 of 4,096.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// The number of checks after which the sockets are inspected in any case.
const PROBES_PER_SWEEP: usize = 10;

/// The time that a connection may take to disappear after it was shut down.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// The pace at which a client must read: it has one second more for this many bytes of a response.
const MIN_READ_BYTES_PER_SECOND: usize = 8 * 1024;

/// The longest time to read a response, added to `Limits::request_timeout`. With its default of
/// 30 s, that is 150 s in all: enough for 4 MiB at 28 KiB/s.
const MAX_READ_TIME: Duration = Duration::from_secs(120);

/// Tracks which connections have a request in progress, and closes others. Clones share the state.
#[derive(Clone)]
pub struct Connections(Arc<Tracker>);

struct Tracker {
    limits: Limits,
    // Sixteen locks, chosen by the client's port, because each request takes one twice.
    states: [Mutex<HashMap<SocketAddr, State>>; 16],
}

#[derive(Clone, Copy)]
enum State {
    /// The server is answering a complete request.
    Busy,
    /// The server has been reading the body of a request since then.
    Receiving(Instant),
    /// The server has been waiting for a request since then.
    Waiting(Instant),
}

impl Connections {
    /// Creates a fairing without any connection.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Tracker { limits, states: Default::default() }))
    }

    /// Closes the connection of `client` unless it reads a part of an endless response within
    /// `within` plus `Limits::request_timeout`.
    pub fn expect_read(&self, client: Option<SocketAddr>, within: Duration) {
        self.0.set_state(client, State::Waiting(Instant::now() + within));
    }

    /// Awaits `reading`, which reads a body that `client` sends. The connection counts as waiting
    /// until the body is complete.
    ///
    /// # Errors
    /// Returns the error of `reading`, or `TimedOut` after `Limits::request_timeout`.
    pub async fn receive<T>(
        &self,
        client: Option<SocketAddr>,
        reading: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        self.0.set_state(client, State::Receiving(Instant::now()));
        let received = timeout(self.0.limits.request_timeout, reading).await;
        self.0.set_state(client, State::Busy);
        received?
    }

    /// Waits until the connection of a client with a request in progress is closed. Returns up to
    /// two seconds later.
    pub async fn closed(&self, client: Option<SocketAddr>) {
        let Some(client) = client else { return pending().await };
        while self.0.shard(client).contains_key(&client) {
            sleep(Duration::from_secs(1)).await;
        }
    }
}

#[async_trait]
impl Fairing for Connections {
    fn info(&self) -> Info {
        Info { name: "connections", kind: Kind::Liftoff | Kind::Request | Kind::Response }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let (tracker, port) = (Arc::clone(&self.0), rocket.config().port);
        sockets::raise_backlog(port);
        // Opened before there are connections: later no descriptor may be left for it.
        match Descriptors::open() {
            Ok(descriptors) => drop(tokio::spawn(tracker.sweep_periodically(descriptors, port))),
            Err(e) => tracing::error!(
                "cannot list open descriptors: {e}. Slow connections stay open; mount /dev/fd"
            ),
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.set_state(request.remote(), State::Busy);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // A response of unknown length lasts until its reader disconnects.
        if let Some(size) = response.body().preset_size() {
            self.0.set_state(request.remote(), State::Waiting(Instant::now() + time_to_read(size)));
        }
    }
}

/// Returns the time to read a response of `size` bytes, which is added to `Limits::request_timeout`.
fn time_to_read(size: usize) -> Duration {
    Duration::from_secs((size / MIN_READ_BYTES_PER_SECOND) as u64).min(MAX_READ_TIME)
}

impl Tracker {
    fn shard(&self, client: SocketAddr) -> MutexGuard<'_, HashMap<SocketAddr, State>> {
        let shard = usize::from(client.port()) % self.states.len();
        self.states[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, client: Option<SocketAddr>, state: State) {
        if let Some(client) = client {
            self.shard(client).insert(client, state);
        }
    }

    async fn sweep_periodically(self: Arc<Self>, mut descriptors: Descriptors, port: u16) {
        let max_descriptors = self.limits.max_connections.saturating_add(OTHER_DESCRIPTORS);
        let mut closing = HashMap::new();
        loop {
            for _ in 0..PROBES_PER_SWEEP {
                sleep(PROBE_INTERVAL).await;
                if descriptors.are_more_than(max_descriptors) {
                    break;
                }
            }
            self.sweep(&mut closing, Instant::now(), || descriptors.connections(port));
        }
    }

    /// Shuts down the connections to close. `closing` holds the time at which each earlier one was
    /// shut down.
    fn sweep(
        &self,
        closing: &mut HashMap<SocketAddr, Instant>,
        now: Instant,
        list_open: impl FnOnce() -> HashMap<SocketAddr, RawFd>,
    ) {
        // In this order, so that a connection that is accepted in between keeps its state.
        let tracked = self.tracked_clients();
        let mut open = list_open();
        for client in tracked.iter().filter(|client| !open.contains_key(client)) {
            self.shard(*client).remove(client);
        }
        // Closing connections do not count, or others would be closed in their place. They are
        // removed after a second, because a client may use its port for a new connection.
        closing.retain(|_, since| *since + CLOSING_TIME > now);
        open.retain(|client, _| !closing.contains_key(client));
        let states: Vec<_> =
            open.keys().map(|client| (*client, self.state(*client, now))).collect();
        let to_close = self.limits.connections_to_close(&states, now);
        for (client, descriptor) in to_close.iter().filter_map(|client| open.get_key_value(client))
        {
            // If the connection has ended meanwhile, its descriptor may belong to another client.
            if sockets::client(*descriptor) == Some(*client) {
                let _ = shutdown(*descriptor, Shutdown::Both);
            }
        }
        closing.extend(to_close.into_iter().map(|client| (client, now)));
    }

    fn tracked_clients(&self) -> Vec<SocketAddr> {
        let shards =
            self.states.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner));
        shards.flat_map(|shard| shard.keys().copied().collect::<Vec<_>>()).collect()
    }

    /// Returns the state of an open connection. A new one has been waiting since `now`.
    fn state(&self, client: SocketAddr, now: Instant) -> State {
        *self.shard(client).entry(client).or_insert(State::Waiting(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::TrustedProxy;

    /// The server allows no connection, and one is always open.
    #[test]
    fn a_new_connection_on_a_used_port_counts() {
        let proxy = TrustedProxy::new(None);
        let limits = Limits {
            request_timeout: Duration::from_secs(30),
            max_connections: 0,
            max_connections_per_address: 1,
            proxy,
        };
        let Connections(tracker) = Connections::new(limits);
        let client: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let (mut closing, began) = (HashMap::new(), Instant::now());
        let mut closed_at = |after: Duration| {
            // No descriptor has this number.
            tracker.sweep(&mut closing, began + after, || HashMap::from([(client, RawFd::MAX)]));
            closing[&client] - began
        };
        assert_eq!(closed_at(Duration::ZERO), Duration::ZERO);
        assert_eq!(closed_at(PROBE_INTERVAL), Duration::ZERO, "it is closing already");
        assert_eq!(closed_at(2 * CLOSING_TIME), 2 * CLOSING_TIME);
    }

    #[test]
    fn the_time_to_read_an_answer_is_bounded() {
        assert_eq!(time_to_read(15), Duration::ZERO);
        assert_eq!(time_to_read(80 * 1024), Duration::from_secs(10));
        assert_eq!(time_to_read(257 << 20), MAX_READ_TIME);
        assert_eq!(time_to_read(usize::MAX), MAX_READ_TIME);
    }
}
