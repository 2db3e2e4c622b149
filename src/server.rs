//! Where everything is mounted, and nothing else is done.

use std::sync::Arc;

use rocket::config::{Config, LogLevel};
use rocket::figment::Figment;
use rocket::{Build, Rocket};

use crate::accounts::Accounts;
use crate::bottles::Bottles;
use crate::clock::Clock;
use crate::config::{Settings, log_level};
use crate::contracts::{Lifetimes, bottle};
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
        .manage(Bottles::new(store, clock))
        .manage(Lifetimes { bottle: settings.session_seconds })
        .attach(RequestLog)
        .attach(InFlight::default())
        .mount("/api", bottle::routes())
        .mount("/", bottle::routes())
        .register("/", bottle::catchers())
}
