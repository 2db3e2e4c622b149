//! An end without waiting, and without cutting anyone off.
//!
//! Left to itself, Rocket closes connections under requests that are on their way, may return before
//! the last answers are out, and sits out its whole grace where a connection stays open, even an idle
//! one. So at a signal nobody new is let in, each answer tells its client to send no more on this
//! connection, and only once none is due does Rocket hear of it.

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

/// How long clients that keep a connection have to send one more request, and so to hear of the end.
const FAREWELL: Duration = Duration::from_millis(200);

/// How long the last answers have to reach their sockets.
const FLUSH: Duration = Duration::from_millis(50);

/// Counts the requests in flight, and holds the shutdown until they are answered or Rocket's grace
/// is over.
#[derive(Clone, Default)]
pub struct InFlight(Arc<State>);

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    is_ending: AtomicBool,
}

impl InFlight {
    /// Ends the server at SIGTERM or Ctrl-C. For servers that have this fairing.
    pub fn end_on_signals() -> AdHoc {
        AdHoc::on_liftoff("end on signals", move |rocket: &Rocket<Orbit>| {
            let (grace, port) = (grace(rocket), rocket.config().port);
            let (this, shutdown) = (rocket.state::<Self>().cloned(), rocket.shutdown());
            let this = this.unwrap_or_default();
            let signals = signals();
            Box::pin(async move {
                let (mut term, mut interrupt) = match signals {
                    Ok(signals) => signals,
                    Err(e) => return tracing::error!("signals will end the program at once: {e}"),
                };
                tokio::spawn(async move {
                    select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
                    this.0.is_ending.store(true, Ordering::Relaxed);
                    stop_listening(port);
                    sleep(FAREWELL).await;
                    this.wait_until_idle(grace).await;
                    shutdown.notify();
                });
            })
        })
    }

    /// Waits until all requests are answered, or the grace is over.
    async fn wait_until_idle(&self, grace: Duration) {
        let end = Instant::now() + grace;
        while self.0.requests.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            sleep(FLUSH).await;
        }
        sleep(FLUSH).await;
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
        if self.0.is_ending.load(Ordering::Relaxed) {
            response.set_header(Header::new("Connection", "close"));
        }
    }

    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        self.wait_until_idle(grace(rocket)).await;
    }
}
