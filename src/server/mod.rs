//! Assembles the server: every mount, catcher, fairing and managed state.

pub mod config;
pub mod health;
pub mod lan;
pub mod logging;
pub mod metrics;
pub mod openapi;
pub mod shutdown;
pub mod tls;

mod mounts;
mod unparsed;

use std::sync::Arc;
use std::time::Duration;

use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::shield::Shield;
use rocket::{Build, Orbit, Rocket, tokio};
use tokio::time::interval;

use self::config::{Settings, log_level};
use self::logging::RequestLog;
use self::shutdown::InFlight;
use self::unparsed::{Fairings, with_fairings};
use crate::api::bottle::{DemoAccount, Mbtiles, PageSettings, SharedJoinInfo};
use crate::api::ledger;
use crate::domain::accounts::Accounts;
use crate::domain::bottles::Bottles;
use crate::domain::events::{Event, EventBus};
use crate::domain::ledger::Holdings;
use crate::domain::moderation::Moderation;
use crate::domain::password::Passwords;
use crate::domain::rate_limit::RateLimiter;
use crate::http::chunk_size::ResponseChunkSize;
use crate::http::connections::Connections;
use crate::http::security_headers::SecurityHeaders;
use crate::http::{
    ByteBudget, CsrfProtection, Lifetimes, NoMethodOverride, PublicUrl, drain_routes,
};
use crate::model::clock::Clock;
use crate::store::Store;
use crate::store::mbtiles::Tiles;
use crate::web;

/// The data that the server serves, besides its settings.
pub struct AppState {
    /// Accounts and bottles.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Clock,
    /// A street map, if there is one.
    pub tiles: Option<Tiles>,
    /// Accounts that anyone may use.
    pub demo_accounts: Vec<DemoAccount>,
    /// How others on the network come in.
    pub join_info: SharedJoinInfo,
    /// Whether it is served over TLS with a certificate that this machine made.
    pub is_self_signed: bool,
}

impl AppState {
    /// The bottles in `store` alone.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            tiles: None,
            demo_accounts: Vec::new(),
            join_info: SharedJoinInfo::default(),
            is_self_signed: false,
        }
    }
}

/// The server over `sea`, ready to launch with Rocket's settings in `figment` and ours in
/// `settings`.
pub fn build(figment: Figment, settings: &Settings, sea: AppState) -> Rocket<Build> {
    let figment = figment.join((Config::SECRET_KEY, sea.store.keys().cookie.clone()));
    let figment = match log_level(&figment) {
        // At its own `debug`, Rocket prints each header, cookies and tokens with them.
        LogLevel::Debug => figment.merge((Config::LOG_LEVEL, LogLevel::Normal)),
        _ => figment.merge((Config::LOG_LEVEL, LogLevel::Off)),
    };
    // It was checked with the other settings.
    let url = PublicUrl::parse(&settings.public_url).unwrap_or_default();
    // A browser that was told never to go back to plain http lets nobody past its warning.
    let is_https = url.is_https() || Config::try_from(&figment).is_ok_and(|c| c.tls_enabled());
    let hsts = is_https && !sea.is_self_signed;
    let headers = Arc::new(SecurityHeaders::new(hsts, !settings.tile_url.is_empty()));
    let log = Arc::new(RequestLog(settings.log_format));
    let in_flight = InFlight::default();
    let connections = Connections::new(settings.limits());
    let always: Fairings = Arc::new([log.clone(), headers.clone(), Arc::new(connections.clone())]);
    let catchers = |catchers| with_fairings(catchers, &always);
    let rocket = manage(rocket::custom(figment), settings, sea)
        .attach(NoMethodOverride)
        .attach(log)
        .attach(CsrfProtection)
        // In place of the one that Rocket attaches.
        .attach(Shield::new())
        .attach(headers)
        .attach(in_flight.clone())
        .manage(in_flight)
        .attach(connections.clone())
        .manage(connections)
        .attach(ResponseChunkSize)
        .attach(housekeeping())
        .manage(url);

    let rocket =
        rocket.mount("/", web::routes()).mount("/", health::routes()).mount("/", drain_routes());
    mounts::mount_all(rocket, catchers)
}

/// Runs the tasks of each minute.
fn housekeeping() -> AdHoc {
    AdHoc::on_liftoff("housekeeping", |rocket: &Rocket<Orbit>| {
        let accounts = rocket.state::<Accounts>().cloned();
        let bottles = rocket.state::<Bottles>().cloned();
        Box::pin(async move {
            tokio::spawn(async move {
                let mut minutes = interval(Duration::from_secs(60));
                while let (Some(accounts), Some(bottles)) = (&accounts, &bottles) {
                    minutes.tick().await;
                    if let Err(e) = accounts.delete_expired_sessions().await {
                        tracing::warn!("sessions that are over could not be cleared: {e}");
                    }
                    if let Err(e) = bottles.delete_old_past_openings().await {
                        tracing::warn!("past openings could not be cleared: {e}");
                    }
                }
            });
        })
    })
}

/// Manages the state that handlers and guards ask for.
fn manage(rocket: Rocket<Build>, settings: &Settings, sea: AppState) -> Rocket<Build> {
    let AppState { store, clock, tiles, demo_accounts, join_info, .. } = sea;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let events = EventBus::new(settings.max_event_streams);
    let publisher = events.clone();
    store.on_external_change(move || publisher.publish(Event::Reset));
    let rate_limiter = Arc::new(RateLimiter::new(settings.rates(), &clock));
    let mbtiles = tiles.as_ref().map(|tiles| Mbtiles {
        min_zoom: tiles.about.min_zoom,
        max_zoom: tiles.about.max_zoom,
        attribution: tiles.about.attribution.clone(),
    });
    rocket
        .manage(Accounts::new(
            Arc::clone(&store),
            passwords,
            clock.clone(),
            settings.min_password_length,
            Arc::clone(&rate_limiter),
            events.clone(),
        ))
        .manage(rate_limiter)
        .manage(settings.trusted_proxy())
        .manage(ledger::Jwt::new(&store.keys().jwt, clock.clone()))
        .manage(Holdings::new(Arc::clone(&store), clock.clone()))
        .manage(Arc::clone(&store))
        .manage(Bottles::new(Arc::clone(&store), clock.clone(), events.clone()))
        .manage(Moderation::new(store, clock, events.clone(), settings.reports_to_hide))
        .manage(events)
        .manage(ByteBudget::default())
        .manage(join_info)
        .manage(Lifetimes {
            bottle: settings.session_seconds,
            ledger: settings.ledger_token_seconds,
            music: settings.music_token_seconds,
            bookstore: settings.bookstore_token_seconds,
        })
        .manage(PageSettings {
            tile_url: Some(settings.tile_url.clone()).filter(|url| !url.is_empty()),
            tile_attribution: settings.tile_attribution.clone(),
            mbtiles,
            public_counts: settings.public_counts,
            min_password_length: settings.min_password_length,
            demo_accounts,
        })
        .manage(tiles)
        .manage(web::Policy::new(&settings.tile_url))
        .manage(web::Compressed::default())
}
