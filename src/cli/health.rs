//! `bottle health`: queries the server on this machine, for containers without an HTTP client.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use bottle::server::config;
use rocket::Config;

use super::terminal;

pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest response that is read: another program may answer at the address.
const MAX_RESPONSE_BYTES: u64 = 16 * 1024;

/// Queries the server at the address in the settings, and prints its state.
///
/// # Errors
/// Returns a message if the server does not answer within 5 seconds, or is not ready.
pub(super) fn run() -> Result<(), String> {
    let config = Config::try_from(config::figment()).map_err(super::invalid_settings)?;
    let host: IpAddr = match config.address {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    let address = SocketAddr::new(host, config.port);
    let failed = |e| format!("the server at {address} does not answer: {e}");
    let stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(failed)?;
    // Over TLS, the certificate is unknown: a connection is all that can be checked.
    if config.tls_enabled() {
        terminal::print(format_args!("{address} listens"));
        return Ok(());
    }
    let response = fetch_readiness(stream).map_err(failed)?;
    let body = body_of(&response);
    match response.split(' ').nth(1) {
        Some("200") => {
            terminal::print(format_args!("{address}: {body}"));
            Ok(())
        }
        _ => Err(format!("the server at {address} is not ready: {body}")),
    }
}

/// Returns the body of a response of `fetch_readiness`.
pub(super) fn body_of(response: &str) -> &str {
    response.split("\r\n\r\n").nth(1).unwrap_or_default().trim()
}

/// Asks the server at the other end whether it is ready.
pub(super) fn fetch_readiness(mut stream: TcpStream) -> io::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_string(&mut response)?;
    Ok(response)
}
