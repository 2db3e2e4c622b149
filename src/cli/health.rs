//! `bottle health`: asks the server on this machine, for containers that have nothing else to ask with.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use bottle::server::config;
use rocket::Config;

use super::terminal;

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server that the settings tell of whether it is ready.
pub(super) fn run() -> Result<(), String> {
    let config =
        Config::try_from(config::figment()).map_err(|e| format!("in the settings: {e}"))?;
    let here: IpAddr = match config.address {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    let address = SocketAddr::new(here, config.port);
    let failed = |e| format!("{address} does not answer: {e}");
    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
    // Over TLS, to listen is all that can be asked without its certificate.
    if config.tls_enabled() {
        terminal::say(format_args!("{address} listens"));
        return Ok(());
    }
    let answer = ask(stream).map_err(failed)?;
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default().trim();
    match answer.split(' ').nth(1) {
        Some("200") => {
            terminal::say(format_args!("{address}: {body}"));
            Ok(())
        }
        _ => Err(format!("{address} is not ready: {body}")),
    }
}

fn ask(mut stream: TcpStream) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
