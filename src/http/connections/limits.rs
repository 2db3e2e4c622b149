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
    pub patience: Duration,
    /// The number of connections that may be open.
    pub most: usize,
    /// The number of connections from one address, or from one /64 of IPv6.
    pub most_per_address: usize,
    /// The proxy whose address is exempt from `most_per_address`.
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
        let mut left = open.len();
        let mut left_from: HashMap<IpAddr, usize> = HashMap::new();
        for (client, _) in open {
            *left_from.entry(network(client.ip())).or_default() += 1;
        }
        let mut waiting: Vec<_> = open.iter().filter_map(|one| self.waiting(one, now)).collect();
        waiting.sort_unstable_by_key(|waiting| (waiting.since, waiting.client));

        let mut closing = Vec::new();
        // The limit per address applies first, so that many connections from one address cost no
        // other address a connection.
        waiting.retain(|&Waiting { client, is_late, .. }| {
            let from = left_from.entry(network(client.ip())).or_default();
            let are_too_many = *from > self.most_per_address && !self.proxy.is_at(client.ip());
            if is_late || are_too_many {
                left -= 1;
                *from -= 1;
                closing.push(client);
            }
            !(is_late || are_too_many)
        });
        let surplus = left.saturating_sub(self.most);
        closing.extend(waiting.into_iter().take(surplus).map(|waiting| waiting.client));
        closing
    }

    fn waiting(&self, (client, state): &(SocketAddr, State), now: Instant) -> Option<Waiting> {
        let (since, is_late) = match *state {
            State::Busy => return None,
            // `Connections::receive` applies the same timeout, and the client gets a response.
            State::Receiving(since) => (since, false),
            State::Waiting(since) => (since, since + self.patience <= now),
        };
        Some(Waiting { since, client: *client, is_late })
    }
}

/// A connection on which the server waits for its client.
struct Waiting {
    since: Instant,
    client: SocketAddr,
    is_late: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            patience: Duration::from_secs(30),
            most: 100,
            most_per_address: 2,
            proxy: TrustedProxy::new(None),
        }
    }

    type Is = fn(Instant) -> State;

    const BUSY: Is = |_| State::Busy;

    /// Returns the connections that are closed after 20 seconds, if the nth of `open` has had its
    /// state since the nth second.
    fn closed(limits: Limits, open: &[(&str, Is)]) -> Vec<String> {
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
    fn of_one_address_the_longest_waiting_are_closed() {
        let open: [(&str, Is); 5] = [
            ("192.0.2.1:1", BUSY),
            ("192.0.2.1:2", State::Receiving),
            ("192.0.2.1:3", State::Waiting),
            ("192.0.2.1:4", State::Receiving),
            ("192.0.2.2:1", State::Waiting),
        ];
        assert_eq!(closed(limits(), &open), ["192.0.2.1:2", "192.0.2.1:3"]);
    }

    #[test]
    fn what_is_being_answered_stays() {
        let open: [(&str, Is); 3] =
            [("192.0.2.1:1", BUSY), ("192.0.2.1:2", BUSY), ("192.0.2.1:3", BUSY)];
        assert!(closed(Limits { most: 1, ..limits() }, &open).is_empty());
    }

    #[test]
    fn a_64_of_ipv6_is_one_address() {
        let open: [(&str, Is); 5] = [
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
        let open: [(&str, Is); 3] = [
            ("192.0.2.1:1", State::Waiting),
            ("[::ffff:192.0.2.1]:2", State::Waiting),
            ("192.0.2.1:3", State::Waiting),
        ];
        assert_eq!(closed(limits(), &open), ["192.0.2.1:1"]);
        let proxy = TrustedProxy::new("::ffff:192.0.2.1".parse().ok());
        assert!(closed(Limits { proxy, ..limits() }, &open).is_empty());
    }

    #[test]
    fn a_crowd_costs_nobody_else_a_connection() {
        let open: [(&str, Is); 5] = [
            ("192.0.2.2:1", State::Waiting),
            ("192.0.2.1:1", State::Waiting),
            ("192.0.2.1:2", State::Waiting),
            ("192.0.2.1:3", State::Waiting),
            ("192.0.2.1:4", State::Waiting),
        ];
        let of_three = Limits { most: 3, ..limits() };
        assert_eq!(closed(of_three, &open), ["192.0.2.1:1", "192.0.2.1:2"]);
        // The total limit also closes those that have waited longest.
        let of_two = Limits { most: 2, ..limits() };
        assert_eq!(closed(of_two, &open), ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"]);
    }

    #[test]
    fn who_waits_too_long_is_closed() {
        let open: [(&str, Is); 3] = [
            ("192.0.2.1:1", State::Waiting),
            ("192.0.2.2:1", State::Receiving),
            ("192.0.2.3:1", BUSY),
        ];
        let impatient = Limits { patience: Duration::from_secs(20), ..limits() };
        assert_eq!(closed(impatient, &open), ["192.0.2.1:1"]);
    }
}
