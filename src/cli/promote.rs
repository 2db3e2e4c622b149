//! `bottle promote`, and the check that no other machine was promoted.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;

use bottle::store::Store;
use bottle::store::promotion;
use serde_json::Value;

use super::health::{TIMEOUT, body_of, fetch_readiness};
use super::{database, terminal};

/// Promotes the database.
pub(super) fn run(db: Option<PathBuf>) -> Result<(), String> {
    let db = database(db)?;
    let epoch = promotion::promote(&db).map_err(|e| e.to_string())?;
    terminal::print(format_args!("{}: sound, and promoted to epoch {epoch}", db.display()));
    terminal::print(format_args!("Start it with `bottle serve`, without --standby."));
    Ok(())
}

/// Returns an error if the machine at `peer_url` is a primary whose epoch is not below that of `store`.
/// If it does not answer, this logs a warning: the other machine may be off.
pub(super) fn check_peer(peer_url: &str, store: &Store) -> Result<(), String> {
    let own = store.replication().map_err(|e| e.to_string())?.epoch;
    let peer = match ask(peer_url) {
        Ok(peer) => peer,
        Err(e) => {
            tracing::warn!("cannot ask {peer_url} whether it was promoted: {e}");
            return Ok(());
        }
    };
    let epoch = peer["epoch"].as_u64().unwrap_or(0);
    if epoch < own || peer["primary_url"].is_string() {
        return Ok(());
    }
    Err(format!(
        "{peer_url} is the primary (epoch {epoch}; this database has {own}), and two would part.\n\
         Make this machine its standby (docs/operating.md), or stop that one first."
    ))
}

/// Returns the body of the answer to `/readyz`.
fn ask(url: &str) -> Result<Value, String> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let host = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut addresses = host.to_socket_addrs().map_err(|e| e.to_string())?;
    let address = addresses.next().ok_or("it has no address")?;
    let stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(|e| e.to_string())?;
    let response = fetch_readiness(stream).map_err(|e| e.to_string())?;
    serde_json::from_str(body_of(&response)).map_err(|e| e.to_string())
}
