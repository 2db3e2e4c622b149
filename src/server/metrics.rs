//! Metrics for Prometheus, on an address of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use rocket::config::{Config, LogLevel};
use rocket::fairing::{Fairing, Info, Kind};
use rocket::figment::Figment;
use rocket::http::{ContentType, Status};
use rocket::{Build, Request, Response, Rocket, State, async_trait, get, routes};

use crate::http::mounts::Surface;
use crate::model::clock::Clock;
use crate::server::logging::request_start;
use crate::store::{Store, stats};

/// Counts answered requests. Clones share the counts.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<DurationLabels, Histogram>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    part: Part,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DurationLabels {
    part: Part,
}

/// The part of the server that handles a request.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
#[allow(non_camel_case_types)] // The names are the labels.
enum Part {
    bottle,
    ledger,
    music,
    bookstore,
    page,
}

impl Part {
    fn of(path: &str) -> Self {
        match Surface::of_path(path) {
            Some(Surface::Music) => Self::music,
            Some(Surface::Bottle | Surface::BottleDraft | Surface::Feeds) => Self::bottle,
            Some(Surface::Ledger | Surface::Cards | Surface::Members | Surface::Divisions) => {
                Self::ledger
            }
            Some(Surface::Bookstore) => Self::bookstore,
            None => Self::page,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        // From 0.1 ms to 6 s.
        let buckets = || Histogram::new(exponential_buckets(0.0001, 3.0, 11));
        Self { requests: Family::default(), seconds: Family::new_with_constructor(buckets) }
    }
}

#[async_trait]
impl Fairing for Metrics {
    fn info(&self) -> Info {
        Info { name: "metrics", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let part = Part::of(request.uri().path().as_str());
        let status = response.status().code;
        self.requests.get_or_create(&RequestLabels { part, status }).inc();
        let seconds = request_start(request).at.elapsed().as_secs_f64();
        self.seconds.get_or_create(&DurationLabels { part }).observe(seconds);
    }
}

impl Metrics {
    /// Returns all metrics in the OpenMetrics text format.
    fn text(&self, store: &Store, clock: &Clock) -> Result<String, String> {
        let mut registry = Registry::default();
        registry.register("bottle_requests", "Answered requests", self.requests.clone());
        let help = "Seconds from a request's head to its response";
        registry.register("bottle_request_seconds", help, self.seconds.clone());
        let now = clock.now();
        let stats = store.read(|db| stats::of(db, now)).map_err(|e| e.to_string())?;
        let blocked = i64::try_from(store.blocked_changes()).unwrap_or(i64::MAX);
        let (database, log) = store.sizes().map_err(|e| e.to_string())?;
        for (name, help, value) in [
            ("bottle_accounts", "Accounts", stats.accounts),
            ("bottle_bottles", "Bottles", stats.bottles),
            ("bottle_sessions", "Live sessions", stats.sessions),
            ("bottle_database_bytes", "Size of the database file", database),
            ("bottle_blocked_changes", "Changes that wait for another program's lock", blocked),
            ("bottle_log_bytes", "Size of the write-ahead log", log),
        ] {
            let gauge = Gauge::<i64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
        let cache = store.map_cache_stats();
        for (name, help, value) in [
            ("bottle_map_cache_hits", "Bottles that searches found in the cache", cache.hits),
            ("bottle_map_cache_misses", "Bottles that searches read from the file", cache.misses),
        ] {
            let counter = Counter::<u64>::default();
            counter.inc_by(value);
            registry.register(name, help, counter);
        }
        let mut text = String::new();
        encode(&mut text, &registry).map_err(|e| e.to_string())?;
        Ok(text)
    }

    /// Builds the server of `/metrics` at `address`, with Rocket's other settings from `figment`.
    pub fn server(
        &self,
        figment: &Figment,
        address: SocketAddr,
        store: Arc<Store>,
        clock: Clock,
    ) -> Rocket<Build> {
        let figment = figment
            .clone()
            .merge(("address", address.ip()))
            .merge(("port", address.port()))
            .merge((Config::LOG_LEVEL, LogLevel::Off))
            .merge((Config::SECRET_KEY, store.keys().cookie.clone()));
        let rocket = rocket::custom(figment).manage(self.clone()).manage(store).manage(clock);
        rocket.mount("/", routes![metrics])
    }
}

#[get("/metrics")]
fn metrics(
    metrics: &State<Metrics>,
    store: &State<Arc<Store>>,
    clock: &State<Clock>,
) -> Result<(ContentType, String), Status> {
    let kind = ContentType::new("application", "openmetrics-text");
    let kind = kind.with_params([("version", "1.0.0"), ("charset", "utf-8")]);
    let text =
        metrics.text(store, clock).inspect_err(|e| tracing::error!("cannot read the metrics: {e}"));
    text.map(|text| (kind, text)).map_err(|_| Status::ServiceUnavailable)
}
