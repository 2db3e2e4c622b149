//! Closes connections that keep the server waiting, or are too many.
//!
//! Rocket waits for ever for a request to begin or to go on, accepts as many connections as there are
//! descriptors, and has no hook on its listener. So the process looks at its own sockets, once a second,
//! and at once when many descriptors are in use. Requests go through unchanged: fairings tell those that
//! are being answered, and `receive` those whose body is still on its way, from connections that wait.

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

/// The time between two looks at how many descriptors are in use. Within it, a flood must not use up the
/// quarter of them that `raise_fd_limit` leaves: 1,000 of 4,096.
const PROBE: Duration = Duration::from_millis(100);

/// After so many probes, the sockets are looked at in any case.
const PROBES: usize = 10;

/// How long a connection that was shut down may take to disappear.
const CLOSING: Duration = Duration::from_secs(1);

/// For so many bytes of an answer, a connection has a second more.
const SLOWEST_READER: usize = 8 * 1024;

/// The most that it has more. With `Limits::patience` of 30 s, it is enough for 4 MiB at 28 KiB/s.
const LONGEST_READING: Duration = Duration::from_secs(120);

/// Knows which connections have a request in progress, and closes others. A clone is the same.
#[derive(Clone)]
pub struct Connections(Arc<Watch>);

struct Watch {
    limits: Limits,
    // Each request comes here twice, so there is a lock for each of several parts, by client's port.
    known: [Mutex<HashMap<SocketAddr, State>>; 16],
}

#[derive(Clone, Copy)]
enum State {
    /// A request is complete, and is being answered.
    Busy,
    /// The body of a request has been on its way since then.
    Receiving(Instant),
    /// There has been no request since then.
    Waiting(Instant),
}

impl Connections {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Watch { limits, known: Default::default() }))
    }

    /// A client with an answer that has no end must take some of it within this time, and then once
    /// more.
    pub fn expect(&self, client: Option<SocketAddr>, within: Duration) {
        self.0.note(client, State::Waiting(Instant::now() + within));
    }

    /// Reads a body that `client` sends, and fails when that takes longer than `Limits::patience`. Until
    /// the body is complete, the connection counts as waiting.
    pub async fn receive<T>(
        &self,
        client: Option<SocketAddr>,
        reading: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        self.0.note(client, State::Receiving(Instant::now()));
        let received = timeout(self.0.limits.patience, reading).await;
        self.0.note(client, State::Busy);
        received?
    }

    /// Waits until the connection of a client whose request is in progress is closed, and somewhat longer.
    pub async fn closed(&self, client: Option<SocketAddr>) {
        let Some(client) = client else { return pending().await };
        while self.0.part(client).contains_key(&client) {
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
        let (watch, port) = (Arc::clone(&self.0), rocket.config().port);
        sockets::raise_backlog(port);
        // Opened before there are connections: later there might be no descriptor left for it.
        match Descriptors::open() {
            Ok(descriptors) => drop(tokio::spawn(watch.close_for_ever(descriptors, port))),
            Err(e) => tracing::error!("slow connections will not be closed: {e}"),
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.note(request.remote(), State::Busy);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // An answer of unknown length goes on until its reader leaves.
        if let Some(size) = response.body().preset_size() {
            self.0.note(request.remote(), State::Waiting(Instant::now() + time_to_read(size)));
        }
    }
}

/// How much longer than others a connection may wait on which an answer of `size` bytes is on its way.
fn time_to_read(size: usize) -> Duration {
    Duration::from_secs((size / SLOWEST_READER) as u64).min(LONGEST_READING)
}

impl Watch {
    fn part(&self, client: SocketAddr) -> MutexGuard<'_, HashMap<SocketAddr, State>> {
        let part = usize::from(client.port()) % self.known.len();
        self.known[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, client: Option<SocketAddr>, state: State) {
        if let Some(client) = client {
            self.part(client).insert(client, state);
        }
    }

    async fn close_for_ever(self: Arc<Self>, mut descriptors: Descriptors, port: u16) {
        let many = self.limits.most.saturating_add(OTHER_DESCRIPTORS);
        let mut closing = HashMap::new();
        loop {
            for _ in 0..PROBES {
                sleep(PROBE).await;
                if descriptors.are_more_than(many) {
                    break;
                }
            }
            self.sweep(&mut closing, Instant::now(), || descriptors.connections(port));
        }
    }

    /// Closes what is to be closed. `closing` holds when each of those before was shut down.
    fn sweep(
        &self,
        closing: &mut HashMap<SocketAddr, Instant>,
        now: Instant,
        list_open: impl FnOnce() -> HashMap<SocketAddr, RawFd>,
    ) {
        // In this order: one that comes in between is forgotten by nobody.
        let known = self.known_clients();
        let mut open = list_open();
        for client in known.iter().filter(|client| !open.contains_key(client)) {
            self.part(*client).remove(client);
        }
        // They count no more, or others would be closed in their place. They are forgotten soon, because a
        // client may use its port again, and the new connection counts.
        closing.retain(|_, since| *since + CLOSING > now);
        open.retain(|client, _| !closing.contains_key(client));
        let states: Vec<_> =
            open.keys().map(|client| (*client, self.state(*client, now))).collect();
        let close = self.limits.connections_to_close(&states, now);
        for (client, descriptor) in close.iter().filter_map(|client| open.get_key_value(client)) {
            // If the connection has ended meanwhile, its descriptor may be that of another client.
            if sockets::client(*descriptor) == Some(*client) {
                let _ = shutdown(*descriptor, Shutdown::Both);
            }
        }
        closing.extend(close.into_iter().map(|client| (client, now)));
    }

    fn known_clients(&self) -> Vec<SocketAddr> {
        let parts =
            self.known.iter().map(|part| part.lock().unwrap_or_else(PoisonError::into_inner));
        parts.flat_map(|part| part.keys().copied().collect::<Vec<_>>()).collect()
    }

    /// The state of an open connection. A new one waits from now on.
    fn state(&self, client: SocketAddr, now: Instant) -> State {
        *self.part(client).entry(client).or_insert(State::Waiting(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::TrustedProxy;

    /// One connection that is always open, for a server that may have none.
    #[test]
    fn a_port_that_is_used_again_counts_again() {
        let proxy = TrustedProxy::new(None);
        let limits =
            Limits { patience: Duration::from_secs(30), most: 0, most_per_address: 1, proxy };
        let Connections(watch) = Connections::new(limits);
        let client: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let (mut closing, began) = (HashMap::new(), Instant::now());
        let mut closed_at = |after: Duration| {
            // No descriptor has this number.
            watch.sweep(&mut closing, began + after, || HashMap::from([(client, RawFd::MAX)]));
            closing[&client] - began
        };
        assert_eq!(closed_at(Duration::ZERO), Duration::ZERO);
        assert_eq!(closed_at(PROBE), Duration::ZERO, "it is closing already");
        assert_eq!(closed_at(2 * CLOSING), 2 * CLOSING);
    }

    #[test]
    fn the_time_to_read_an_answer_is_bounded() {
        assert_eq!(time_to_read(15), Duration::ZERO);
        assert_eq!(time_to_read(80 * 1024), Duration::from_secs(10));
        assert_eq!(time_to_read(257 << 20), LONGEST_READING);
        assert_eq!(time_to_read(usize::MAX), LONGEST_READING);
    }
}
