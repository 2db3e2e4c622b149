//! The log: on standard error, one line a request at most.

use std::io::{IsTerminal, stderr};
use std::time::Instant;

use rocket::config::LogLevel;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Data, Request, Response, async_trait};
use tracing::level_filters::LevelFilter;

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

/// Logs each request when it is answered: method, path (the query, which may tell where someone
/// is, stays out), status and time taken.
pub struct RequestLog;

#[async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info { name: "request log", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(Instant::now);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let started = request.local_cache(Instant::now);
        tracing::info!(
            "{} {} {} {:.1} ms",
            request.method(),
            request.uri().path(),
            response.status().code,
            started.elapsed().as_secs_f64() * 1000.0
        );
    }
}
