//! Client addresses, as the limits count them.

use std::net::{IpAddr, Ipv6Addr};

/// Returns the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address.
///
/// Each IPv6 subscriber has at least a /64 (RFC 6177), and may use any address in it.
///
/// ```
/// use bottle::model::network::network;
///
/// let [one, other] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
/// assert_eq!(network(one), network(other));
/// ```
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

/// The proxy that is believed when it names a client's address in the header that Rocket's `ip_header`
/// names. Anyone may send that header: from all other addresses it is ignored.
///
/// ```
/// use bottle::model::network::TrustedProxy;
///
/// let proxy = TrustedProxy::new("127.0.0.1".parse().ok());
/// assert!(proxy.is_at("::ffff:127.0.0.1".parse().unwrap()));
/// assert!(!proxy.is_at("192.0.2.1".parse().unwrap()));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TrustedProxy(Option<IpAddr>);

impl TrustedProxy {
    /// The proxy that connects from `address`, or none.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| address.to_canonical()))
    }

    /// Whether a connection from `address` is the proxy's.
    pub fn is_at(&self, address: IpAddr) -> bool {
        self.0 == Some(address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv4_address_is_one_client() {
        assert_eq!(network(ip("192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_ne!(network(ip("192.0.2.1")), network(ip("192.0.2.2")));
    }

    #[test]
    fn a_64_of_ipv6_is_one_client() {
        assert_eq!(network(ip("2001:db8::1")), network(ip("2001:db8::ffff:2")));
        assert_ne!(network(ip("2001:db8::1")), network(ip("2001:db8:0:1::1")));
    }

    #[test]
    fn the_proxy_is_known_in_either_notation() {
        for named in ["127.0.0.1", "::ffff:127.0.0.1"] {
            let proxy = TrustedProxy::new(Some(ip(named)));
            assert!(proxy.is_at(ip("127.0.0.1")) && proxy.is_at(ip("::ffff:127.0.0.1")));
            assert!(!proxy.is_at(ip("127.0.0.2")));
        }
        // Of IPv6, its own address alone.
        let proxy = TrustedProxy::new(Some(ip("2001:db8::1")));
        assert!(proxy.is_at(ip("2001:db8::1")) && !proxy.is_at(ip("2001:db8::2")));
        assert!(!TrustedProxy::new(None).is_at(ip("127.0.0.1")));
    }
}
