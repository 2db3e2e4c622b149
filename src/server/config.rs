//! The settings: Bottle's in `[default.bottle]` of `Rocket.toml` or in
//! `ROCKET_BOTTLE='{key=value}'`, and Rocket's own beside them. Each has a default.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use rocket::config::{Config, LogLevel};
use rocket::figment::providers::{Env, Format, Serialized, Toml};
use rocket::figment::{Figment, Profile};
use serde::{Deserialize, Serialize};

use crate::domain::maintenance::BackupFolder;
use crate::domain::password::Cost;
use crate::domain::rate_limit::Rates;
use crate::http::PublicUrl;
use crate::http::connections::Limits;
use crate::http::webhook::DeliveryLimits;
use crate::model::live::{LiveSetting, LiveValues};
use crate::model::network::TrustedProxy;
use crate::model::registration::RegistrationMode;
use crate::server::logging::LogFormat;
use crate::server::map_files::MapFiles;
use crate::store::is_held_by_memory;

/// Bottle's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The database file. `--db` overrides it.
    pub database: PathBuf,
    /// The minimum length of a new password, in characters; at least 1.
    pub min_password_length: usize,
    /// The memory of one password hash (Argon2id), in KiB; at least 8.
    pub argon2_memory_kib: u32,
    /// The passes of Argon2id over that memory; at least 1.
    pub argon2_iterations: u32,
    /// The number of passwords that are hashed at one time; at least 1.
    pub password_workers: usize,
    /// The lifetime of a Bottle session, in seconds.
    pub session_seconds: u32,
    /// The lifetime of a Ledger token, in seconds.
    pub ledger_token_seconds: u32,
    /// The lifetime of a Music token, in seconds.
    pub music_token_seconds: u32,
    /// The lifetime of a Bookstore token, in seconds.
    pub bookstore_token_seconds: u32,
    /// The URL of map tiles on the internet, with `{z}`, `{x}` and `{y}`; empty for none.
    pub tile_url: String,
    /// The attribution that the page shows on that map.
    pub tile_attribution: String,
    /// The files with street maps; empty for none. `--map` overrides it.
    pub map_file: MapFiles,
    /// True if visitors see counts of bottles.
    pub public_counts: bool,
    /// The time that a change waits for another program's lock on the file, in milliseconds.
    pub busy_timeout_ms: u64,
    /// The time in which a client must begin a request, and then send its body, in seconds; at
    /// least 1.
    pub request_timeout_seconds: u32,
    /// The number of connections that may be open; at least 1. Above it, the server closes
    /// the connections that have waited longest.
    pub max_connections: usize,
    /// The number of connections that may be open from one address; at least 1.
    pub max_connections_per_address: usize,
    /// The rate limit for wrong passwords, per account. An address may send ten times as many.
    pub login_attempts_per_minute: u32,
    /// The mode of registration; `None` for the mode that an operator chose on the page.
    pub registration: Option<RegistrationMode>,
    /// The rate limit for registrations, per address.
    pub registrations_per_minute: u32,
    /// The rate limit for bottles and replies, per account. An address may send ten times as many.
    pub throws_per_minute: u32,
    /// The number of reports by different accounts that hide a bottle; 0 for never.
    pub reports_to_hide: u32,
    /// The number of event streams that may be open.
    pub max_event_streams: usize,
    /// The URL under which clients reach the server, if a proxy serves it over HTTPS; empty to use
    /// the `Host` header.
    pub public_url: String,
    /// The address of the primary, which a standby names to those who want to write.
    pub primary_url: String,
    /// The address of the other one of two machines, which may have been promoted; empty for none.
    pub peer_url: String,
    /// The interval at which a primary stores a heartbeat, in seconds; 0 for never.
    pub heartbeat_seconds: u32,
    /// The address of the proxy that names clients' addresses in a header; empty for none.
    pub trusted_proxy: Option<IpAddr>,
    /// The format of the log: `text` or `json`.
    pub log_format: LogFormat,
    /// The address that serves `/metrics` to Prometheus; empty for none.
    pub metrics_address: Option<SocketAddr>,
    /// The duration from which reads and changes are logged as slow, in milliseconds; 0 for never.
    pub slow_query_ms: u64,
    /// The maximum size of the cache of what the map shows, in MiB; 0 for none.
    pub map_cache_mib: u32,
    /// The time in which the receiver of the webhook must answer, in seconds; at least 1.
    pub webhook_timeout_seconds: u32,
    /// The hosts to which the webhook may send although their address is not public.
    pub webhook_private_hosts: Vec<String>,
    /// The folder of the backups that the server makes. A relative path begins at the database's
    /// folder.
    pub backup_folder: PathBuf,
    /// The hour of the nightly backup, on the clock at the server's place; at most 23.
    pub backup_hour: u32,
    /// The number of backups to keep after the nightly one; 0 for no nightly backup.
    pub backup_keep: u32,
}

/// The default of `backup_folder`, which the server creates.
pub const BACKUP_FOLDER: &str = "backups";

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
            map_file: MapFiles::default(),
            public_counts: true,
            busy_timeout_ms: 4000,
            request_timeout_seconds: 30,
            max_connections: 2048,
            max_connections_per_address: 512,
            login_attempts_per_minute: 20,
            registration: None,
            registrations_per_minute: 300,
            throws_per_minute: 300,
            reports_to_hide: 3,
            max_event_streams: 1024,
            public_url: String::new(),
            primary_url: String::new(),
            peer_url: String::new(),
            heartbeat_seconds: 0,
            trusted_proxy: None,
            log_format: LogFormat::Text,
            metrics_address: None,
            slow_query_ms: 500,
            map_cache_mib: 32,
            webhook_timeout_seconds: 10,
            webhook_private_hosts: Vec::new(),
            backup_folder: BACKUP_FOLDER.into(),
            backup_hour: 3,
            backup_keep: 0,
        }
    }
}

impl Settings {
    /// Reads the settings from `figment`.
    ///
    /// # Errors
    /// Returns a message for the operator if a setting is unknown, has the wrong type or is out of
    /// range.
    pub fn from(figment: &Figment) -> Result<Self, String> {
        let settings: Self = match figment.find_value("bottle") {
            Ok(_) => figment
                .extract_inner("bottle")
                .map_err(|e| format!("{}: {}", e.path.join("."), e.kind))?,
            Err(_) => Self::default(),
        };
        // Argon2 itself requires 8 KiB and one pass.
        let min = [
            ("argon2_memory_kib", settings.argon2_memory_kib >= 8, 8),
            ("argon2_iterations", settings.argon2_iterations >= 1, 1),
            ("password_workers", settings.password_workers >= 1, 1),
            ("min_password_length", settings.min_password_length >= 1, 1),
            ("request_timeout_seconds", settings.request_timeout_seconds >= 1, 1),
            ("webhook_timeout_seconds", settings.webhook_timeout_seconds >= 1, 1),
            ("max_connections", settings.max_connections >= 1, 1),
            ("max_connections_per_address", settings.max_connections_per_address >= 1, 1),
        ];
        PublicUrl::parse("public_url", &settings.public_url)?;
        PublicUrl::parse("primary_url", &settings.primary_url)?;
        if PublicUrl::parse("peer_url", &settings.peer_url)?.is_https() {
            return Err("peer_url is over https: name the other machine itself over http".into());
        }
        if settings.backup_hour > LiveSetting::BackupHour.max() {
            return Err(format!("backup_hour is {}: set it to 0 to 23", settings.backup_hour));
        }
        match min.iter().find(|(_, holds, _)| !holds) {
            Some((name, _, min)) => Err(format!("{name} is too small: set it to {min} or more")),
            None => Ok(settings),
        }
    }

    /// Returns the cost of one password hash.
    pub fn password_cost(&self) -> Cost {
        Cost { memory_kib: self.argon2_memory_kib, iterations: self.argon2_iterations }
    }

    /// Returns the limits on connections.
    pub fn limits(&self) -> Limits {
        Limits {
            request_timeout: Duration::from_secs(self.request_timeout_seconds.into()),
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            proxy: self.trusted_proxy(),
        }
    }

    /// Returns the proxy whose header names the client's address.
    pub fn trusted_proxy(&self) -> TrustedProxy {
        TrustedProxy::new(self.trusted_proxy)
    }

    /// Returns the rate limits, two of which are `live`.
    pub fn rates(&self, live: LiveValues) -> Rates {
        Rates { logins: self.login_attempts_per_minute, live }
    }

    /// Returns the value of a setting that may change; 1 for `true`.
    pub fn initial(&self, setting: LiveSetting) -> u32 {
        match setting {
            LiveSetting::PublicCounts => self.public_counts.into(),
            LiveSetting::ReportsToHide => self.reports_to_hide,
            LiveSetting::ThrowsPerMinute => self.throws_per_minute,
            LiveSetting::RegistrationsPerMinute => self.registrations_per_minute,
            LiveSetting::BackupHour => self.backup_hour,
            LiveSetting::BackupKeep => self.backup_keep,
        }
    }

    /// Returns the limits on deliveries to the webhook.
    pub fn deliveries(&self) -> DeliveryLimits {
        DeliveryLimits {
            timeout: Duration::from_secs(self.webhook_timeout_seconds.into()),
            private_hosts: self.webhook_private_hosts.clone(),
        }
    }

    /// Returns the folder of the backups of the database at `path`.
    pub fn backups_of(&self, path: &Path) -> BackupFolder {
        let is_created = self.backup_folder.as_os_str() == BACKUP_FOLDER;
        let folder = path.parent().unwrap_or(Path::new(""));
        BackupFolder { path: folder.join(&self.backup_folder), is_created }
    }

    /// Returns the duration from which reads and changes are logged as slow, or `None` for never.
    pub fn slow_query(&self) -> Option<Duration> {
        (self.slow_query_ms > 0).then(|| Duration::from_millis(self.slow_query_ms))
    }

    /// Returns the time that a change waits for another program's lock on the file.
    pub fn busy_timeout(&self) -> Duration {
        Duration::from_millis(self.busy_timeout_ms)
    }
}

/// Returns the sources of all settings, weakest first: Bottle's defaults for Rocket, `Rocket.toml`
/// in this folder or one above it, `ROCKET_*` in the environment.
pub fn figment() -> Figment {
    defaults()
        .merge(Toml::file(Env::var_or("ROCKET_CONFIG", "Rocket.toml")).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .select(Profile::from_env_or("ROCKET_PROFILE", Config::DEFAULT_PROFILE))
}

/// Returns Bottle's defaults for Rocket.
pub(super) fn defaults() -> Figment {
    Figment::from(Config::default())
        // Of the default profile: a value of the global one would outrank `Rocket.toml`.
        .merge(Serialized::default(Config::WORKERS, default_workers()))
        // `InFlight` handles signals.
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", Vec::<String>::new()))
        .merge(("shutdown.grace", 8))
        .merge(("shutdown.mercy", 1))
}

/// Returns the default number of workers: twice the number of cores, because reads run on the
/// workers, and a slow query then shares its core with others.
fn default_workers() -> usize {
    available_parallelism().map_or(4, |cores| (2 * cores.get()).max(4))
}

/// Returns the number of workers: as set, or twice the default if the memory does not hold the database,
/// so that a read that waits for the disk leaves its core to others.
pub fn workers(figment: &Figment, config: &Config, database: &Path) -> usize {
    let source = |figment: &Figment| figment.find_metadata(Config::WORKERS).cloned();
    let is_default = source(figment) == source(&defaults());
    if is_default && !is_held_by_memory(database) { 2 * config.workers } else { config.workers }
}

/// Returns Rocket's `log_level`, which also applies to Bottle: `off`, `critical` (errors only),
/// `normal` (one line per request) or `debug` (Rocket's own lines as well).
pub fn log_level(figment: &Figment) -> LogLevel {
    figment.extract_inner(Config::LOG_LEVEL).unwrap_or(LogLevel::Normal)
}
