//! The browsers that can run the stories, and the program that drives each of them.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use bottle::server::lan;
use serde_json::{Value, json};

/// A browser engine. `BOTTLE_ENGINE` names it; Chromium is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

/// Whether the window's user prefers reduced motion, which stops all animations of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    Full,
    Reduced,
}

/// The colour scheme that the window's user prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// The preferences of the browser's user, from its start on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// `en` or `zh`.
    pub(crate) language: String,
    pub(crate) motion: Motion,
    pub(crate) scheme: Scheme,
}

/// Runs a driver until standard input is closed, which this program's end does too, and then ends the driver and
/// the browser, which is in a process group of its own, and deletes its profile.
const RUN_DRIVER: &str = r#"
    "$@" &
    exec >/dev/null
    read -r _
    trap '' TERM
    kill -TERM 0
    while pkill -TERM -f -- "=$PROFILE"; do sleep 0.1; done
    rm -rf -- "$PROFILE""#;

/// A process that drives one browser by the WebDriver protocol. Dropping it ends both.
pub(crate) struct Driver {
    // Its standard input is open until it is dropped.
    process: Child,
    // A driver that cannot write to its output ends.
    _output: Option<BufReader<ChildStdout>>,
    /// The address at which it accepts commands.
    pub(crate) url: String,
}

impl Engine {
    /// Returns the engine that `BOTTLE_ENGINE` names.
    pub(crate) fn chosen() -> Self {
        match env::var("BOTTLE_ENGINE").as_deref() {
            Err(_) | Ok("chromium") => Self::Chromium,
            Ok("firefox") => Self::Firefox,
            Ok("webkit") => Self::WebKit,
            Ok(other) => panic!("BOTTLE_ENGINE={other}: use chromium, firefox or webkit"),
        }
    }

    /// Returns the command that installs the engine on Debian.
    pub(crate) fn install(self) -> &'static str {
        match self {
            Self::Chromium => "apt-get install chromium chromium-driver",
            Self::Firefox => {
                "apt-get install firefox-esr && cargo install --root target/tools geckodriver"
            }
            Self::WebKit => "apt-get install webkit2gtk-driver xvfb",
        }
    }

    /// Starts the driver on a free port.
    pub(crate) fn start_driver(self, profile: &Path, preferences: &Preferences) -> Driver {
        let (program, port_line): (&[_], _) = match self {
            Self::Chromium => (&["chromedriver", "--port=0"], "successfully on port "),
            Self::Firefox => {
                // A window empties itself with the rights of Firefox.
                let program = &["geckodriver", "--allow-system-access", "--port=0"];
                (program, "Listening on 127.0.0.1:")
            }
            Self::WebKit => return self.start_webkit(profile, preferences),
        };
        let mut command = driver(profile, program);
        let mut process = self.spawn(command.stdout(Stdio::piped()));
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = (&mut output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split(port_line).nth(1)?.trim_end_matches('.');
                Some(port.to_owned())
            })
            .unwrap_or_else(|| panic!("{self:?}'s driver printed no port\n{}", self.install()));
        Driver { process, _output: Some(output), url: format!("http://127.0.0.1:{port}") }
    }

    /// Starts WebKit's driver, which takes no port of 0, on a screen of its own, because
    /// WebKit has no headless mode.
    fn start_webkit(self, profile: &Path, preferences: &Preferences) -> Driver {
        // GTK's settings for reduced motion and dark colours.
        let gtk = profile.join("gtk-3.0");
        fs::create_dir(&gtk).unwrap();
        let animations = u8::from(preferences.motion == Motion::Full);
        let dark = u8::from(preferences.scheme == Scheme::Dark);
        let settings = format!(
            "[Settings]\ngtk-enable-animations={animations}\ngtk-application-prefer-dark-theme={dark}\n"
        );
        fs::write(gtk.join("settings.ini"), settings).unwrap();
        // A window is at least as wide as its toolbar.
        let toolbar = "window * { padding: 0; margin: 0; border: none; min-width: 0; font-size: 1px; \
            -gtk-icon-transform: scale(0); }";
        fs::write(gtk.join("gtk.css"), toolbar).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let screen = ["xvfb-run", "-a", "-s", "-screen 0 1400x1000x24", "WebKitWebDriver"];
        let mut command = driver(profile, &screen);
        command.arg(format!("--port={port}")).env("XDG_CONFIG_HOME", profile);
        // Others may lack the rights to make a sandbox, as root in a container does.
        command.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
        let process = self.spawn(&mut command);
        Driver { process, _output: None, url: format!("http://127.0.0.1:{port}") }
    }

    fn spawn(self, command: &mut Command) -> Child {
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{:?}: {e}\n{}", command.get_program(), self.install()))
    }

    /// Returns the capabilities of a new session: a window cut off from every host but this machine. The
    /// browser takes any certificate.
    pub(crate) fn capabilities(
        self,
        preferences: &Preferences,
        size: (u32, u32),
        profile: &Path,
    ) -> Value {
        let Preferences { language, motion, .. } = preferences;
        match self {
            Self::Chromium => chromium(language, *motion, profile),
            Self::Firefox => firefox(language, size, *motion),
            Self::WebKit => webkit(),
        }
    }
}

/// Returns the command that runs a driver, which may be in `target/tools`.
fn driver(profile: &Path, args: &[&str]) -> Command {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin");
    let path = env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command.args(["-c", RUN_DRIVER, "sh"]).args(args);
    command.env("PATH", format!("{tools}:{path}")).env("PROFILE", profile);
    command
}

fn chromium(language: &str, motion: Motion, profile: &Path) -> Value {
    let preference = match motion {
        Motion::Full => "--force-prefers-no-reduced-motion",
        Motion::Reduced => "--force-prefers-reduced-motion",
    };
    let names = format!("MAP {} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", lan::NAME);
    json!({
        "acceptInsecureCerts": true,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
                "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
                // For service workers, which `acceptInsecureCerts` leaves out.
                "--ignore-certificate-errors",
                format!("--host-resolver-rules={names}"),
                preference,
                format!("--user-data-dir={}", profile.display()),
                format!("--accept-lang={language}"),
            ],
            "prefs": { "intl.accept_languages": language },
        },
    })
}

fn firefox(language: &str, (width, height): (u32, u32), motion: Motion) -> Value {
    json!({
        "acceptInsecureCerts": true,
        "moz:firefoxOptions": {
            "binary": "/usr/bin/firefox-esr",
            "args": ["-headless", format!("--width={width}"), format!("--height={height}")],
            "prefs": {
                "intl.accept_languages": language,
                "ui.prefersReducedMotion": u8::from(motion == Motion::Reduced),
                // Names of other hosts go to a proxy that nobody runs.
                "network.proxy.type": 1,
                "network.proxy.socks": "127.0.0.1",
                "network.proxy.socks_port": 9,
                "network.proxy.no_proxies_on": format!("127.0.0.1, {}", lan::NAME),
                "network.dns.localDomains": lan::NAME,
            },
        },
    })
}

fn webkit() -> Value {
    json!({
        "acceptInsecureCerts": true,
        "webkitgtk:browserOptions": {
            "binary": "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
            "args": ["--automation"],
        },
    })
}

impl Drop for Driver {
    fn drop(&mut self) {
        // This closes its standard input first.
        let _ = self.process.wait();
    }
}
