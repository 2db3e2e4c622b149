//! Addresses: of clients, for rate limits and limits on connections, and of the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Returns true if a connection to `address` leaves for the internet: if the registries of IANA for
/// special-purpose addresses (RFC 6890) list it as globally reachable.
///
/// An IPv6 address in which a gateway finds an IPv4 address (RFC 6052) counts as that one. The forms
/// that name an IPv4 address to this machine itself (`::ffff:192.0.2.1`, 6to4, Teredo) do not count.
///
/// ```
/// use bottle::model::network::is_public;
///
/// assert!(is_public("1.1.1.1".parse().unwrap()));
/// assert!(!is_public("192.168.1.5".parse().unwrap()));
/// ```
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!(
            (a, b, c),
            // "This network"; shared by a provider's customers (RFC 6598); protocol assignments;
            // 6to4 relays; benchmarks.
            (0, ..) | (100, 64..128, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..20, _)
        )
        // Multicast, reserved and broadcast.
        || a >= 224;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocol assignments, with Teredo; documentation; 6to4.
        [0x2001, 0..0x200 | 0xdb8, ..] | [0x2002 | 0x3fff, ..] => false,
        // The unicast addresses of the internet are assigned from this block alone.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The reverse proxy whose header (Rocket's `ip_header`) names the client's address. From other
/// addresses the header is ignored, because any client can send it.
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
    /// Creates the proxy that connects from `address`; `None` trusts no address.
    pub fn new(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| address.to_canonical()))
    }

    /// Returns true if a connection from `address` is the proxy's.
    pub fn is_at(&self, address: IpAddr) -> bool {
        self.0 == Some(address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

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
        // An IPv6 proxy is its own address alone, not its /64.
        let proxy = TrustedProxy::new(Some(ip("2001:db8::1")));
        assert!(proxy.is_at(ip("2001:db8::1")) && !proxy.is_at(ip("2001:db8::2")));
        assert!(!TrustedProxy::new(None).is_at(ip("127.0.0.1")));
    }

    #[rstest]
    fn an_address_of_the_internet_is_public(
        #[values(
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "169.253.1.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.1.1",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00::1",
            "64:ff9b::101:101"
        )]
        address: &str,
    ) {
        assert!(is_public(ip(address)));
    }

    #[rstest]
    #[case::this_network("0.0.0.0", "0.255.255.255")]
    #[case::private_10("10.0.0.0", "10.255.255.255")]
    #[case::provider("100.64.0.0", "100.127.255.255")]
    #[case::loopback("127.0.0.1", "127.255.255.255")]
    #[case::link_local("169.254.0.0", "169.254.169.254")]
    #[case::private_172("172.16.0.0", "172.31.255.255")]
    #[case::protocols("192.0.0.1", "192.0.0.255")]
    #[case::documentation("192.0.2.1", "203.0.113.1")]
    #[case::relays("192.88.99.0", "192.88.99.255")]
    #[case::private_192("192.168.0.0", "192.168.255.255")]
    #[case::benchmarks("198.18.0.0", "198.19.255.255")]
    #[case::multicast("224.0.0.1", "239.255.255.255")]
    #[case::reserved("240.0.0.1", "255.255.255.255")]
    #[case::unspecified_v6("::", "::")]
    #[case::loopback_v6("::1", "::1")]
    #[case::compatible("::8.8.8.8", "::127.0.0.1")]
    #[case::mapped("::ffff:127.0.0.1", "::ffff:8.8.8.8")]
    #[case::translated("64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1")]
    #[case::translated_locally("64:ff9b:1::1", "64:ff9b:1:ffff::8.8.8.8")]
    #[case::discard("100::1", "100::ffff")]
    #[case::teredo("2001::1", "2001:1ff:ffff::")]
    #[case::documentation_v6("2001:db8::1", "3fff::1")]
    #[case::six_to_four("2002:7f00:1::", "2002:808:808::")]
    #[case::unique_local("fc00::1", "fdff:ffff::1")]
    #[case::link_local_v6("fe80::1", "febf::1")]
    #[case::site_local("fec0::1", "feff::1")]
    #[case::multicast_v6("ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    fn any_other_address_is_not_public(#[case] first: &str, #[case] other: &str) {
        assert!(!is_public(ip(first)), "{first}");
        assert!(!is_public(ip(other)), "{other}");
    }
}
