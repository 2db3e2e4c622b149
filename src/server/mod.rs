//! Assembles the server: every mount, catcher, fairing and managed state.

pub mod config;
pub mod health;
pub mod lan;
pub mod logging;
pub mod map_files;
pub mod metrics;
pub mod openapi;
pub mod settings_table;
pub mod shutdown;
pub mod tls;

mod mounts;
mod periodic;
mod unparsed;
mod webhook;

use std::sync::Arc;

use rocket::config::{Config, LogLevel};
use rocket::figment::Figment;
use rocket::shield::Shield;
use rocket::{Build, Rocket};

use self::config::{Settings, log_level};
use self::logging::RequestLog;
use self::shutdown::InFlight;
use self::unparsed::{Fairings, with_fairings};
use crate::api::bottle::{
    DemoAccount, MapKind, MapView, Mbtiles, PageSettings, SettingsTable, SharedJoinInfo,
};
use crate::api::ledger;
use crate::domain::accounts::Accounts;
use crate::domain::bottles::Bottles;
use crate::domain::conversations::Conversations;
use crate::domain::events::{Event, EventBus};
use crate::domain::health::Health;
use crate::domain::inbox::Inbox;
use crate::domain::ledger::Holdings;
use crate::domain::maintenance::Maintenance;
use crate::domain::moderation::Moderation;
use crate::domain::password::Passwords;
use crate::domain::rate_limit::RateLimiter;
use crate::domain::settings::LiveSettings;
use crate::domain::webhook::Webhook;
use crate::http::chunk_size::ResponseChunkSize;
use crate::http::connections::Connections;
use crate::http::security_headers::SecurityHeaders;
use crate::http::webhook::Deliveries;
use crate::http::{
    ByteBudget, Lifetimes, NoMethodOverride, PublicUrl, csrf_routes, drain_routes, standby_routes,
};
use crate::model::clock::Clock;
use crate::model::hourly::HourlyCounter;
use crate::model::live::LiveValues;
use crate::store::Store;
use crate::store::street_maps::{Format, StreetMap, StreetMaps};
use crate::web;

/// The data that the server serves, besides its settings.
pub struct AppState {
    /// The database.
    pub store: Arc<Store>,
    /// The clock.
    pub clock: Clock,
    /// The street maps.
    pub maps: StreetMaps,
    /// Accounts of the demo, whose passwords are public.
    pub demo_accounts: Vec<DemoAccount>,
    /// The addresses under which others on the network join.
    pub join_info: SharedJoinInfo,
    /// True if the TLS certificate is self-signed.
    pub is_self_signed: bool,
}

impl AppState {
    /// Creates the state of a server of `store`, without a street map or demo accounts.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            maps: StreetMaps::default(),
            demo_accounts: Vec::new(),
            join_info: SharedJoinInfo::default(),
            is_self_signed: false,
        }
    }
}

/// Builds the server of `state`, with Rocket's settings in `figment` and Bottle's in `settings`.
pub fn build(figment: Figment, settings: &Settings, state: AppState) -> Rocket<Build> {
    let figment = figment.join((Config::SECRET_KEY, state.store.keys().cookie.clone()));
    let figment = match log_level(&figment) {
        // At its own `debug`, Rocket prints all headers, including cookies and tokens.
        LogLevel::Debug => figment.merge((Config::LOG_LEVEL, LogLevel::Normal)),
        _ => figment.merge((Config::LOG_LEVEL, LogLevel::Off)),
    };
    // `Settings::from` has validated it.
    let url = PublicUrl::parse("public_url", &settings.public_url).unwrap_or_default();
    // With HSTS, a browser lets nobody continue past the warning about a self-signed certificate.
    let is_https = url.is_https() || Config::try_from(&figment).is_ok_and(|c| c.tls_enabled());
    let hsts = is_https && !state.is_self_signed;
    let headers = Arc::new(SecurityHeaders::new(hsts, !settings.tile_url.is_empty()));
    let failed = Arc::new(HourlyCounter::new(state.clock.clone()));
    let log = Arc::new(RequestLog { format: settings.log_format, failed: Arc::clone(&failed) });
    let in_flight = InFlight::default();
    let is_standby = state.store.primary_url().is_some();
    let connections = Connections::new(settings.limits());
    let fairings: Fairings =
        Arc::new([log.clone(), headers.clone(), Arc::new(connections.clone())]);
    let catchers = |catchers| with_fairings(catchers, &fairings);
    let rocket = manage(rocket::custom(figment), settings, state, failed)
        .attach(NoMethodOverride)
        .attach(log)
        // Replaces Rocket's default Shield, whose headers are in `SecurityHeaders`.
        .attach(Shield::new())
        .attach(headers)
        .attach(in_flight.clone())
        .manage(in_flight)
        .attach(connections.clone())
        .manage(connections)
        .attach(ResponseChunkSize)
        .attach(periodic::stopping_backups())
        .manage(url);
    let rocket = match is_standby {
        true => rocket.mount("/", standby_routes()),
        false => rocket
            .attach(periodic::housekeeping())
            .attach(periodic::ending())
            .attach(periodic::nightly_backups())
            .attach(periodic::heartbeat(settings.heartbeat_seconds))
            .attach(webhook::deliver()),
    };

    let rocket = rocket
        .mount("/", csrf_routes())
        .mount("/", web::routes())
        .mount("/", health::routes())
        .mount("/", drain_routes());
    mounts::mount_all(rocket, catchers)
}

/// Adds the state that handlers and guards use to `rocket`.
fn manage(
    rocket: Rocket<Build>,
    settings: &Settings,
    state: AppState,
    failed_requests: Arc<HourlyCounter>,
) -> Rocket<Build> {
    let AppState { store, clock, maps, demo_accounts, join_info, .. } = state;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let events = EventBus::new(settings.max_event_streams);
    let figment = rocket.figment();
    let live = LiveSettings::new(Arc::clone(&store), clock.clone(), |setting| {
        (settings.initial(setting), settings_table::is_named(figment, settings, setting.name()))
    });
    let rate_limiter = Arc::new(RateLimiter::new(settings.rates(live.values()), &clock));
    let page = PageSettings {
        primary_url: store.primary_url().map(str::to_owned),
        ..page_settings(settings, &maps, demo_accounts)
    };
    let accounts = Accounts::new(
        Arc::clone(&store),
        passwords,
        clock.clone(),
        settings.min_password_length,
        Arc::clone(&rate_limiter),
        events.clone(),
    );
    let webhook = Webhook::new(Arc::clone(&store), clock.clone());
    let table = SettingsTable(settings_table::rows(figment, settings));
    let folder = settings.backups_of(store.path());
    let maintenance = Maintenance::new(Arc::clone(&store), clock.clone(), live.values(), folder);
    let rocket = manage_sea(rocket, &store, &clock, &events, live.values());
    manage_health(rocket, &store, &clock, &events, maintenance, failed_requests)
        .manage(live)
        .manage(table)
        .manage(accounts.with_registration(settings.registration))
        .manage(rate_limiter)
        .manage(settings.trusted_proxy())
        .manage(ledger::Jwt::new(&store.keys().jwt, clock.clone()))
        .manage(Deliveries::new(webhook.clone(), settings.deliveries()))
        .manage(webhook)
        .manage(Holdings::new(Arc::clone(&store), clock.clone()))
        .manage(store)
        .manage(clock)
        .manage(events)
        .manage(ByteBudget::default())
        .manage(join_info)
        .manage(Lifetimes {
            bottle: settings.session_seconds,
            ledger: settings.ledger_token_seconds,
            music: settings.music_token_seconds,
            bookstore: settings.bookstore_token_seconds,
        })
        .manage(page)
        .manage(maps)
        .manage(web::Policy::new(&settings.tile_url))
}

/// Returns the settings that the page reads.
fn page_settings(
    settings: &Settings,
    maps: &StreetMaps,
    demo_accounts: Vec<DemoAccount>,
) -> PageSettings {
    let maps: Vec<MapView> = maps.iter().map(map_view).collect();
    PageSettings {
        tile_url: Some(settings.tile_url.clone()).filter(|url| !url.is_empty()),
        tile_attribution: settings.tile_attribution.clone(),
        mbtiles: maps.iter().find(|map| map.kind == MapKind::Raster).map(Mbtiles::from),
        maps,
        public_counts: settings.public_counts,
        min_password_length: settings.min_password_length,
        demo_accounts,
        frozen: false,
        shows_messages: false,
        registration: None,
        primary_url: None,
    }
}

fn map_view(map: &StreetMap) -> MapView {
    let about = &map.about;
    MapView {
        kind: match about.format {
            Format::Png | Format::Jpeg | Format::Webp => MapKind::Raster,
            Format::Protomaps => MapKind::Protomaps,
            Format::OpenMapTiles => MapKind::Openmaptiles,
        },
        min_zoom: about.min_zoom,
        max_zoom: about.max_zoom,
        attribution: about.attribution.clone(),
        bounds: about.bounds,
        version: map.version.clone(),
    }
}

/// Adds the bottles, conversations, inboxes and moderation to `rocket`.
fn manage_sea(
    rocket: Rocket<Build>,
    store: &Arc<Store>,
    clock: &Clock,
    events: &EventBus,
    live: LiveValues,
) -> Rocket<Build> {
    let bottles = Bottles::new(Arc::clone(store), clock.clone(), events.clone());
    let expiry = bottles.expiry().clone();
    let (publisher, invalidate_expiry) = (events.clone(), expiry.invalidate());
    store.on_external_change(move || {
        invalidate_expiry();
        publisher.publish(Event::Reset);
    });
    let conversations =
        Conversations::new(Arc::clone(store), clock.clone(), events.clone(), expiry.clone());
    let inbox = Inbox::new(Arc::clone(store), clock.clone(), events.clone(), expiry.clone());
    let moderation =
        Moderation::new(Arc::clone(store), clock.clone(), events.clone(), expiry, live);
    rocket.manage(bottles).manage(conversations).manage(inbox).manage(moderation)
}

/// Adds the maintenance and the state of the server to `rocket`.
fn manage_health(
    rocket: Rocket<Build>,
    store: &Arc<Store>,
    clock: &Clock,
    events: &EventBus,
    maintenance: Maintenance,
    failed_requests: Arc<HourlyCounter>,
) -> Rocket<Build> {
    let health = Health::new(
        Arc::clone(store),
        clock.clone(),
        events.clone(),
        maintenance.clone(),
        failed_requests,
    );
    rocket.manage(maintenance).manage(health)
}
