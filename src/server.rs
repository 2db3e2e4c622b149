//! Where everything is mounted, and nothing else is done.

use std::sync::Arc;

use rocket::config::{Config, LogLevel};
use rocket::figment::Figment;
use rocket::{Build, Rocket};

use crate::accounts::Accounts;
use crate::bottles::Bottles;
use crate::clock::Clock;
use crate::config::{Settings, log_level};
use crate::contracts::{Lifetimes, bookstore, bottle, ledger, music, unread_routes};
use crate::holdings::Holdings;
use crate::logging::RequestLog;
use crate::password::Passwords;
use crate::shutdown::InFlight;
use crate::store::Store;

/// The server over `store`, ready to launch with Rocket's settings in `figment` and ours in
/// `settings`.
pub fn build(
    figment: Figment,
    settings: &Settings,
    store: Arc<Store>,
    clock: Clock,
) -> Rocket<Build> {
    let passwords = Passwords::new(settings.password_cost(), settings.password_workers);
    let figment = figment.join((Config::SECRET_KEY, store.keys().cookie.clone()));
    let figment = match log_level(&figment) {
        LogLevel::Debug => figment,
        _ => figment.merge((Config::LOG_LEVEL, LogLevel::Off)),
    };

    rocket::custom(figment)
        .manage(Accounts::new(
            Arc::clone(&store),
            passwords,
            clock.clone(),
            settings.min_password_length,
        ))
        .manage(ledger::Jwt::new(&store.keys().jwt, clock.clone()))
        .manage(Holdings::new(Arc::clone(&store)))
        .manage(Bottles::new(store, clock))
        .manage(Lifetimes {
            bottle: settings.session_seconds,
            ledger: settings.ledger_token_seconds,
            music: settings.music_token_seconds,
            bookstore: settings.bookstore_token_seconds,
        })
        .attach(RequestLog)
        .attach(InFlight::default())
        .mount("/", unread_routes())
        .mount("/api", bottle::routes())
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
