//! `bottle demo`: a server of a temporary sample sea.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bottle::api::bottle::DemoAccount;
use bottle::domain::accounts::{Actor, Registration, Role};
use bottle::model::error::Error;
use bottle::model::fields::{NewPassword, Nickname, Username};
use bottle::server::config::{self, Settings};
use bottle::store::Store;
use flate2::read::GzDecoder;

use super::serve::{self, Demo};
use super::user;

/// The sample database, written by `cargo run --example sample` and compressed by `build.rs`.
const SAMPLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bottle.db.sample.gz"));

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
/// The accounts that the demo adds to the sample.
const STAFF: [(&str, &str, Role); 2] =
    [("hedy", "Hedy", Role::Teacher), ("radia", "Radia", Role::Operator)];
const PASSWORD: &str = "driftwood";

/// Serves a temporary copy of the sample, and deletes the copy at the end.
pub(super) fn run() -> Result<(), String> {
    let failed = |e| format!("cannot write a temporary copy of the sample: {e}");
    let folder = tempfile::Builder::new().prefix("bottle-demo-").tempdir().map_err(failed)?;
    let database = folder.path().join("bottle.db");
    let copy = |mut file| io::copy(&mut GzDecoder::new(SAMPLE), &mut file);
    File::create(&database).and_then(copy).map_err(failed)?;

    let figment = config::figment();
    let settings = Settings::from(&figment).map_err(super::invalid_settings)?;
    let settings = Settings { database, ..settings };
    add_staff(&settings.database, &settings)?;
    let names: Vec<&str> = ACCOUNTS.iter().map(|(username, _)| *username).collect();
    let account = |(username, nickname, role)| DemoAccount {
        username,
        nickname,
        password: PASSWORD,
        is_teacher: role >= Role::Teacher,
        is_operator: role == Role::Operator,
    };
    let students =
        ACCOUNTS.into_iter().map(|(username, nickname)| (username, nickname, Role::User));
    let demo = Demo {
        notes: vec![
            "This is a demo: the database is a temporary copy, deleted at the end.".to_owned(),
            format!("Log in as {}; each has the password {PASSWORD}.", names.join(", ")),
            "hedy is a teacher and radia an operator, with the same password.".to_owned(),
        ],
        accounts: students.chain(STAFF).map(account).collect(),
    };
    serve::serve(figment, &settings, demo, serve::LanOptions::default())
}

/// Adds the accounts of a teacher and an operator to the copy of the sample, which has only
/// students.
fn add_staff(database: &Path, settings: &Settings) -> Result<(), String> {
    let store = Store::open(database, &super::options(settings)).map_err(|e| e.to_string())?;
    let accounts = user::accounts_of(Arc::new(store), settings);
    let add = async |(username, nickname, role): (&str, &str, Role)| {
        let new = Registration {
            username: Username::parse("username", username)?,
            // Public, so the minimum length of passwords does not matter.
            password: NewPassword::parse("password", PASSWORD, 1)?,
            nickname: Some(Nickname::parse(nickname)?),
            gender: None,
            email: None,
        };
        accounts.add(Actor::CommandLine, new, role, false).await
    };
    super::wait_for(async {
        for staff in STAFF {
            let failed = |e: Error| format!("cannot add {} to the sample: {e}", staff.0);
            add(staff).await.map_err(failed)?;
        }
        Ok(())
    })
}
