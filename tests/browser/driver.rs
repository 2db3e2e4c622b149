//! A window of a real browser, cut off from every host but this machine. Tests find their way by accessible
//! names alone, as a screen reader's user does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bottle_test_support::TIMEOUT;
use fantoccini::Client;
use fantoccini::elements::Element;
use serde_json::{Value, json};

use crate::engine::{Engine, Motion, Preferences, Scheme};
use crate::preload;
use crate::window::Window;

/// Records the errors that the console shows, for drivers that do not return them.
const RECORD_ERRORS: &str = "
    window.errors = [];
    addEventListener('error', ({ message }) => window.errors.push(String(message)));
    addEventListener('unhandledrejection', ({ reason }) => window.errors.push(String(reason)));";
const INSTALL_AXE: &str = "npm install --no-save --prefix target/axe axe-core@4";

/// A browser window on the page of one server.
pub(crate) struct Browser {
    client: Client,
    engine: Engine,
    window: Window,
    size: (u32, u32),
    /// The address of the page.
    pub(crate) origin: String,
}

impl Browser {
    /// Opens the page at `port`, in a language (`en`, `zh`), in a window of this size.
    pub(crate) async fn open(port: u16, language: &str, size: (u32, u32), hash: &str) -> Self {
        Self::open_at(format!("http://127.0.0.1:{port}/"), language, size, hash).await
    }

    /// Opens the page at `port` in English, in a window whose user does not prefer reduced motion.
    pub(crate) async fn open_animated(port: u16, size: (u32, u32), hash: &str) -> Self {
        let origin = format!("http://127.0.0.1:{port}/");
        Self::launch(origin, "en", size, (Motion::Full, Scheme::Light), hash).await
    }

    /// Opens the page at `port` in a window whose user prefers dark colours.
    pub(crate) async fn open_dark(port: u16, language: &str, size: (u32, u32), hash: &str) -> Self {
        let origin = format!("http://127.0.0.1:{port}/");
        Self::launch(origin, language, size, (Motion::Reduced, Scheme::Dark), hash).await
    }

    /// Opens the page by another name of this machine. The browser accepts any certificate, as a reader does who
    /// continues after its warning.
    pub(crate) async fn open_at(
        origin: String,
        language: &str,
        size: (u32, u32),
        hash: &str,
    ) -> Self {
        Self::launch(origin, language, size, (Motion::Reduced, Scheme::Light), hash).await
    }

    async fn launch(
        origin: String,
        language: &str,
        size: (u32, u32),
        (motion, scheme): (Motion, Scheme),
        hash: &str,
    ) -> Self {
        let engine = Engine::chosen();
        // Only WebKit's scheme is that of its start.
        let first_scheme = if engine == Engine::WebKit { scheme } else { Scheme::Light };
        let language_name = language.to_owned();
        let preferences = Preferences { language: language_name, motion, scheme: first_scheme };
        let window = Window::open(preferences, size).await;
        let browser = Self { client: window.client.clone(), engine, window, size, origin };
        if engine == Engine::WebKit {
            browser.choose_language(language).await;
        } else if scheme == Scheme::Dark {
            browser.prefer_dark();
        }
        browser.go(hash).await;
        browser
    }

    /// Stores the language as a reader's choice: WebKit takes its own from the system's locale.
    async fn choose_language(&self, language: &str) {
        self.go("api/settings").await;
        let script = "localStorage.setItem('bottle.language', arguments[0])";
        self.client.execute(script, vec![language.into()]).await.unwrap();
    }

    /// Waits for the visible control of a kind (`button` or `field`) with this accessible name, and scrolls it into
    /// view as the keyboard focus would.
    pub(crate) async fn find(&self, kind: &str, name: &str) -> Element {
        const FIND: &str = "
            const [kind, name] = arguments;
            const tags = { button: 'button, a, [role=button], summary', field: 'input, textarea, select' };
            const text = (node) => (node.getAttribute('aria-label')
                ?? (node.labels?.length ? node.labels[0].textContent : node.textContent)).trim();
            const seen = (node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled && node.ariaDisabled !== 'true'
                && node.getClientRects().length > 0;
            const dialog = document.querySelector('dialog[open]');
            const found = [...(dialog ?? document).querySelectorAll(tags[kind])]
                .filter((node) => seen(node) && text(node) === name);
            found[0]?.scrollIntoView({ block: 'nearest' });
            return found[0] ?? null;";
        let found = async || {
            // A script fails while the page is being replaced.
            let found = self.client.execute(FIND, vec![kind.into(), name.into()]).await.ok()?;
            // WebDriver represents an element as an object with one field.
            let id = found.as_object()?.values().next()?.as_str()?.to_owned();
            Some(Element::from_element_id(self.client.clone(), id.into()))
        };
        wait_until(found, async || {
            format!("no {kind} is called {name:?}; the page says:\n{}", self.text().await)
        })
        .await
    }

    /// Clicks the button of that name.
    pub(crate) async fn click(&self, name: &str) {
        let started = Instant::now();
        loop {
            match self.find("button", name).await.click().await {
                Ok(()) => return,
                // The button may be moving, or may have been replaced.
                Err(e) if started.elapsed() > TIMEOUT => panic!("{name} cannot be clicked: {e}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Replaces the value of the field with that name.
    pub(crate) async fn fill(&self, name: &str, value: &str) {
        let field = self.find("field", name).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    /// Clicks the middle of the map.
    pub(crate) async fn touch_map(&self) {
        let map = self.client.find(fantoccini::Locator::Css("#map")).await.unwrap();
        map.click().await.unwrap();
    }

    /// Waits until the field with that name has a value, and returns it.
    pub(crate) async fn filled(&self, name: &str) -> String {
        let value = async || Some(self.value(name).await).filter(|value| !value.is_empty());
        wait_until(value, async || format!("{name} stays empty")).await
    }

    /// Returns the value of the field with that name.
    pub(crate) async fn value(&self, name: &str) -> String {
        self.find("field", name).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Returns the visible text of the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page and returns its result.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until the page shows a text.
    pub(crate) async fn reads(&self, wanted: &str) {
        let is_read = async || self.text().await.contains(wanted).then_some(());
        wait_until(is_read, async || {
            format!("{wanted:?} does not appear; the page says:\n{}", self.text().await)
        })
        .await;
    }

    /// Waits until the page no longer shows a text.
    pub(crate) async fn reads_no_more(&self, unwanted: &str) {
        let is_gone = async || (!self.text().await.contains(unwanted)).then_some(());
        wait_until(is_gone, async || format!("{unwanted:?} does not disappear")).await;
    }

    /// Waits until a script returns anything but null and false, and returns that.
    pub(crate) async fn wait_for(&self, script: &str) -> Value {
        let result = async || {
            // A script fails while the page is being replaced.
            let value = self.client.execute(script, vec![]).await.ok()?;
            (!value.is_null() && value != false).then_some(value)
        };
        wait_until(result, async || format!("no result of {script}")).await
    }

    /// Runs a script that passes its result to `done`, and returns that.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0];\n{script}");
        self.client.execute_async(&script, vec![]).await.unwrap()
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

    /// Returns the files that the page had requested up to its first request of `path`, each with its bytes on
    /// the wire.
    pub(crate) async fn loaded_before(&self, path: &str) -> Vec<(String, u64)> {
        const LOADED: &str = "
            const all = [...performance.getEntriesByType('navigation'),
                ...performance.getEntriesByType('resource')];
            const first = all.find((entry) => entry.name.includes(arguments[0]));
            return all.filter((entry) => entry.startTime <= first.startTime)
                .map((entry) => [entry.name, entry.transferSize]);";
        let loaded = self.client.execute(LOADED, vec![path.into()]).await.unwrap();
        let mut loaded: Vec<(String, u64)> = serde_json::from_value(loaded).unwrap();
        // WebKit lists a preloaded file a second time when a script fetches it.
        loaded.sort();
        loaded.dedup();
        loaded
    }

    /// Opens the page in another tab of the same window and switches to it.
    pub(crate) async fn open_tab(&self) {
        let tab = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(tab.handle).await.unwrap();
        if self.engine == Engine::Chromium {
            self.window.resize(self.size).await;
        }
        self.go("").await;
    }

    /// Switches to the other one of two tabs. (Drivers list tabs in no certain order.)
    pub(crate) async fn switch_tab(&self) {
        let current = self.client.window().await.unwrap();
        let tabs = self.client.windows().await.unwrap();
        let other = tabs.into_iter().find(|tab| *tab != current);
        self.client.switch_to_window(other.unwrap()).await.unwrap();
    }

    /// Reloads the page.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Fails if axe-core finds a violation in the current page.
    pub(crate) async fn check_accessible(&self, state: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("target/axe/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}\n{INSTALL_AXE}", path.display()));
        if self.run("return window.axe === undefined").await == true {
            self.client.execute(&axe, vec![]).await.unwrap();
        }
        let run = "const done = arguments[0];
            axe.run({ resultTypes: ['violations'] }).then((r) => done(r.violations.map(
                (v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`)));";
        let violations = self.client.execute_async(run, vec![]).await.unwrap();
        assert_eq!(violations, json!([]), "{state}");
    }

    /// Fails if the page is wider than the window. Its body scrolls by itself, so the document is as wide as the window
    /// even then.
    pub(crate) async fn check_width(&self) {
        const WIDTHS: &str =
            "const { body, documentElement: { scrollWidth, clientWidth } } = document;
            const width = Math.max(scrollWidth, body.scrollWidth);
            return width > clientWidth && [width, clientWidth]";
        assert_eq!(self.run(WIDTHS).await, false, "wider than the window");
    }

    /// Closes the window. Fails if the console holds an error other than the expected ones, or if the page sent a
    /// request to another host.
    pub(crate) async fn close(self, expected: &[&str]) {
        if self.engine == Engine::Chromium {
            self.check_logs(expected);
        } else {
            self.asked_no_other_host().await;
        }
        self.window.put_back(&self.origin).await;
    }

    fn check_logs(&self, expected: &[&str]) {
        let console = self.window.log("browser");
        for line in console.as_array().unwrap() {
            let message = line["message"].as_str().unwrap_or_default();
            let known = expected.iter().any(|expected| message.contains(expected));
            assert!(line["level"] != "SEVERE" || known, "in the console: {message}");
        }
        for line in self.window.log("performance").as_array().unwrap() {
            let event: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            if event["message"]["method"] == "Network.requestWillBeSent" {
                let url = event["message"]["params"]["request"]["url"].as_str().unwrap();
                // The browser's own pages (chrome:) and inline data (data:, blob:) use no network.
                let inside =
                    ["chrome:", "data:", "blob:", "about:"].iter().any(|s| url.starts_with(s));
                let own = inside || url.starts_with(&self.origin);
                assert!(own, "another host was asked: {url}");
            }
        }
    }

    /// Fails if the page as it stands has loaded anything from another host. Other drivers than Chromium's
    /// have no log of requests and errors.
    async fn asked_no_other_host(&self) {
        let loaded = self.run("return performance.getEntriesByType('resource').map((e) => e.name)");
        for url in loaded.await.as_array().unwrap() {
            let url = url.as_str().unwrap();
            let own = ["data:", "blob:", &self.origin].iter().any(|start| url.starts_with(start));
            assert!(own, "another host was asked: {url}");
        }
    }

    /// The device is at this place, and its owner lets the page know.
    pub(crate) async fn is_at(&self, latitude: f64, longitude: f64) {
        if self.engine != Engine::Chromium {
            let script = "const [latitude, longitude] = arguments;
                Object.defineProperty(navigator, 'geolocation', { value: {
                    getCurrentPosition: (found) => found({ coords: { latitude, longitude, accuracy: 10 } }),
                } });";
            let place = vec![latitude.into(), longitude.into()];
            self.client.execute(script, place).await.unwrap();
            return;
        }
        let tell = |command: &str, params: Value| self.window.devtools(command, &params);
        tell("Browser.grantPermissions", json!({ "permissions": ["geolocation"] }));
        let place = json!({ "latitude": latitude, "longitude": longitude, "accuracy": 10 });
        tell("Emulation.setGeolocationOverride", place);
    }

    /// Makes the open window prefer dark colours.
    pub(crate) fn prefer_dark(&self) {
        if self.engine == Engine::Firefox {
            return self
                .window
                .set_preference("layout.css.prefers-color-scheme.content-override", 0);
        }
        let features = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
        self.window.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Makes the window's network as slow as that of a phone, and its cache empty.
    pub(crate) fn slow_down(&self) {
        let tell = |command: &str, params: Value| self.window.devtools(command, &params);
        tell("Network.enable", json!({}));
        tell("Network.setCacheDisabled", json!({ "cacheDisabled": true }));
        let bytes_per_second = 200_000;
        let conditions = json!({
            "offline": false,
            "latency": 150,
            "downloadThroughput": bytes_per_second,
            "uploadThroughput": bytes_per_second,
        });
        tell("Network.emulateNetworkConditions", conditions);
    }

    /// Returns the paths below `api/` that the current page has requested, without their queries.
    pub(crate) async fn requested_api(&self) -> Value {
        self.run(
            "return performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)
                .filter((path) => path.startsWith('/api/')).map((path) => path.slice(5));",
        )
        .await
    }

    /// Runs a script in each document that the window loads from now on, before the document's own scripts.
    pub(crate) async fn run_in_new_documents(&mut self, script: &str) {
        if self.engine == Engine::Chromium {
            let source = json!({ "source": script });
            return self.window.devtools("Page.addScriptToEvaluateOnNewDocument", &source);
        }
        let port = self.origin.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
        let port = preload::start(port, format!("{RECORD_ERRORS}\n{script}"));
        // Cookies are those of all ports, and what is stored is not.
        let stored = "return [{ ...localStorage }, { ...sessionStorage }, location.href]";
        let stored = self.run(stored).await;
        let path = stored[2].as_str().unwrap().trim_start_matches(&self.origin).to_owned();
        self.origin = format!("http://127.0.0.1:{port}/");
        self.go(preload::PATH).await;
        let store = "Object.assign(localStorage, arguments[0][0]);
            Object.assign(sessionStorage, arguments[0][1]);";
        self.client.execute(store, vec![stored]).await.unwrap();
        self.go(&path).await;
    }

    /// Waits until the console holds an error with this text. Fails at any other error.
    pub(crate) async fn logs(&self, text: &str) {
        if self.engine != Engine::Chromium {
            let errors = self.wait_for("return window.errors?.length > 0 && window.errors").await;
            for error in errors.as_array().unwrap() {
                assert!(error.as_str().unwrap().contains(text), "{error}");
            }
            return;
        }
        let started = Instant::now();
        loop {
            // ChromeDriver returns each line once.
            let console = self.window.log("browser");
            let mut errors = console
                .as_array()
                .unwrap()
                .iter()
                .filter(|line| line["level"] == "SEVERE")
                .peekable();
            let found = errors.peek().is_some();
            for line in errors {
                let message = line["message"].as_str().unwrap_or_default();
                assert!(message.contains(text), "in the console: {message}");
            }
            if found {
                return;
            }
            assert!(started.elapsed() < TIMEOUT, "the console does not hold {text:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Repeats `attempt` until it returns a value. Fails with `message` after the timeout.
async fn wait_until<T>(
    attempt: impl AsyncFn() -> Option<T>,
    message: impl AsyncFnOnce() -> String,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        if started.elapsed() > TIMEOUT {
            panic!("{}", message().await);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
