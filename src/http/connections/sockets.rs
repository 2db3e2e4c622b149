//! Inspects the sockets of this process by its descriptors.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use nix::sys::socket::{Shutdown, SockaddrStorage, getpeername, getsockname, shutdown};
use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::listen;
use rustix::process::{
    PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, getpid, getrlimit, pidfd_getfd, pidfd_open,
    setrlimit,
};

/// The number of descriptors that are reserved for files and pipes.
pub(super) const OTHER_DESCRIPTORS: usize = 40;

/// Raises the limit on open descriptors to the hard limit, and returns the number of connections
/// that it allows.
///
/// A quarter of the descriptors stays free: the server must accept a connection before it can
/// choose which one to close.
pub fn raise_fd_limit() -> usize {
    let limits = getrlimit(Resource::Nofile);
    if let Err(e) = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits }) {
        tracing::warn!(
            "cannot raise the limit on open files above {:?}: {e}; see ulimit -n",
            limits.current
        );
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    (descriptors.saturating_sub(OTHER_DESCRIPTORS) / 4 * 3).max(1)
}

/// The open list of this process's descriptors.
pub(super) struct Descriptors(Dir);

impl Descriptors {
    /// Opens the list, which takes a descriptor itself.
    pub(super) fn open() -> rustix::io::Result<Self> {
        open("/dev/fd", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
            .and_then(Dir::new)
            .map(Self)
    }

    /// Returns whether more than `max` descriptors are in use. This takes two system calls, because
    /// POSIX assigns the lowest free descriptor.
    pub(super) fn are_more_than(&self, max: usize) -> bool {
        match self.0.fd().and_then(|list| fcntl_dupfd_cloexec(list, 0)) {
            Ok(lowest_free) => usize::try_from(lowest_free.as_raw_fd()).is_ok_and(|n| n > max),
            // No descriptor is left.
            Err(_) => true,
        }
    }

    /// Returns the connections of the server at `port`, by client.
    pub(super) fn connections(&mut self, port: u16) -> HashMap<SocketAddr, RawFd> {
        self.sockets_at(port)
            .filter_map(|(descriptor, client)| Some((client?, descriptor)))
            .collect()
    }

    /// Returns the sockets that listen at `port`.
    fn listening(&mut self, port: u16) -> impl Iterator<Item = RawFd> + use<'_> {
        self.sockets_at(port).filter_map(|(socket, client)| client.is_none().then_some(socket))
    }

    /// Returns the sockets at `port`, each with its client unless it listens.
    fn sockets_at(
        &mut self,
        port: u16,
    ) -> impl Iterator<Item = (RawFd, Option<SocketAddr>)> + use<'_> {
        self.0.rewind();
        let entries = self.0.by_ref();
        let numbers =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok());
        numbers.filter_map(move |descriptor: RawFd| {
            let local = address(&getsockname(descriptor).ok()?)?;
            (local.port() == port).then(|| (descriptor, client(descriptor)))
        })
    }
}

/// Shuts down the listening sockets at `port`. Open connections stay open.
pub fn stop_listening(port: u16) {
    let Ok(mut descriptors) = Descriptors::open() else { return };
    for listening in descriptors.listening(port) {
        // On failure, new clients are rejected only when Rocket shuts down.
        let _ = shutdown(listening, Shutdown::Read);
    }
}

/// Raises the backlog of the sockets that listen at `port` to the system's limit.
///
/// Rocket's is 128. When more clients connect at one time than the backlog holds, the kernel drops
/// their first packets, which they repeat after 1 s and more; or it sends SYN cookies, and resets a
/// client whose request has two packets, of which the first was dropped.
pub(super) fn raise_backlog(port: u16) {
    let raise = || -> rustix::io::Result<()> {
        let process = pidfd_open(getpid(), PidfdFlags::empty())?;
        for listening in Descriptors::open()?.listening(port) {
            let socket = pidfd_getfd(&process, listening, PidfdGetfdFlags::empty())?;
            listen(&socket, -1)?;
        }
        Ok(())
    };
    // Kernels before Linux 5.6 lack `pidfd_getfd`, and some containers forbid it.
    if let Err(e) = raise() {
        tracing::debug!("cannot raise the listen backlog: {e}");
    }
}

/// Returns the client at the other end of a connection.
pub(super) fn client(connection: RawFd) -> Option<SocketAddr> {
    getpeername(connection).ok().and_then(|client| address(&client))
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| of.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
