//! An end without waiting: Rocket sits out its whole grace when a connection is open at SIGTERM,
//! even an idle one. This fairing lets requests in flight end first, after which none is open.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::tokio::time::{Instant, sleep};
use rocket::{Data, Orbit, Request, Response, Rocket, async_trait};

/// How long the last answers have to reach their sockets.
const FLUSH: Duration = Duration::from_millis(50);

/// Counts the requests in flight, and holds the shutdown until they are answered or Rocket's grace
/// is over.
#[derive(Default)]
pub struct InFlight(AtomicUsize);

#[async_trait]
impl Fairing for InFlight {
    fn info(&self) -> Info {
        Info { name: "requests in flight", kind: Kind::Request | Kind::Response | Kind::Shutdown }
    }

    async fn on_request(&self, _: &mut Request<'_>, _: &mut Data<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, _: &mut Response<'r>) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        let end = Instant::now() + Duration::from_secs(rocket.config().shutdown.grace.into());
        while self.0.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            sleep(FLUSH).await;
        }
        sleep(FLUSH).await;
    }
}
