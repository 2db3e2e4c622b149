//! Chooses the connections to close among those that are open.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::State;
use crate::model::network::{TrustedProxy, network};

/// The limits on connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time that a connection may be open without a request, and that a body may take.
    pub request_timeout: Duration,
    /// The number of connections that may be open.
    pub max_connections: usize,
    /// The number of connections from one address, or from one /64 of IPv6.
    pub max_connections_per_address: usize,
    /// The proxy whose address is exempt from `max_connections_per_address`.
    pub proxy: TrustedProxy,
}

impl Limits {
    /// Returns the connections that exceed the timeout and, while there are too many, those that
    /// have waited longest. Never returns one whose request is being answered.
    pub(super) fn connections_to_close(
        &self,
        open: &[(SocketAddr, State)],
        now: Instant,
    ) -> Vec<SocketAddr> {
        let mut remaining = open.len();
        let mut remaining_by_address: HashMap<IpAddr, usize> = HashMap::new();
        for (client, _) in open {
            *remaining_by_address.entry(network(client.ip())).or_default() += 1;
        }
        let mut waiting: Vec<_> = open.iter().filter_map(|one| self.waiting(one, now)).collect();
        waiting.sort_unstable_by_key(|waiting| (waiting.since, waiting.client));

        let mut closing = Vec::new();
        // The limit per address applies first, so that many connections from one address cost no
        // other address a connection.
        waiting.retain(|&Waiting { client, is_timed_out, .. }| {
            let from = remaining_by_address.entry(network(client.ip())).or_default();
            let are_too_many =
                *from > self.max_connections_per_address && !self.proxy.is_at(client.ip());
            if is_timed_out || are_too_many {
                remaining -= 1;
                *from -= 1;
                closing.push(client);
            }
            !(is_timed_out || are_too_many)
        });
        let surplus = remaining.saturating_sub(self.max_connections);
        closing.extend(waiting.into_iter().take(surplus).map(|waiting| waiting.client));
        closing
    }

    fn waiting(&self, (client, state): &(SocketAddr, State), now: Instant) -> Option<Waiting> {
        let (since, is_timed_out) = match *state {
            State::Busy => return None,
            // `Connections::receive` applies the same timeout, and the client gets a response.
            State::Receiving(since) => (since, false),
            State::Waiting(since) => (since, since + self.request_timeout <= now),
        };
        Some(Waiting { since, client: *client, is_timed_out })
    }
}

/// A connection on which the server waits for its client.
struct Waiting {
    since: Instant,
    client: SocketAddr,
    is_timed_out: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            request_timeout: Duration::from_secs(30),
            max_connections: 100,
            max_connections_per_address: 2,
            proxy: TrustedProxy::new(None),
        }
    }

    type MakeState = fn(Instant) -> State;

    const BUSY: MakeState = |_| State::Busy;

    /// Returns the connections that are closed after 20 seconds, if the nth of `open` has had its
    /// state since the nth second.
    fn closed(limits: Limits, open: &[(&str, MakeState)]) -> Vec<String> {
        let began = Instant::now();
        let open: Vec<_> = (0..)
            .zip(open)
            .map(|(second, (client, is))| {
                (client.parse().unwrap(), is(began + Duration::from_secs(second)))
            })
            .collect();
        let closed = limits.connections_to_close(&open, began + Duration::from_secs(20));
        closed.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn the_longest_waiting_of_one_address_are_closed() {
        let open: [(&str, MakeState); 5] = [
            ("192.0.2.1:1", BUSY),
            ("192.0.2.1:2", State::Receiving),
            ("192.0.2.1:3", State::Waiting),
            ("192.0.2.1:4", State::Receiving),
            ("192.0.2.2:1", State::Waiting),
        ];
        assert_eq!(closed(limits(), &open), ["192.0.2.1:2", "192.0.2.1:3"]);
    }

    #[test]
    fn a_connection_with_a_request_in_progress_stays() {
        let open: [(&str, MakeState); 3] =
            [("192.0.2.1:1", BUSY), ("192.0.2.1:2", BUSY), ("192.0.2.1:3", BUSY)];
        assert!(closed(Limits { max_connections: 1, ..limits() }, &open).is_empty());
    }

    #[test]
    fn a_64_of_ipv6_is_one_address() {
        let open: [(&str, MakeState); 5] = [
            ("[2001:db8::1]:1", State::Waiting),
            ("[2001:db8::2]:1", State::Receiving),
            ("[2001:db8::3]:1", State::Waiting),
            ("[2001:db8:0:1::1]:1", State::Waiting),
            ("[2001:db8:0:1::2]:1", State::Waiting),
        ];
        assert_eq!(closed(limits(), &open), ["[2001:db8::1]:1"]);
    }

    #[test]
    fn ipv4_is_one_address_in_either_notation() {
        let open: [(&str, MakeState); 3] = [
            ("192.0.2.1:1", State::Waiting),
            ("[::ffff:192.0.2.1]:2", State::Waiting),
            ("192.0.2.1:3", State::Waiting),
        ];
        assert_eq!(closed(limits(), &open), ["192.0.2.1:1"]);
        let proxy = TrustedProxy::new("::ffff:192.0.2.1".parse().ok());
        assert!(closed(Limits { proxy, ..limits() }, &open).is_empty());
    }

    #[test]
    fn many_connections_of_one_address_close_none_of_another() {
        let open: [(&str, MakeState); 5] = [
            ("192.0.2.2:1", State::Waiting),
            ("192.0.2.1:1", State::Waiting),
            ("192.0.2.1:2", State::Waiting),
            ("192.0.2.1:3", State::Waiting),
            ("192.0.2.1:4", State::Waiting),
        ];
        let at_most_three = Limits { max_connections: 3, ..limits() };
        assert_eq!(closed(at_most_three, &open), ["192.0.2.1:1", "192.0.2.1:2"]);
        // The total limit also closes those that have waited longest.
        let at_most_two = Limits { max_connections: 2, ..limits() };
        assert_eq!(closed(at_most_two, &open), ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"]);
    }

    #[test]
    fn a_connection_that_exceeds_the_timeout_is_closed() {
        let open: [(&str, MakeState); 3] = [
            ("192.0.2.1:1", State::Waiting),
            ("192.0.2.2:1", State::Receiving),
            ("192.0.2.3:1", BUSY),
        ];
        let with_timeout = Limits { request_timeout: Duration::from_secs(20), ..limits() };
        assert_eq!(closed(with_timeout, &open), ["192.0.2.1:1"]);
    }
}
