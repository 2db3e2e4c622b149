//! The log: on standard error, with at most one line per request.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::Instant;

use rocket::config::LogLevel;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Data, Request, Response, async_trait};
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use crate::http::{ClientIp, account_of, take_feed_secret};
use crate::model::hourly::HourlyCounter;

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines of text, for people.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// Starts the log at Rocket's level. A second call has no effect.
pub fn init(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Critical => LevelFilter::ERROR,
        LogLevel::Normal => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr)
        // Otherwise it reports a closed standard error on standard error, and panics.
        .log_internal_errors(false);
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Logs each request when it is answered.
///
/// A line has the client's address, the account's id (`-` for none), the method (`-` if Rocket
/// could not parse the request), the path, the status, the duration in milliseconds, and the
/// request's id, which the response has in `X-Request-Id`. The query stays out, because it may
/// reveal a position, and so does the secret of a feed.
pub struct RequestLog {
    /// The format.
    pub format: LogFormat,
    /// Counts the requests that fail through a fault of the server: those with the status 500 or 503.
    pub failed: Arc<HourlyCounter>,
}

#[async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info { name: "request log", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        take_feed_secret(request);
        request.local_cache(|| RequestStart { at: Instant::now(), method: Some(request.method()) });
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let RequestStart { at, method } = request_start(request);
        let id = format!("{:016x}", rand::random::<u64>());
        let client = ClientIp::of(request).0;
        let account = account_of(request);
        // A path may contain characters that break a line or reverse its direction.
        let path = request.uri().path().as_str().escape_default();
        let status = response.status().code;
        let ms = at.elapsed().as_secs_f64() * 1000.0;
        if matches!(status, 500 | 503) {
            self.failed.record();
        }
        match self.format {
            LogFormat::Text => {
                let (account, method) = (OrDash(account), OrDash(*method));
                tracing::info!("{client} {account} {method} {path} {status} {ms:.1} ms {id}");
            }
            LogFormat::Json => {
                let method = method.map(|method| method.as_str());
                tracing::info!(%client, account, method, %path, status, ms, id, "request");
            }
        }
        response.set_raw_header("X-Request-Id", id);
    }
}

/// The start of a request.
pub(crate) struct RequestStart {
    /// The time at which its head had arrived.
    pub(crate) at: Instant,
    /// The method that the client sent: Rocket turns HEAD into GET to find a route. `None` if
    /// Rocket could not parse the request; Rocket then reports a GET.
    pub(crate) method: Option<Method>,
}

/// Returns the start of `request`, for response fairings.
pub(crate) fn request_start<'r>(request: &'r Request<'_>) -> &'r RequestStart {
    request.local_cache(|| RequestStart { at: Instant::now(), method: None })
}

/// Displays the value, or `-` for none.
struct OrDash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
