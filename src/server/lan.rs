//! Lets others on the local network join: addresses, QR code and mDNS name.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use qrcode::QrCode;
use qrcode::render::unicode;
use rocket::Config;

use crate::api::bottle::{JoinInfo, SharedJoinInfo};
use crate::http::qr_code;

/// The name of this machine on the network, if the feature `mdns` is on.
pub const NAME: &str = "bottle.local";

/// Fills in `info`, prints it to the terminal, and announces [`NAME`]. Call it once the server
/// listens.
///
/// Returns the first address.
pub fn publish_join_info(
    info: &SharedJoinInfo,
    config: &Config,
    fingerprint: Option<String>,
) -> Option<String> {
    let mut addresses = Vec::new();
    if !config.address.is_loopback() {
        let scheme = if config.tls_enabled() { "https" } else { "http" };
        let hosts = reachable_addresses(config.address);
        let name = announce(&hosts, config.port).then(|| NAME.to_owned());
        let hosts = hosts.into_iter().map(url_host).chain(name);
        addresses = hosts.map(|host| format!("{scheme}://{host}:{}", config.port)).collect();
        print_addresses(&addresses);
    }
    if let Some(fingerprint) = &fingerprint {
        println!(
            "Browsers will show a warning, because this machine signed its own certificate.\n\
             Compare the certificate's SHA-256 fingerprint in the browser with this one, then continue:\n\
             {fingerprint}"
        );
    }
    let qr_code = addresses.first().and_then(|first| qr_code(first));
    let first = addresses.first().cloned();
    info.set(JoinInfo { addresses, fingerprint, qr_code });
    first
}

/// Formats an address for a URL.
fn url_host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Returns the addresses under which others on the network reach this machine, IPv4 first.
pub fn addresses() -> Vec<IpAddr> {
    let interfaces = match getifaddrs() {
        Ok(interfaces) => interfaces,
        Err(e) => {
            tracing::warn!("cannot list this machine's network addresses: {e}");
            return Vec::new();
        }
    };
    let mut found: Vec<IpAddr> = interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
        })
        .filter(|address| match address {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
            IpAddr::V6(v6) => v6.is_unique_local(),
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the addresses under which others reach a server that listens on `listening`.
fn reachable_addresses(listening: IpAddr) -> Vec<IpAddr> {
    if !listening.is_unspecified() {
        return vec![listening];
    }
    // A socket on `::` accepts IPv4 as well; one on `0.0.0.0` does not accept IPv6.
    addresses().into_iter().filter(|one| listening.is_ipv6() || one.is_ipv4()).collect()
}

fn print_addresses(addresses: &[String]) {
    let Some(first) = addresses.first() else {
        return println!(
            "Nobody else can join: this machine has no network address. Connect it to a network, \
             and start Bottle again."
        );
    };
    println!("\nOthers on this network can join at {}", addresses.join(" or "));
    if let Some(code) = terminal_code(first) {
        println!("{code}");
    }
    println!("To project: {first}/join");
}

/// Renders `address` as a QR code for a terminal.
pub fn terminal_code(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    // Most terminals are light on dark.
    let mut render = code.render::<unicode::Dense1x2>();
    let (light, dark) = (unicode::Dense1x2::Light, unicode::Dense1x2::Dark);
    Some(render.dark_color(light).light_color(dark).build())
}

/// Announces [`NAME`] by mDNS for as long as the program runs, and returns whether that succeeded.
#[cfg(feature = "mdns")]
fn announce(addresses: &[IpAddr], port: u16) -> bool {
    let register = || {
        let daemon = mdns_sd::ServiceDaemon::new()?;
        let host = format!("{NAME}.");
        let service =
            mdns_sd::ServiceInfo::new("_http._tcp.local.", "Bottle", &host, addresses, port, None)?;
        daemon.register(service)
    };
    register().map_err(|e| tracing::warn!("cannot announce {NAME} by mDNS: {e}")).is_ok()
}

#[cfg(not(feature = "mdns"))]
fn announce(_: &[IpAddr], _: u16) -> bool {
    false
}
