//! `bottle demo`: a sea to look around in.

use std::fs;

use bottle::api::bottle::DemoAccount;
use bottle::server::config::{self, Settings};

use super::serve::{self, Demo};

/// The sea: a database of its own, made by `cargo run --example sample`.
const SAMPLE: &[u8] = include_bytes!("../../bottle.db.sample");

/// The accounts in it. They all have the same password.
const PEOPLE: [(&str, &str); 8] = [
    ("ada", "Ada"),
    ("amina", "Amina أمينة"),
    ("emeka", "Emeka"),
    ("grace", "Grace"),
    ("lin", "林小舟"),
    ("mateo", "Mateo"),
    ("noor", "Noor नूर"),
    ("yuki", "雪 Yuki"),
];
const PASSWORD: &str = "driftwood";

/// Serves a copy of the sample until it is stopped; then the copy is gone.
pub(super) fn run() -> Result<(), String> {
    let failed = |e| format!("no temporary copy of the sample could be made: {e}");
    let folder = tempfile::Builder::new().prefix("bottle-demo-").tempdir().map_err(failed)?;
    let database = folder.path().join("bottle.db");
    fs::write(&database, SAMPLE).map_err(failed)?;

    let figment = config::figment();
    let settings = Settings::from(&figment).map_err(|e| format!("in the settings: {e}"))?;
    let settings = Settings { database, ..settings };
    let names: Vec<&str> = PEOPLE.iter().map(|(username, _)| *username).collect();
    let account = |(username, nickname)| DemoAccount { username, nickname, password: PASSWORD };
    let demo = Demo {
        notes: vec![
            "This is a demo: the file is a temporary copy, gone when bottle ends.".to_owned(),
            format!("Log in as {}; each has the password {PASSWORD}.", names.join(", ")),
        ],
        accounts: PEOPLE.into_iter().map(account).collect(),
    };
    serve::serve(figment, &settings, demo, serve::LanOptions::default())
}
