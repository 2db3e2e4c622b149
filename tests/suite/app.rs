//! A server of a test's own: its own folder, file, port and clock.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bottle::model::clock::Clock;
use bottle::server::config::{self, Settings};
use bottle::server::{self, AppState};
use bottle::store::{Options, Store};
use rocket::fairing::AdHoc;
use rocket::{Orbit, Rocket, Shutdown};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::document;

/// How long anything may take before a test gives it up. Nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to the server at `port` on this machine.
pub(crate) fn socket(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// What still comes until the server closes the connection, which it must.
#[track_caller]
pub(crate) fn until_closed(mut socket: TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(e) = socket.read_to_end(&mut rest) {
        // What was sent after the server had closed is answered with a reset.
        assert_eq!(e.kind(), ErrorKind::ConnectionReset, "the connection stays open");
    }
    String::from_utf8_lossy(&rest).into_owned()
}

/// A running server. Dropping it ends the server and removes its folder.
pub(crate) struct App {
    pub(crate) clock: Clock,
    store: Weak<Store>,
    port: u16,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl App {
    /// A server over a new database, with settings that hash passwords fast.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other settings.
    pub(crate) fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        Self::over(tempfile::tempdir().unwrap(), adjust)
    }

    /// A server over the database `bottle.db` in `folder`.
    pub(crate) fn over(folder: TempDir, adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = fast_settings();
        settings.database = folder.path().join("bottle.db");
        adjust(&mut settings);

        let store = Arc::new(Store::open(&settings.database, &options(&settings)).unwrap());
        let (clock, held) = (Clock::default(), Arc::downgrade(&store));
        let (ready, started) = mpsc::channel();
        let figment = config::figment().merge(("port", 0)).merge(("log_level", "off"));
        let rocket = server::build(figment, &settings, AppState::new(store, clock.clone())).attach(
            AdHoc::on_liftoff("ready", |rocket: &Rocket<Orbit>| {
                Box::pin(async move {
                    let _ = ready.send((rocket.config().port, rocket.shutdown()));
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
        let (port, shutdown) = started.recv_timeout(PATIENCE).unwrap();
        Self { clock, store: held, port, shutdown, thread: Some(thread), folder }
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("bottle.db")
    }

    /// The folder that is the server's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many changes wait for a lock on the file.
    pub(crate) fn blocked_changes(&self) -> usize {
        self.store.upgrade().map_or(0, |store| store.blocked_changes())
    }

    /// Where it listens, as browsers name it.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own.
    pub(crate) fn socket(&self) -> TcpStream {
        socket(self.port)
    }

    /// Someone who is not logged in.
    pub(crate) fn anon(&self) -> Client {
        Client::new(self.port)
    }

    /// Someone new, registered and logged in by the Bottle contract with the password `pass`.
    pub(crate) fn user(&self, username: &str) -> Client {
        let mut client = self.anon();
        let account = json!({ "username": username, "password": "pass" });
        assert_eq!(client.post("/api/users", &account).status, 200);
        client.log_in(username, "pass");
        client
    }

    /// Ends the server and keeps the folder.
    pub(crate) fn stop(mut self) -> TempDir {
        self.end();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn end(&mut self) {
        self.shutdown.clone().notify();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.end();
    }
}

/// The default settings, but passwords cost little and nobody tries too often.
pub(crate) fn fast_settings() -> Settings {
    Settings {
        argon2_memory_kib: 8,
        argon2_iterations: 1,
        password_workers: 4,
        login_attempts_per_minute: 0,
        registrations_per_minute: 0,
        throws_per_minute: 0,
        ..Settings::default()
    }
}

/// How the server opens its store with these settings.
pub(crate) fn options(settings: &Settings) -> Options {
    Options { readers: 6, long_readers: 1, busy_timeout: settings.busy_timeout(), slow: None }
}

/// Opens a new store at `path` as the server would.
pub(crate) fn open_store(path: &Path) -> Arc<Store> {
    Arc::new(Store::open(path, &options(&fast_settings())).unwrap())
}

/// A client over real TCP that carries whatever headers it is given.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    port: u16,
    /// Sent with each request.
    pub(crate) headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("no JSON ({e}) with status {}: {}", self.status, self.text))
    }

    /// The envelope's `data`.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// A client of the server at `port` on this machine.
    pub(crate) fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self { agent, port, headers: Vec::new() }
    }

    /// Sends a request exactly as told; `body: None` sends none.
    #[track_caller]
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => {
                let request = request.body(body.to_vec()).unwrap();
                let request =
                    self.agent.configure_request(request).allow_non_standard_methods(true);
                self.agent.run(request.build())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let answer = Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap(),
        };
        document::hold(method, path, &answer);
        answer
    }

    /// The body of an answer that has no end.
    #[track_caller]
    pub(crate) fn stream(&self, path: &str, headers: &[(&str, &str)]) -> impl Read + Send + use<> {
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request = ureq::http::Request::builder().uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.agent.run(request.body(()).unwrap()).unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        answer.into_body().into_reader()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body)
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body)
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None)
    }

    #[track_caller]
    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        self.send(method, path, &json, Some(body.to_string().as_bytes()))
    }

    /// Logs in by the Bottle contract and keeps the cookie.
    #[track_caller]
    pub(crate) fn log_in(&mut self, username: &str, password: &str) {
        let answer =
            self.post("/api/sessions", &json!({ "username": username, "password": password }));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        self.headers.retain(|(name, _)| name != "Cookie");
        self.headers.push(("Cookie".into(), cookie));
    }

    /// Throws a bottle and returns its id.
    #[track_caller]
    pub(crate) fn throw(&self, latitude: f64, longitude: f64) -> i64 {
        let answer = self.post("/api/bottles", &json!({
            "content": "a message",
            "location": { "formatted_address": "", "latitude": latitude, "longitude": longitude }
        }));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.data()["bottle_id"].as_i64().unwrap()
    }
}
