//! A server in the test's own process.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use bottle::model::clock::Clock;
use bottle::server::config::{self, Settings};
use bottle::server::{self, AppState};
use bottle::store::map_cache::CacheStats;
use bottle::store::{Options, Store};
use rocket::fairing::AdHoc;
use rocket::{Orbit, Rocket, Shutdown};
use serde_json::json;
use tempfile::TempDir;

use crate::TIMEOUT;
use crate::client::{self, Client};
use crate::program::run_ok_with_input;
use crate::settings::fast_settings;

/// A running server with a folder, a database, a port and a clock of its own. Dropping it stops the
/// server and removes the folder.
pub struct App {
    /// The server's clock.
    pub clock: Clock,
    store: Weak<Store>,
    port: u16,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
    database: PathBuf,
    folder: TempDir,
}

impl App {
    /// Starts a server with a new database and [`fast_settings`].
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// Starts a server with a new database and other settings.
    ///
    /// ```
    /// let app = bottle_test_support::App::with(|settings| settings.public_counts = false);
    /// ```
    pub fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), adjust)
    }

    /// Starts a server with the database `bottle.db` in `folder`.
    pub fn over(folder: TempDir, adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = fast_settings();
        settings.database = folder.path().join("bottle.db");
        adjust(&mut settings);
        let store = Store::open(&settings.database, &store_options(&settings)).unwrap();
        Self::serve(folder, &settings, store)
    }

    /// Starts a server with a new database and a cache of at most `bytes` for the map. The setting
    /// `map_cache_mib` has no value as small as a test of full caches needs.
    pub fn with_map_cache(bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (settings, database) = (fast_settings(), folder.path().join("bottle.db"));
        let options = Options { map_cache_bytes: bytes, ..store_options(&settings) };
        let store = Store::open(&database, &options).unwrap();
        Self::serve(folder, &settings, store)
    }

    /// Starts another server of the same database, without a cache for the map.
    pub fn beside_without_map_cache(&self) -> Self {
        let settings = fast_settings();
        let options = Options { map_cache_bytes: 0, ..store_options(&settings) };
        let store = Store::open_shared(&self.database, &options).unwrap();
        Self::serve(tempfile::tempdir().unwrap(), &settings, store)
    }

    fn serve(folder: TempDir, settings: &Settings, store: Store) -> Self {
        let (database, store) = (store.path().to_owned(), Arc::new(store));
        let (clock, weak) = (Clock::default(), Arc::downgrade(&store));
        let (sender, ready) = mpsc::channel();
        let figment = config::figment().merge(("port", 0)).merge(("log_level", "off"));
        let rocket = server::build(figment, settings, AppState::new(store, clock.clone())).attach(
            AdHoc::on_liftoff("ready", |rocket: &Rocket<Orbit>| {
                Box::pin(async move {
                    let _ = sender.send((rocket.config().port, rocket.shutdown()));
                })
            }),
        );
        let thread = thread::spawn(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(4)
                .thread_name("rocket-worker")
                .enable_all()
                .build()
                .unwrap()
                .block_on(rocket.launch())
                .map(drop)
                .unwrap();
        });
        let (port, shutdown) = ready.recv_timeout(TIMEOUT).unwrap();
        Self { clock, store: weak, port, shutdown, thread: Some(thread), database, folder }
    }

    /// Returns the path of the database.
    pub fn database(&self) -> PathBuf {
        self.database.clone()
    }

    /// Returns the server's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the number of changes that wait for a lock on the file.
    pub fn blocked_changes(&self) -> usize {
        self.store.upgrade().map_or(0, |store| store.blocked_changes())
    }

    /// Returns the hits and misses of the cache for the map.
    pub fn map_cache_stats(&self) -> CacheStats {
        self.store.upgrade().map_or_else(CacheStats::default, |store| store.map_cache_stats())
    }

    /// Returns the server's origin, as browsers send it.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Opens a connection to the server.
    pub fn connect(&self) -> TcpStream {
        client::connect(self.port)
    }

    /// Returns a client without a session.
    pub fn anon(&self) -> Client {
        Client::new(self.port)
    }

    /// Registers an account with the password `pass` by the Bottle contract, and logs it in.
    #[track_caller]
    pub fn user(&self, username: &str) -> Client {
        let mut client = self.anon();
        let account = json!({ "username": username, "password": "pass" });
        assert_eq!(client.post("/api/users", &account).status, 200);
        client.log_in(username, "pass");
        client
    }

    /// Adds a teacher with the password `pass` by `bottle user add`, and logs it in.
    #[track_caller]
    pub fn teacher(&self, username: &str) -> Client {
        run_ok_with_input(self.folder(), &["user", "add", username, "--teacher"], "pass\n");
        let mut client = self.anon();
        client.log_in(username, "pass");
        client
    }

    /// Adds an operator with the password `pass` by `bottle user add`, and logs it in.
    #[track_caller]
    pub fn operator(&self, username: &str) -> Client {
        run_ok_with_input(self.folder(), &["user", "add", username, "--operator"], "pass\n");
        let mut client = self.anon();
        client.log_in(username, "pass");
        client
    }

    /// Stops the server and keeps its folder.
    pub fn stop(mut self) -> TempDir {
        self.shut_down();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn shut_down(&mut self) {
        self.shutdown.clone().notify();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Returns the options with which [`App`] opens its store.
pub fn store_options(settings: &Settings) -> Options {
    Options {
        readers: 6,
        long_readers: 1,
        busy_timeout: settings.busy_timeout(),
        slow: None,
        map_cache_bytes: u64::from(settings.map_cache_mib) << 20,
    }
}

/// Opens the store at `path`, creating it if it is missing, as [`App`] does.
pub fn open_store(path: &Path) -> Arc<Store> {
    Arc::new(Store::open(path, &store_options(&fast_settings())).unwrap())
}
