//! `bottle demo`: a server of a temporary sample sea.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bottle::api::bottle::DemoAccount;
use bottle::domain::accounts::{Registration, Role};
use bottle::model::error::Error;
use bottle::model::fields::{NewPassword, Nickname, Username};
use bottle::server::config::{self, Settings};
use bottle::store::Store;

use super::serve::{self, Demo};
use super::user;

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
/// The account of a teacher, which the demo adds to the sample.
const TEACHER: (&str, &str) = ("hedy", "Hedy");
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
    add_teacher(&settings.database, &settings)?;
    let names: Vec<&str> = ACCOUNTS.iter().map(|(username, _)| *username).collect();
    let account = |(username, nickname)| {
        let is_teacher = username == TEACHER.0;
        DemoAccount { username, nickname, password: PASSWORD, is_teacher }
    };
    let demo = Demo {
        notes: vec![
            "This is a demo: the database is a temporary copy, deleted at the end.".to_owned(),
            format!("Log in as {}; each has the password {PASSWORD}.", names.join(", ")),
            format!("{} is a teacher, with the same password.", TEACHER.0),
        ],
        accounts: ACCOUNTS.into_iter().chain([TEACHER]).map(account).collect(),
    };
    serve::serve(figment, &settings, demo, serve::LanOptions::default())
}

/// Adds the account of a teacher to the copy of the sample, which has only students.
fn add_teacher(database: &Path, settings: &Settings) -> Result<(), String> {
    let store = Store::open(database, &super::options(settings)).map_err(|e| e.to_string())?;
    let accounts = user::accounts_of(Arc::new(store), settings);
    let added = async {
        let teacher = Registration {
            username: Username::parse("username", TEACHER.0)?,
            // Public, so the minimum length of passwords does not matter.
            password: NewPassword::parse("password", PASSWORD, 1)?,
            nickname: Some(Nickname::parse(TEACHER.1)?),
            gender: None,
            email: None,
        };
        accounts.make(teacher, Role::Teacher, false).await
    };
    super::wait_for(async {
        let failed = |e: Error| format!("cannot add a teacher to the sample: {e}");
        added.await.map(drop).map_err(failed)
    })
}
