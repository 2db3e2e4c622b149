//! Connections that keep the server waiting, or are too many, are closed.
//!
//! Rocket waits for ever for a request to begin or to go on, and takes as many connections as there
//! are descriptors. So, once a second, the process looks at its own sockets. One without a request in
//! progress is shut down after a time, whatever trickles in; where there are too many, those that have
//! waited longest go first. The bytes go their way as before, at the same pace: a fairing alone tells
//! requests in progress from waiting. (Bodies have a deadline where they are read.)

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, SockaddrStorage, getpeername, getsockname, shutdown};
use rocket::fairing::{Fairing, Info, Kind};
use rocket::tokio::time::sleep;
use rocket::{Data, Orbit, Request, Response, Rocket, async_trait, tokio};
use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ROUND: Duration = Duration::from_secs(1);

/// For so many bytes of an answer, a connection has a second more.
const SLOWEST_READER: usize = 8 * 1024;

/// What a client may keep the server waiting for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a connection may be open without a request.
    pub patience: Duration,
    /// How many may be open.
    pub most: usize,
    /// How many of them from one address.
    pub most_per_address: usize,
    /// From whose address there may be as many as there may be at all.
    pub proxy: Option<IpAddr>,
}

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
    /// A request is in progress.
    Busy,
    /// None is, since then.
    Waiting(Instant),
}

/// Descriptors that are left to files, pipes and what else a program has.
const OTHER_DESCRIPTORS: u64 = 40;

/// Takes as many descriptors as this process may have, which is often more than it begins with.
/// How many connections that allows.
pub fn raise_fd_limit() -> usize {
    let limits = getrlimit(Resource::Nofile);
    if let Err(e) = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }) {
        tracing::warn!("no more than {:?} descriptors: {e}", limits.current);
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors.saturating_sub(OTHER_DESCRIPTORS).max(1)).unwrap_or(usize::MAX)
}

impl Connections {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Watch { limits, known: Default::default() }))
    }

    /// A client with an answer that has no end must take some of it within this time, and then once
    /// more.
    pub fn expect(&self, client: Option<SocketAddr>, within: Duration) {
        if let Some(client) = client {
            self.0.part(client).insert(client, State::Waiting(Instant::now() + within));
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
        // Opened before there are connections: later there might be no descriptor left for it.
        let mut descriptors = match own_descriptors() {
            Ok(descriptors) => descriptors,
            Err(e) => return tracing::error!("slow connections will not be closed: {e}"),
        };
        tokio::spawn(async move {
            loop {
                sleep(ROUND).await;
                watch.sweep(|| sockets(&mut descriptors, port));
            }
        });
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.note(request, State::Busy);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // An answer of unknown length goes on until its reader leaves.
        if let Some(size) = response.body().preset_size() {
            let on_its_way = Duration::from_secs((size / SLOWEST_READER) as u64);
            self.0.note(request, State::Waiting(Instant::now() + on_its_way));
        }
    }
}

impl Watch {
    fn part(&self, client: SocketAddr) -> MutexGuard<'_, HashMap<SocketAddr, State>> {
        let part = usize::from(client.port()) % self.known.len();
        self.known[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &Request<'_>, state: State) {
        if let Some(client) = request.remote() {
            self.part(client).insert(client, state);
        }
    }

    fn sweep(&self, list_open: impl FnOnce() -> HashMap<SocketAddr, RawFd>) {
        // In this order: one that comes in between is forgotten by nobody.
        let known = self.known_clients();
        let open = list_open();
        for client in known.iter().filter(|client| !open.contains_key(client)) {
            self.part(*client).remove(client);
        }
        let close = self.to_close(&open, Instant::now());
        for descriptor in close.iter().filter_map(|client| open.get(client)) {
            // It may have gone by itself meanwhile.
            let _ = shutdown(*descriptor, Shutdown::Both);
        }
    }

    fn known_clients(&self) -> Vec<SocketAddr> {
        let parts =
            self.known.iter().map(|part| part.lock().unwrap_or_else(PoisonError::into_inner));
        parts.flat_map(|part| part.keys().copied().collect::<Vec<_>>()).collect()
    }

    /// The open connections that have waited too long, or longest where there are too many.
    fn to_close(&self, open: &HashMap<SocketAddr, RawFd>, now: Instant) -> Vec<SocketAddr> {
        let mut waiting: Vec<(Instant, SocketAddr)> = open
            .keys()
            .filter_map(|client| {
                match self.part(*client).entry(*client).or_insert(State::Waiting(now)) {
                    State::Busy => None,
                    State::Waiting(since) => Some((*since, *client)),
                }
            })
            .collect();
        waiting.sort_unstable();

        let mut all = open.len();
        let mut from: HashMap<IpAddr, usize> = HashMap::new();
        for client in open.keys() {
            *from.entry(client.ip()).or_default() += 1;
        }
        let closing = waiting.into_iter().filter(|(since, client)| {
            let from = from.entry(client.ip()).or_default();
            let close = *since + self.limits.patience <= now
                || all > self.limits.most
                || (*from > self.limits.most_per_address
                    && Some(client.ip().to_canonical()) != self.limits.proxy);
            if close {
                all -= 1;
                *from -= 1;
            }
            close
        });
        closing.map(|(_, client)| client).collect()
    }
}

/// Lets no new client in. Who is in stays.
pub fn stop_listening(port: u16) {
    let Ok(mut descriptors) = own_descriptors() else { return };
    let sockets = descriptors_at(&mut descriptors, port);
    for (listening, _) in sockets.filter(|(_, client)| client.is_none()) {
        // Where that is not possible, they are told when Rocket ends.
        let _ = shutdown(listening, Shutdown::Read);
    }
}

/// This process's connections with clients of the server at `port`.
fn sockets(descriptors: &mut Dir, port: u16) -> HashMap<SocketAddr, RawFd> {
    descriptors_at(descriptors, port)
        .filter_map(|(descriptor, client)| Some((client?, descriptor)))
        .collect()
}

/// This process's sockets at `port`, and the client at their other end, if there is one.
fn descriptors_at(
    descriptors: &mut Dir,
    port: u16,
) -> impl Iterator<Item = (RawFd, Option<SocketAddr>)> {
    descriptors.rewind();
    let numbers =
        descriptors.filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok());
    numbers.filter_map(move |descriptor: RawFd| {
        let here = address(&getsockname(descriptor).ok()?)?;
        let client = getpeername(descriptor).ok().and_then(|client| address(&client));
        (here.port() == port).then_some((descriptor, client))
    })
}

fn own_descriptors() -> rustix::io::Result<Dir> {
    open("/dev/fd", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).and_then(Dir::new)
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| of.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
