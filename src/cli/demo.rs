//! `bottle demo`: a server of a temporary sample sea.

use std::fs;

use bottle::api::bottle::DemoAccount;
use bottle::server::config::{self, Settings};

use super::serve::{self, Demo};

/// The sample database, written by `cargo run --example sample`.
const SAMPLE: &[u8] = include_bytes!("../../bottle.db.sample");

/// The accounts of the sample, by username and nickname. All have the same password.
const ACCOUNTS: [(&str, &str); 8] = [
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

/// Serves a temporary copy of the sample, and deletes the copy at the end.
pub(super) fn run() -> Result<(), String> {
    let failed = |e| format!("cannot write a temporary copy of the sample: {e}");
    let folder = tempfile::Builder::new().prefix("bottle-demo-").tempdir().map_err(failed)?;
    let database = folder.path().join("bottle.db");
    fs::write(&database, SAMPLE).map_err(failed)?;

    let figment = config::figment();
    let settings = Settings::from(&figment).map_err(super::invalid_settings)?;
    let settings = Settings { database, ..settings };
    let names: Vec<&str> = ACCOUNTS.iter().map(|(username, _)| *username).collect();
    let account = |(username, nickname)| DemoAccount { username, nickname, password: PASSWORD };
    let demo = Demo {
        notes: vec![
            "This is a demo: the database is a temporary copy, deleted at the end.".to_owned(),
            format!("Log in as {}; each has the password {PASSWORD}.", names.join(", ")),
        ],
        accounts: ACCOUNTS.into_iter().map(account).collect(),
    };
    serve::serve(figment, &settings, demo, serve::LanOptions::default())
}
