//! Settings: ours in `[default.bottle]` of `Rocket.toml` or in `ROCKET_BOTTLE='{key=value}'`, and
//! Rocket's own beside them. Nothing needs to be set.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use rocket::config::{Config, LogLevel};
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};
use serde::{Deserialize, Serialize};

use crate::domain::password::Cost;
use crate::domain::rate_limit::Rates;
use crate::http::PublicUrl;
use crate::http::connections::Limits;
use crate::model::network::TrustedProxy;
use crate::server::logging::LogFormat;

/// What an operator may set, each with its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The database file; `--db` goes before it.
    pub database: PathBuf,
    /// The fewest characters a new password may have.
    pub min_password_length: usize,
    /// Argon2's memory, in KiB.
    pub argon2_memory_kib: u32,
    /// Argon2's passes over that memory.
    pub argon2_iterations: u32,
    /// How many passwords are hashed at one time.
    pub password_workers: usize,
    /// How long a login by cookie lives, in seconds.
    pub session_seconds: u32,
    /// How long a Ledger token lives, in seconds.
    pub ledger_token_seconds: u32,
    /// How long a Music token lives, in seconds.
    pub music_token_seconds: u32,
    /// How long a Bookstore token lives, in seconds.
    pub bookstore_token_seconds: u32,
    /// Where map pictures come from on the internet, with `{z}`, `{x}` and `{y}`; empty for nowhere.
    pub tile_url: String,
    /// Whom to name on that map.
    pub tile_attribution: String,
    /// An MBTiles file with a street map; empty for none. `--map` goes before it.
    pub map_file: PathBuf,
    /// Whether visitors who are not logged in see counts of bottles.
    pub public_counts: bool,
    /// How long a change waits for another program's lock on the file, in milliseconds.
    pub busy_timeout_ms: u64,
    /// How long a client may take to begin a request, and to send its body, in seconds.
    pub request_timeout_seconds: u32,
    /// How many connections may be open; beyond, those that wait longest are closed.
    pub max_connections: usize,
    /// How many of them from one address.
    pub max_connections_per_address: usize,
    /// How many wrong passwords an account bears in a minute, and an address ten times as many.
    pub login_attempts_per_minute: u32,
    /// How many may register from one address in a minute.
    pub registrations_per_minute: u32,
    /// How many bottles an account may throw in a minute, and an address ten times as many.
    pub throws_per_minute: u32,
    /// How many reports by different people hide a bottle until a teacher looks; 0 for none.
    pub reports_to_hide: u32,
    /// How many may listen to what happens on the sea at one time.
    pub max_event_streams: usize,
    /// Where people reach the server, if that is https behind a proxy; empty for what they ask for.
    pub public_url: String,
    /// The address of the proxy whose word on clients' addresses counts; empty for none.
    pub trusted_proxy: Option<IpAddr>,
    /// How the log is written: `text` or `json`.
    pub log_format: LogFormat,
    /// Where Prometheus finds `/metrics`; empty for nowhere.
    pub metrics_address: Option<SocketAddr>,
    /// Reads and changes that take longer are logged, in milliseconds; 0 for none.
    pub slow_query_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            database: "bottle.db".into(),
            min_password_length: 4,
            argon2_memory_kib: 19 * 1024,
            argon2_iterations: 2,
            password_workers: 1,
            session_seconds: 365 * 24 * 60 * 60,
            ledger_token_seconds: 7 * 24 * 60 * 60,
            music_token_seconds: 30 * 24 * 60 * 60,
            bookstore_token_seconds: 60 * 60,
            tile_url: String::new(),
            tile_attribution: String::new(),
            map_file: PathBuf::new(),
            public_counts: true,
            busy_timeout_ms: 4000,
            request_timeout_seconds: 30,
            max_connections: 2048,
            max_connections_per_address: 512,
            login_attempts_per_minute: 20,
            registrations_per_minute: 300,
            throws_per_minute: 300,
            reports_to_hide: 3,
            max_event_streams: 1024,
            public_url: String::new(),
            trusted_proxy: None,
            log_format: LogFormat::Text,
            metrics_address: None,
            slow_query_ms: 500,
        }
    }
}

impl Settings {
    /// The settings in `figment`, or what is wrong with them, for the operator.
    pub fn from(figment: &Figment) -> Result<Self, String> {
        let settings: Self = match figment.find_value("bottle") {
            Ok(_) => figment
                .extract_inner("bottle")
                .map_err(|e| format!("{}: {}", e.path.join("."), e.kind))?,
            Err(_) => Self::default(),
        };
        // Argon2 itself knows no less than 8 KiB and one pass.
        let least = [
            ("argon2_memory_kib", settings.argon2_memory_kib >= 8, 8),
            ("argon2_iterations", settings.argon2_iterations >= 1, 1),
            ("password_workers", settings.password_workers >= 1, 1),
            ("min_password_length", settings.min_password_length >= 1, 1),
            ("request_timeout_seconds", settings.request_timeout_seconds >= 1, 1),
            ("max_connections", settings.max_connections >= 1, 1),
            ("max_connections_per_address", settings.max_connections_per_address >= 1, 1),
        ];
        PublicUrl::parse(&settings.public_url)?;
        match least.iter().find(|(_, holds, _)| !holds) {
            Some((name, _, least)) => Err(format!("{name} must be {least} or more")),
            None => Ok(settings),
        }
    }

    /// What one password hash costs.
    pub fn password_cost(&self) -> Cost {
        Cost { memory_kib: self.argon2_memory_kib, iterations: self.argon2_iterations }
    }

    /// What a client may keep the server waiting for.
    pub fn limits(&self) -> Limits {
        Limits {
            patience: Duration::from_secs(self.request_timeout_seconds.into()),
            most: self.max_connections,
            most_per_address: self.max_connections_per_address,
            proxy: self.trusted_proxy(),
        }
    }

    /// The proxy that is believed when it names a client's address.
    pub fn trusted_proxy(&self) -> TrustedProxy {
        TrustedProxy::new(self.trusted_proxy)
    }

    /// How often in a minute one may try things.
    pub fn rates(&self) -> Rates {
        Rates {
            logins: self.login_attempts_per_minute,
            registrations: self.registrations_per_minute,
            throws: self.throws_per_minute,
        }
    }

    /// How long a read or a change takes that is logged as slow.
    pub fn slow(&self) -> Option<Duration> {
        (self.slow_query_ms > 0).then(|| Duration::from_millis(self.slow_query_ms))
    }

    /// How long a change waits for another program's lock on the file.
    pub fn busy_timeout(&self) -> Duration {
        Duration::from_millis(self.busy_timeout_ms)
    }
}

/// Where all settings come from, weakest first: our defaults for Rocket, `Rocket.toml` in this
/// folder or one above it, `ROCKET_*` in the environment.
pub fn figment() -> Figment {
    Figment::from(Config::default())
        .merge(("workers", default_workers()))
        // Signals are our own business.
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", Vec::<String>::new()))
        .merge(("shutdown.grace", 8))
        .merge(("shutdown.mercy", 1))
        .merge(Toml::file(Env::var_or("ROCKET_CONFIG", "Rocket.toml")).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .select(Profile::from_env_or("ROCKET_PROFILE", Config::DEFAULT_PROFILE))
}

/// Reads run on the workers themselves, so there are more of them than cores: a slow query then
/// shares a core with the others instead of keeping it.
fn default_workers() -> usize {
    available_parallelism().map_or(4, |cores| (2 * cores.get()).max(4))
}

/// Rocket's `log_level`, which is ours too: `off`, `critical` (errors only), `normal` (one line a
/// request) or `debug` (Rocket's own lines as well).
pub fn log_level(figment: &Figment) -> LogLevel {
    figment.extract_inner(Config::LOG_LEVEL).unwrap_or(LogLevel::Normal)
}
