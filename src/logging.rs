//! The log: on standard error, one line a request at most.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::Instant;

use rocket::config::LogLevel;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Data, Request, Response, async_trait};
use tracing::level_filters::LevelFilter;

use crate::contracts::{Client, account_of};

/// Starts logging at Rocket's level. A second call changes nothing.
pub fn init(level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Critical => LevelFilter::ERROR,
        LogLevel::Normal => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        // It would say on standard error that standard error is gone, and panic.
        .log_internal_errors(false)
        .try_init();
}

/// Logs each request when it is answered: the client's address, the account's id (`-` for none),
/// method, path (the query, which may tell where someone is, stays out), status and time taken.
pub struct RequestLog;

#[async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info { name: "request log", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        begun(request);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let (started, method) = begun(request);
        tracing::info!(
            "{} {} {} {} {} {:.1} ms",
            Client::of(request).0,
            OrDash(account_of(request)),
            method,
            // Its own words only: a path may hold characters that break a line, or turn it around.
            request.uri().path().as_str().escape_default(),
            response.status().code,
            started.elapsed().as_secs_f64() * 1000.0
        );
    }
}

/// When a request came, and as what: what is refused is given another method.
fn begun<'r>(request: &'r Request<'_>) -> &'r (Instant, Method) {
    request.local_cache(|| (Instant::now(), request.method()))
}

/// What is there, or `-`.
struct OrDash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
