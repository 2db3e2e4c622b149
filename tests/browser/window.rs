//! Windows of a browser. A browser takes longer to start than most stories to run, so its windows go from one
//! story to the next, which finds nothing of the one before. Those of WebKit cannot be emptied, and do not.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bottle_test_support::TIMEOUT;
use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::engine::{Driver, Engine, Preferences};

/// The number of windows that wait for a story, each a process of about 300 MB.
const MAX_IDLE: usize = 4;

/// Lets a window of Firefox be narrower than its toolbar.
const UNBOUND_FIREFOX: &str = "
    const { document } = Services.wm.getMostRecentWindow('navigator:browser');
    document.documentElement.style.setProperty('min-width', '0', 'important');";

/// Deletes all that pages have stored in Firefox, and what was emulated.
const EMPTY_FIREFOX: &str = "
    Services.prefs.clearUserPref('layout.css.prefers-color-scheme.content-override');
    return new Promise((resolve) => Services.clearData.deleteData(
        Ci.nsIClearDataService.CLEAR_ALL, { onDataDeleted: resolve }));";

static IDLE: Mutex<Vec<Window>> = Mutex::new(Vec::new());

/// Serves the sessions: a test's own runtime ends with the test.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// A browser with one session of its driver. Dropping it ends all of them.
pub(crate) struct Window {
    pub(crate) client: Client,
    engine: Engine,
    preferences: Preferences,
    /// The address of the session at the driver.
    session: String,
    // Dropped after the session has ended.
    _driver: Driver,
    _profile: TempDir,
}

impl Window {
    /// Returns an empty window of this size.
    pub(crate) async fn open(preferences: Preferences, size: (u32, u32)) -> Self {
        let window = match take_idle(&preferences) {
            Some(window) => window,
            None => Self::start(preferences, size).await,
        };
        window.resize(size).await;
        window
    }

    async fn start(preferences: Preferences, size: (u32, u32)) -> Self {
        let engine = Engine::chosen();
        let profile = tempfile::tempdir().unwrap();
        let driver = engine.start_driver(profile.path(), &preferences);
        let capabilities = engine.capabilities(&preferences, size, profile.path());
        let client = connect(engine, driver.url.clone(), capabilities).await;
        let session = client.session_id().await.unwrap().unwrap();
        let session = format!("{}/session/{session}", driver.url);
        let window =
            Self { client, engine, preferences, session, _driver: driver, _profile: profile };
        if engine == Engine::Firefox {
            window.run_privileged(UNBOUND_FIREFOX, &json!([]));
        }
        window
    }

    /// Gives the page this size. In Chromium it becomes a phone's screen, with touch.
    pub(crate) async fn resize(&self, (width, height): (u32, u32)) {
        if self.engine == Engine::Chromium {
            let size =
                json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true });
            self.devtools("Emulation.setDeviceMetricsOverride", &size);
            self.devtools("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
            return;
        }
        let script = "return [outerWidth - innerWidth, outerHeight - innerHeight]";
        let frame = self.client.execute(script, vec![]).await.unwrap();
        let frame = [0, 1].map(|n| frame[n].as_u64().unwrap_or_default() as u32);
        self.client.set_window_size(width + frame[0], height + frame[1]).await.unwrap();
        let started = Instant::now();
        let script = "return [innerWidth, innerHeight]";
        while self.client.execute(script, vec![]).await.unwrap() != json!([width, height]) {
            assert!(started.elapsed() < TIMEOUT, "the window is not {width} by {height}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Keeps the window for another story, if it can be emptied of what the pages at `origin` have stored.
    pub(crate) async fn put_back(self, origin: &str) {
        if self.engine == Engine::WebKit || self.empty(origin).await.is_err() {
            return;
        }
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self);
        if idle.len() > MAX_IDLE {
            let oldest = idle.remove(0);
            // To end a browser takes a while.
            drop(idle);
            drop(oldest);
        }
    }

    /// Replaces all tabs by a new one, with which everything ends that was emulated, and deletes what was stored.
    async fn empty(&self, origin: &str) -> Result<(), CmdError> {
        let tabs = self.client.windows().await?;
        let new = self.client.new_window(true).await?;
        for tab in tabs {
            self.client.switch_to_window(tab).await?;
            self.client.close_window().await?;
        }
        self.client.switch_to_window(new.handle).await?;
        if self.engine == Engine::Firefox {
            self.run_privileged(EMPTY_FIREFOX, &json!([]));
            return Ok(());
        }
        let stored = json!({ "origin": origin, "storageTypes": "all" });
        self.devtools("Storage.clearDataForOrigin", &stored);
        for command in
            ["Network.clearBrowserCookies", "Network.clearBrowserCache", "Browser.resetPermissions"]
        {
            self.devtools(command, &json!({}));
        }
        for log in ["browser", "performance"] {
            self.log(log);
        }
        Ok(())
    }

    /// Sends a command to Chromium's developer tools.
    pub(crate) fn devtools(&self, command: &str, params: &Value) {
        self.driven("goog/cdp/execute", &json!({ "cmd": command, "params": params }));
    }

    /// Returns the new lines of a log of Chromium.
    pub(crate) fn log(&self, kind: &str) -> Value {
        self.driven("se/log", &json!({ "type": kind }))
    }

    /// Sets a preference of Firefox.
    pub(crate) fn set_preference(&self, name: &str, value: u8) {
        let script = "Services.prefs.setIntPref(arguments[0], arguments[1])";
        self.run_privileged(script, &json!([name, value]));
    }

    /// Runs a script with the rights of Firefox itself.
    fn run_privileged(&self, script: &str, args: &Value) {
        self.driven("moz/context", &json!({ "context": "chrome" }));
        self.driven("execute/sync", &json!({ "script": script, "args": args }));
        self.driven("moz/context", &json!({ "context": "content" }));
    }

    /// Sends a command of a driver's own and returns its response.
    fn driven(&self, command: &str, with: &Value) -> Value {
        let mut response =
            ureq::post(format!("{}/{command}", self.session)).send_json(with).unwrap();
        let response = response.body_mut().with_config().limit(1 << 28).read_json::<Value>();
        response.unwrap()["value"].take()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Without this the browser would outlive its driver.
        let _ = ureq::delete(&self.session).call();
    }
}

fn take_idle(preferences: &Preferences) -> Option<Window> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let place = idle.iter().position(|window| window.preferences == *preferences)?;
    Some(idle.remove(place))
}

/// Begins a session, once the driver accepts it.
async fn connect(engine: Engine, driver: String, capabilities: Value) -> Client {
    let Value::Object(capabilities) = capabilities else { panic!("{capabilities}") };
    let session = async move {
        let started = Instant::now();
        loop {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            match builder.capabilities(capabilities.clone()).connect(&driver).await {
                Err(NewSessionError::Failed(_) | NewSessionError::FailedC(_))
                    if started.elapsed() < TIMEOUT =>
                {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                result => return result,
            }
        }
    };
    match RUNTIME.spawn(session).await.unwrap() {
        Ok(client) => client,
        Err(e) => panic!("{engine:?} did not start: {e}\n{}", engine.install()),
    }
}
