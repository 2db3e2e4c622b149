//! A real Chromium, cut off from every host but this machine, and found its way by accessible names
//! alone, as a screen reader's user would.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bottle::server::lan;
use bottle_test_support::TIMEOUT;
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

const INSTALL: &str = "apt-get install chromium chromium-driver";
const INSTALL_AXE: &str = "npm install --no-save --prefix target/axe axe-core@4";

/// A browser window on the page of one server.
pub(crate) struct Browser {
    client: Client,
    driver: Child,
    /// The URL of this window's session in ChromeDriver.
    session: String,
    /// The page.
    pub(crate) origin: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens the page at `port`, in a language (`en`, `zh`), in a window of this size.
    pub(crate) async fn open(port: u16, language: &str, size: (u32, u32), hash: &str) -> Self {
        Self::open_at(format!("http://127.0.0.1:{port}/"), language, size, hash).await
    }

    /// The same by another of this machine's names. As someone who goes on past its warning, the browser takes
    /// any certificate.
    pub(crate) async fn open_at(
        origin: String,
        language: &str,
        (width, height): (u32, u32),
        hash: &str,
    ) -> Self {
        let (driver, driver_url) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let names = format!("MAP {} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", lan::NAME);
        let capabilities = json!({
            "acceptInsecureCerts": true,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": {
                "binary": "/usr/bin/chromium",
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
                    format!("--host-resolver-rules={names}"),
                    "--force-prefers-reduced-motion",
                    format!("--user-data-dir={}", profile.path().display()),
                    format!("--accept-lang={language}"),
                ],
                "mobileEmulation": { "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0 } },
                "prefs": { "intl.accept_languages": language },
            },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&driver_url)
            .await
            .unwrap_or_else(|e| panic!("Chromium did not start: {e}\n{INSTALL}"));
        let session = client.session_id().await.unwrap().unwrap();
        let session = format!("{driver_url}/session/{session}");
        let browser = Self { client, driver, session, origin, _profile: profile };
        browser.go(hash).await;
        browser
    }

    /// The visible control of this kind (`button` or `field`) with this accessible name. Waits for it, and
    /// scrolls it into sight as the page would for who comes to it by keyboard.
    pub(crate) async fn find(&self, kind: &str, name: &str) -> Element {
        const FIND: &str = "
            const [kind, name] = arguments;
            const tags = { button: 'button, a, [role=button], summary', field: 'input, textarea, select' };
            const text = (node) => (node.getAttribute('aria-label')
                ?? (node.labels?.length ? node.labels[0].textContent : node.textContent)).trim();
            const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled
                && node.getClientRects().length > 0;
            const dialog = document.querySelector('dialog[open]');
            const found = [...(dialog ?? document).querySelectorAll(tags[kind])]
                .filter((node) => seen(node) && text(node) === name);
            found[0]?.scrollIntoView({ block: 'nearest' });
            return found[0] ?? null;";
        let started = Instant::now();
        loop {
            let found = self.client.execute(FIND, vec![kind.into(), name.into()]).await.unwrap();
            // A reference to an element is an object of one field.
            if let Some(id) = found.as_object().and_then(|found| found.values().next()?.as_str()) {
                return Element::from_element_id(self.client.clone(), id.to_owned().into());
            }
            if started.elapsed() > TIMEOUT {
                panic!("no {kind} is called {name:?}; the page says:\n{}", self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Clicks the button of that name.
    pub(crate) async fn click(&self, name: &str) {
        let started = Instant::now();
        loop {
            match self.find("button", name).await.click().await {
                Ok(()) => return,
                // It may be moving, or be drawn anew.
                Err(e) if started.elapsed() > TIMEOUT => panic!("{name} cannot be clicked: {e}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Replaces what stands in the field of that name.
    pub(crate) async fn fill(&self, name: &str, value: &str) {
        let field = self.find("field", name).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// Touches the middle of the map.
    pub(crate) async fn touch_map(&self) {
        let map = self.client.find(fantoccini::Locator::Css("#map")).await.unwrap();
        map.click().await.unwrap();
    }

    /// Waits until something stands in the field of that name, and tells what.
    pub(crate) async fn filled(&self, name: &str) -> String {
        let started = Instant::now();
        loop {
            match self.value(name).await {
                empty if empty.is_empty() => {
                    assert!(started.elapsed() < TIMEOUT, "{name} stays empty");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                value => return value,
            }
        }
    }

    /// Returns the value of the field with this label.
    pub(crate) async fn value(&self, name: &str) -> String {
        self.find("field", name).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// All that can be read on the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page and returns its result.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until the page says this.
    pub(crate) async fn reads(&self, wanted: &str) {
        let started = Instant::now();
        while !self.text().await.contains(wanted) {
            if started.elapsed() > TIMEOUT {
                panic!("{wanted:?} does not appear; the page says:\n{}", self.text().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Goes to another page, or to another place on this one.
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.unwrap();
    }

    /// Follows a link to a place or a bottle on the page.
    pub(crate) async fn follow(&self, hash: &str) {
        let script = "location.hash = arguments[0]";
        self.client.execute(script, vec![hash.into()]).await.unwrap();
    }

    /// The files, each with its bytes on the wire, that the page had asked for when it first asked for
    /// `path`, that one included.
    pub(crate) async fn loaded_before(&self, path: &str) -> Vec<(String, u64)> {
        const LOADED: &str = "
            const all = [...performance.getEntriesByType('navigation'),
                ...performance.getEntriesByType('resource')];
            const first = all.find((entry) => entry.name.includes(arguments[0]));
            return all.filter((entry) => entry.startTime <= first.startTime)
                .map((entry) => [entry.name, entry.transferSize]);";
        let loaded = self.client.execute(LOADED, vec![path.into()]).await.unwrap();
        serde_json::from_value(loaded).unwrap()
    }

    /// Loads the page anew.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Fails if axe-core finds a barrier in the page as it stands.
    pub(crate) async fn check_accessible(&self, state: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("target/axe/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}\n{INSTALL_AXE}", path.display()));
        self.client.execute(&axe, vec![]).await.unwrap();
        let run = "const done = arguments[0];
            axe.run({ resultTypes: ['violations'] }).then((r) => done(r.violations.map(
                (v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`)));";
        let violations = self.client.execute_async(run, vec![]).await.unwrap();
        assert_eq!(violations, json!([]), "{state}");
    }

    /// Fails if the console holds an error but the named statuses, or the page asked another host for
    /// anything. Closes the window.
    pub(crate) async fn close(self, expected: &[&str]) {
        let console = self.log("browser");
        for line in console.as_array().unwrap() {
            let message = line["message"].as_str().unwrap_or_default();
            let known = expected.iter().any(|expected| message.contains(expected));
            assert!(line["level"] != "SEVERE" || known, "in the console: {message}");
        }
        for line in self.log("performance").as_array().unwrap() {
            let event: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            if event["message"]["method"] == "Network.requestWillBeSent" {
                let url = event["message"]["params"]["request"]["url"].as_str().unwrap();
                // The browser's own pages (chrome:) and what the page carries in itself (data:, blob:)
                // go through no network.
                let inside =
                    ["chrome:", "data:", "blob:", "about:"].iter().any(|s| url.starts_with(s));
                let own = inside || url.starts_with(&self.origin);
                assert!(own, "another host was asked: {url}");
            }
        }
    }

    /// The device is at this place, and its owner lets the page know.
    pub(crate) fn is_at(&self, latitude: f64, longitude: f64) {
        let tell = |cmd: &str, params: Value| {
            self.driven("goog/cdp/execute", &json!({ "cmd": cmd, "params": params }));
        };
        tell("Browser.grantPermissions", json!({ "permissions": ["geolocation"] }));
        let place = json!({ "latitude": latitude, "longitude": longitude, "accuracy": 10 });
        tell("Emulation.setGeolocationOverride", place);
    }

    /// Returns the browser's log.
    fn log(&self, kind: &str) -> Value {
        self.driven("se/log", &json!({ "type": kind }))
    }

    /// Sends a command that only ChromeDriver knows, and returns its result.
    fn driven(&self, command: &str, with: &Value) -> Value {
        let mut response =
            ureq::post(format!("{}/{command}", self.session)).send_json(with).unwrap();
        response.body_mut().with_config().limit(1 << 28).read_json::<Value>().unwrap()["value"]
            .take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without this the window would outlive its driver.
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts ChromeDriver on a free port.
fn start_driver() -> (Child, String) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("chromedriver: {e}\n{INSTALL}"));
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines
        .map_while(Result::ok)
        .find_map(|line| {
            Some(line.split("successfully on port ").nth(1)?.trim_end_matches('.').to_owned())
        })
        .unwrap_or_else(|| panic!("chromedriver printed no port\n{INSTALL}"));
    (driver, format!("http://127.0.0.1:{port}"))
}
