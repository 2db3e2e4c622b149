//! Where everything is mounted, and nothing else is done.

use std::sync::Arc;
use std::time::Duration;

use rocket::config::{Config, LogLevel};
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::{Build, Orbit, Rocket, tokio};
use tokio::time::interval;

use crate::api::bottle::{DemoAccount, Mbtiles, PageSettings};
use crate::domain::accounts::Accounts;
use crate::domain::bottles::Bottles;
use crate::domain::events::{Event, Live};
use crate::domain::ledger::Holdings;
use crate::domain::moderation::Moderation;
use crate::domain::password::Passwords;
use crate::domain::rate_limit::Throttle;
use crate::http::chunk_size::LargePieces;
use crate::http::connections::Connections;
use crate::http::security_headers;
use crate::http::{
    FormsArePosted, Lifetimes, OwnPagesOnly, PublicUrl, TrustedProxy, bookstore, bottle, ledger,
    music, unread_routes,
};
use crate::model::clock::Clock;
use crate::server::config::{Settings, log_level};
use crate::server::health;
use crate::server::lan::Invitation;
use crate::server::logging::RequestLog;
use crate::server::shutdown::InFlight;
use crate::store::Store;
use crate::store::mbtiles::Tiles;
use crate::web;

/// What the server serves, besides its settings.
pub struct Sea {
    /// Accounts and bottles.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: Clock,
    /// A street map, if there is one.
    pub tiles: Option<Tiles>,
    /// Accounts that anyone may use.
    pub demo_accounts: Vec<DemoAccount>,
    /// How others on the network come in.
    pub invitation: Invitation,
}

impl Sea {
    /// The bottles in `store` alone.
    pub fn new(store: Arc<Store>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            tiles: None,
            demo_accounts: Vec::new(),
            invitation: Invitation::default(),
        }
    }
}

/// The server over `sea`, ready to launch with Rocket's settings in `figment` and ours in
/// `settings`.
pub fn build(figment: Figment, settings: &Settings, sea: Sea) -> Rocket<Build> {
    let figment = figment.join((Config::SECRET_KEY, sea.store.keys().cookie.clone()));
    let figment = match log_level(&figment) {
        // At its own `debug`, Rocket prints each header, cookies and tokens with them.
        LogLevel::Debug => figment.merge((Config::LOG_LEVEL, LogLevel::Normal)),
        _ => figment.merge((Config::LOG_LEVEL, LogLevel::Off)),
    };
    // It was checked with the other settings.
    let url = PublicUrl::parse(&settings.public_url).unwrap_or_default();
    let in_flight = InFlight::default();
    let connections = Connections::new(settings.limits());
    let rocket = manage(rocket::custom(figment), settings, sea)
        .attach(FormsArePosted)
        .attach(RequestLog(settings.log_format))
        .attach(OwnPagesOnly)
        .attach(headers::shield(url.is_https(), !settings.tile_url.is_empty()))
        .attach(headers::Defaults)
        .attach(in_flight.clone())
        .manage(in_flight)
        .attach(connections.clone())
        .manage(connections)
        .attach(LargePieces)
        .attach(housekeeping())
        .manage(url);

    rocket
        .mount("/", web::routes())
        .mount("/", health::routes())
        .mount("/", unread_routes())
        .mount("/api", bottle::routes())
        .mount("/api", bottle::page_routes())
        .mount("/api", bottle::class_routes())
        .mount("/", bottle::routes())
        .register("/", bottle::catchers())
        .mount("/user", ledger::routes())
        .register("/user", ledger::catchers())
        .mount("/card", ledger::holding_routes())
        .register("/card", ledger::catchers())
        .mount("/member", ledger::holding_routes())
        .register("/member", ledger::catchers())
        .mount("/division", ledger::holding_routes())
        .register("/division", ledger::catchers())
        .mount("/api/user", music::routes())
        .register("/api/user", music::catchers())
        .mount("/auth", bookstore::routes())
        .register("/auth", bookstore::catchers())
}

/// What is done once a minute.
fn housekeeping() -> AdHoc {
    AdHoc::on_liftoff("housekeeping", |rocket: &Rocket<Orbit>| {
        let accounts = rocket.state::<Accounts>().cloned();
        Box::pin(async move {
            tokio::spawn(async move {
                let mut minutes = interval(Duration::from_secs(60));
                while let Some(accounts) = &accounts {
                    minutes.tick().await;
                    if let Err(e) = accounts.clear_sessions().await {
                        tracing::warn!("sessions that are over could not be cleared: {e}");
                    }
                }
            });
        })
    })
}

/// What the handlers ask for.
fn manage(rocket: Rocket<Build>, settings: &Settings, sea: Sea) -> Rocket<Build> {
    let Sea { store, clock, tiles, demo_accounts, invitation } = sea;
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let live = Live::new(settings.live_listeners);
    let listeners = live.clone();
    store.on_change_elsewhere(move || listeners.tell(Event::Reset));
    let throttle = Arc::new(Throttle::new(settings.rates(), &clock));
    let mbtiles = tiles.as_ref().map(|tiles| Mbtiles {
        min_zoom: tiles.about.min_zoom,
        max_zoom: tiles.about.max_zoom,
        attribution: tiles.about.attribution.clone(),
    });
    rocket
        .manage(
            Accounts::new(
                Arc::clone(&store),
                passwords,
                clock.clone(),
                settings.min_password_length,
            )
            .throttled(Arc::clone(&throttle))
            .telling(live.clone()),
        )
        .manage(throttle)
        .manage(TrustedProxy(settings.trusted_proxy))
        .manage(ledger::Jwt::new(&store.keys().jwt, clock.clone()))
        .manage(Holdings::new(Arc::clone(&store)))
        .manage(Arc::clone(&store))
        .manage(Bottles::new(Arc::clone(&store), clock.clone()).telling(live.clone()))
        .manage(Moderation::new(store, clock, live.clone(), settings.reports_to_hide))
        .manage(live)
        .manage(invitation)
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
        .manage(settings.limits())
        .manage(web::Policy::new(&settings.tile_url))
        .manage(web::Compressed::default())
}
