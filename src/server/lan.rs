//! Others on the network come in: at which addresses, and how a phone finds them.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use qrcode::QrCode;
use qrcode::render::{svg, unicode};
use rocket::Config;

use crate::api::bottle::{JoinInfo, SharedJoinInfo};

/// The name that this machine answers to on the network, where mDNS is built in.
pub const NAME: &str = "bottle.local";

/// Fills in `info`, prints it to the terminal, and announces [`NAME`], once the server listens.
pub fn open(info: &SharedJoinInfo, config: &Config, fingerprint: Option<String>) {
    let mut addresses = Vec::new();
    if !config.address.is_loopback() {
        let scheme = if config.tls_enabled() { "https" } else { "http" };
        let hosts = reached_at(config.address);
        let name = announce(&hosts, config.port).then(|| NAME.to_owned());
        let hosts = hosts.into_iter().map(host).chain(name);
        addresses = hosts.map(|host| format!("{scheme}://{host}:{}", config.port)).collect();
        tell(&addresses);
    }
    if let Some(fingerprint) = &fingerprint {
        println!(
            "Browsers will warn: nobody but this machine vouches for its certificate.\n\
             Before you go on, compare what they show with its SHA-256 fingerprint:\n\
             {fingerprint}"
        );
    }
    let qr_code = addresses.first().and_then(|first| svg_code(first));
    info.set(JoinInfo { addresses, fingerprint, qr_code });
}

/// An address as it stands in a URL.
fn host(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// This machine's addresses that others on its network reach, those of version 4 first.
pub fn addresses() -> Vec<IpAddr> {
    let interfaces = match getifaddrs() {
        Ok(interfaces) => interfaces,
        Err(e) => {
            tracing::warn!("this machine's addresses are not known: {e}");
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

/// Where others reach a server that listens at this address.
fn reached_at(listening: IpAddr) -> Vec<IpAddr> {
    if !listening.is_unspecified() {
        return vec![listening];
    }
    // All of version 6 take those of version 4 as well, and not the other way round.
    addresses().into_iter().filter(|one| listening.is_ipv6() || one.is_ipv4()).collect()
}

fn tell(addresses: &[String]) {
    let Some(first) = addresses.first() else {
        return println!("This machine is on no network: nobody else can come in.");
    };
    println!("\nOthers on this network come in at {}", addresses.join(" or "));
    if let Some(code) = text(first) {
        println!("{code}");
    }
    println!("To project: {first}/join");
}

/// A QR code for a terminal.
fn text(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    // Light on dark, as most terminals are.
    let mut render = code.render::<unicode::Dense1x2>();
    let (light, dark) = (unicode::Dense1x2::Light, unicode::Dense1x2::Dark);
    Some(render.dark_color(light).light_color(dark).build())
}

/// A QR code as an SVG picture.
fn svg_code(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    let mut render = code.render::<svg::Color<'_>>();
    Some(render.min_dimensions(240, 240).build())
}

/// Answers to [`NAME`] for as long as the program runs; whether it does.
#[cfg(feature = "mdns")]
fn announce(addresses: &[IpAddr], port: u16) -> bool {
    let announced = || {
        let daemon = mdns_sd::ServiceDaemon::new()?;
        let host = format!("{NAME}.");
        let service =
            mdns_sd::ServiceInfo::new("_http._tcp.local.", "Bottle", &host, addresses, port, None)?;
        daemon.register(service)
    };
    announced().map_err(|e| tracing::warn!("it does not answer to {NAME}: {e}")).is_ok()
}

#[cfg(not(feature = "mdns"))]
fn announce(_: &[IpAddr], _: u16) -> bool {
    false
}
