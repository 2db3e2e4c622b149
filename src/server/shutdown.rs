//! Shutdown that answers every request in progress.
//!
//! Rocket alone closes connections while requests are in transit, may return before the last
//! responses are sent, and waits for its whole grace period if any connection stays open. At a
//! signal, Bottle therefore stops accepting connections, sends `Connection: close` with each
//! response, and shuts Rocket down once all requests are answered.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rocket::fairing::{AdHoc, Fairing, Info, Kind};
use rocket::http::Header;
use rocket::tokio::signal::unix::{Signal, SignalKind, signal};
use rocket::tokio::time::{Instant, sleep};
use rocket::tokio::{self, select};
use rocket::{Data, Orbit, Request, Response, Rocket, async_trait};

use crate::http::connections::stop_listening;

/// The time in which a client with an idle connection may send one more request, whose response
/// then says `Connection: close`.
const LAST_REQUEST_TIME: Duration = Duration::from_millis(200);

/// The time in which the last responses reach their sockets.
const FLUSH_TIME: Duration = Duration::from_millis(50);

/// Counts the requests in progress, and delays the shutdown until they are answered or Rocket's
/// grace period ends.
#[derive(Clone, Default)]
pub struct InFlight(Arc<State>);

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    is_shutting_down: AtomicBool,
}

impl InFlight {
    /// Returns a fairing that shuts the server down at SIGTERM or Ctrl-C. The server must also have
    /// the fairing [`InFlight`].
    pub fn shut_down_on_signals() -> AdHoc {
        AdHoc::on_liftoff("end on signals", move |rocket: &Rocket<Orbit>| {
            let (grace, port) = (grace(rocket), rocket.config().port);
            let (this, shutdown) = (rocket.state::<Self>().cloned(), rocket.shutdown());
            let this = this.unwrap_or_default();
            let signals = signals();
            Box::pin(async move {
                let (mut term, mut interrupt) = match signals {
                    Ok(signals) => signals,
                    Err(e) => {
                        return tracing::error!(
                            "cannot handle signals: {e}. SIGTERM and Ctrl-C will cut requests in progress"
                        );
                    }
                };
                tokio::spawn(async move {
                    select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
                    this.0.is_shutting_down.store(true, Ordering::Relaxed);
                    stop_listening(port);
                    sleep(LAST_REQUEST_TIME).await;
                    this.wait_until_idle(grace).await;
                    shutdown.notify();
                });
            })
        })
    }

    /// Waits until all requests are answered, for at most `grace`.
    async fn wait_until_idle(&self, grace: Duration) {
        let end = Instant::now() + grace;
        while self.0.requests.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            sleep(FLUSH_TIME).await;
        }
        sleep(FLUSH_TIME).await;
    }
}

fn signals() -> io::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

fn grace(rocket: &Rocket<Orbit>) -> Duration {
    Duration::from_secs(rocket.config().shutdown.grace.into())
}

#[async_trait]
impl Fairing for InFlight {
    fn info(&self) -> Info {
        Info { name: "requests in flight", kind: Kind::Request | Kind::Response | Kind::Shutdown }
    }

    async fn on_request(&self, _: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
        if self.0.is_shutting_down.load(Ordering::Relaxed) {
            response.set_header(Header::new("Connection", "close"));
        }
    }

    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        self.wait_until_idle(grace(rocket)).await;
    }
}
