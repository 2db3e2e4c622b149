//! `bottle serve`: from settings to a server that shuts down cleanly.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bottle::api::bottle::{DemoAccount, SharedJoinInfo};
use bottle::http::connections;
use bottle::model::clock::Clock;
use bottle::server::config::{self, Settings};
use bottle::server::lan;
use bottle::server::logging;
use bottle::server::map_files::MapFiles;
use bottle::server::metrics::Metrics;
use bottle::server::shutdown::InFlight;
use bottle::server::tls::Certificate;
use bottle::server::{self, AppState};
use bottle::store::street_maps::{StreetMap, StreetMaps};
use bottle::store::{self, Store};
use clap::ValueEnum;
use rocket::config::TlsConfig;
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::{Build, Config, Orbit, Rocket};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::setup::SetupLink;
use super::terminal;

/// The source of the TLS certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Tls {
    /// Generate one, and store it in the database
    Auto,
}

/// The arguments of `bottle serve`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The database file; created if it is missing or empty [default: bottle.db]
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// A street map for use without internet: a PMTiles or MBTiles file. Repeat it for several
    #[arg(long, value_name = "FILE")]
    map: Vec<PathBuf>,
    /// Serve reads from a file that `litestream restore -f` writes
    #[arg(long)]
    standby: bool,
    #[command(flatten)]
    lan: LanOptions,
}

/// The options for serving a local network.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct LanOptions {
    /// Let others on this network join, and print an address and a QR code for them
    #[arg(long)]
    lan: bool,
    /// Serve over HTTPS, with a certificate that this machine generates
    #[arg(long, value_name = "auto")]
    tls: Option<Tls>,
}

/// Serves until SIGTERM or Ctrl-C. The arguments override the settings.
pub(super) fn run(Args { db, map, standby, lan }: Args) -> Result<(), String> {
    let mut figment = config::figment();
    if lan.lan {
        figment = figment.merge((Config::ADDRESS, Ipv4Addr::UNSPECIFIED));
    }
    let mut settings = Settings::from(&figment).map_err(super::invalid_settings)?;
    if let Some(db) = db {
        settings.database = db;
    }
    if !map.is_empty() {
        settings.map_file = MapFiles::Several(map);
    }
    serve(figment, &settings, Demo::default(), lan, standby)
}

/// The additions of a demo; empty for any other server.
#[derive(Default)]
pub(super) struct Demo {
    /// Lines that are printed below the address.
    pub(super) notes: Vec<String>,
    /// Accounts whose passwords are public.
    pub(super) accounts: Vec<DemoAccount>,
}

/// Serves with these settings until SIGTERM or Ctrl-C.
pub(super) fn serve(
    figment: Figment,
    settings: &Settings,
    demo: Demo,
    lan: LanOptions,
    is_standby: bool,
) -> Result<(), String> {
    let mut rocket_config = Config::try_from(&figment).map_err(super::invalid_settings)?;
    rocket_config.workers = config::workers(&figment, &rocket_config, &settings.database);
    logging::init(config::log_level(&figment), settings.log_format);
    let max_connections = settings.max_connections.min(connections::raise_fd_limit());
    let settings = &Settings { max_connections, ..settings.clone() };

    let options = store::Options {
        readers: u32::try_from(rocket_config.workers).unwrap_or(u32::MAX),
        // By default half of the cores, or all if the memory does not hold the file.
        long_readers: u32::try_from(rocket_config.workers / 4).unwrap_or(u32::MAX).max(1),
        busy_timeout: settings.busy_timeout(),
        slow: settings.slow_query(),
        map_cache_bytes: u64::from(settings.map_cache_mib) * 1024 * 1024,
    };
    let store = open(settings, &options, is_standby)?;
    let path = store.path().to_owned();
    let state = AppState {
        maps: open_maps(settings.map_file.paths())?,
        demo_accounts: demo.accounts,
        is_self_signed: lan.tls == Some(Tls::Auto),
        ..AppState::new(Arc::new(store), Clock::default())
    };
    let metrics = settings.metrics_address.map(|address| {
        let metrics = Metrics::default();
        let metrics_server =
            metrics.server(&figment, address, Arc::clone(&state.store), Clock::default());
        (metrics, metrics_server)
    });
    let (metrics, metrics_server) = metrics.unzip();
    let (figment, lan) = configure_tls(figment, lan, &state)?;
    let setup = if is_standby { None } else { SetupLink::prepare(&state.store, settings) };
    let banner = banner(&path, demo.notes, lan, setup);
    let mut rocket = server::build(figment, settings, state)
        .attach(InFlight::shut_down_on_signals())
        .attach(banner);
    if let Some(metrics) = metrics {
        rocket = rocket.attach(metrics);
    }

    let runtime = runtime(&rocket_config)?;
    let ended = runtime.block_on(async {
        if let Some(metrics_server) = metrics_server {
            launch_beside(metrics_server).await?;
        }
        launch(rocket).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

/// Opens the database, of which this machine is the primary or a standby.
fn open(settings: &Settings, options: &store::Options, is_standby: bool) -> Result<Store, String> {
    let Settings { database, primary_url, peer_url, .. } = settings;
    if is_standby {
        if primary_url.is_empty() {
            return Err("a standby names its primary: set primary_url".into());
        }
        return Store::open_standby(database, options, primary_url).map_err(|e| e.to_string());
    }
    let store = Store::open(database, options).map_err(|e| e.to_string())?;
    if !peer_url.is_empty() {
        super::promote::check_peer(peer_url, &store)?;
    }
    Ok(store)
}

fn open_maps(paths: &[PathBuf]) -> Result<StreetMaps, String> {
    let maps: Result<Vec<_>, _> = paths.iter().map(|path| StreetMap::open(path)).collect();
    maps.map(StreetMaps::new)
}

fn runtime(config: &Config) -> Result<Runtime, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.workers)
        .max_blocking_threads(config.max_blocking)
        .thread_name("rocket-worker")
        .enable_all()
        .build();
    runtime.map_err(|e| format!("cannot start the async runtime: {e}"))
}

/// The join information to fill in once the server listens, and the certificate's fingerprint.
type JoinSetup = (SharedJoinInfo, Option<String>);

/// Adds the certificate to Rocket's settings, and returns the join information to fill in, if the
/// options ask for either.
fn configure_tls(
    figment: Figment,
    lan: LanOptions,
    state: &AppState,
) -> Result<(Figment, Option<JoinSetup>), String> {
    let join_info = state.join_info.clone();
    let Some(Tls::Auto) = lan.tls else {
        return Ok((figment, lan.lan.then_some((join_info, None))));
    };
    let here = ["localhost".to_owned(), "127.0.0.1".to_owned(), lan::NAME.to_owned()];
    let names =
        here.into_iter().chain(lan::addresses().into_iter().map(|address| address.to_string()));
    let certificate = async {
        let certificate =
            Certificate::load_or_create(&state.store, names.collect(), &state.clock).await;
        certificate.map_err(|e| format!("cannot generate a certificate: {e}"))
    };
    let certificate = super::wait_for(certificate)?;
    let tls = TlsConfig::from_bytes(certificate.certificate.as_bytes(), certificate.key.as_bytes());
    Ok((figment.merge((Config::TLS, tls)), Some((join_info, Some(certificate.fingerprint)))))
}

/// Launches a second server in the background, and waits until it listens.
async fn launch_beside(server: Rocket<Build>) -> Result<(), String> {
    let (listening, listens) = oneshot::channel();
    let listening = std::sync::Mutex::new(Some(listening));
    let server = server.attach(AdHoc::on_liftoff("listens", move |rocket: &Rocket<Orbit>| {
        let config = rocket.config();
        println!("Metrics: http://{}:{}/metrics", config.address, config.port);
        if let Some(listening) = listening.lock().ok().and_then(|mut once| once.take()) {
            let _ = listening.send(());
        }
        Box::pin(async {})
    }));
    let ended = tokio::spawn(launch(server));
    match listens.await {
        Ok(()) => Ok(()),
        Err(_) => ended.await.unwrap_or_else(|e| Err(e.to_string())),
    }
}

async fn launch(rocket: Rocket<Build>) -> Result<(), String> {
    let address = |rocket: &Rocket<Build>| {
        let config = Config::try_from(rocket.figment()).unwrap_or_default();
        format!("{}:{}", config.address, config.port)
    };
    let address = address(&rocket);
    match rocket.launch().await {
        Ok(_) => Ok(()),
        // Rocket panics on an error that is dropped without having been formatted.
        Err(e) => match e.kind() {
            ErrorKind::Shutdown(..) => {
                tracing::warn!("some connections were still open at the shutdown: {e}");
                Ok(())
            }
            ErrorKind::Bind(_) | ErrorKind::Io(_) => Err(format!(
                "cannot listen on {address}: {e}\n\
                 Another program may be using the port. To use another one: ROCKET_PORT=8001 bottle"
            )),
            _ => Err(format!("cannot start the server: {e}")),
        },
    }
}

/// Returns the address under which this machine reaches the server.
fn own_address(config: &Config) -> String {
    let scheme = if config.tls_enabled() { "https" } else { "http" };
    let address = match config.address {
        any if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        address => address,
    };
    format!("{scheme}://{}", SocketAddr::new(address, config.port))
}

/// Returns a fairing that prints the server's address and database once it listens.
fn banner(
    database: &Path,
    notes: Vec<String>,
    lan: Option<JoinSetup>,
    setup: Option<SetupLink>,
) -> AdHoc {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    AdHoc::on_liftoff("banner", move |rocket: &Rocket<Orbit>| {
        Box::pin(async move {
            let config = rocket.config();
            let scheme = if config.tls_enabled() { "https" } else { "http" };
            let address = SocketAddr::new(config.address, config.port);
            println!("Bottle {} listens on {scheme}://{address}", env!("CARGO_PKG_VERSION"));
            terminal::print(format_args!("Database: {}", database.display()));
            for note in notes {
                println!("{note}");
            }
            let reachable = lan.and_then(|(join_info, fingerprint)| {
                lan::publish_join_info(&join_info, config, fingerprint)
            });
            if let Some(setup) = setup {
                setup.announce(&own_address(config), reachable.as_deref());
            }
            println!("Press Ctrl-C to stop.");
            // Without systemd, this has no effect.
            if let Err(e) = sd_notify::notify(false, &[sd_notify::NotifyState::Ready]) {
                tracing::warn!("cannot notify systemd that the server is ready: {e}");
            }
        })
    })
}
