//! `bottle settings`.

use std::path::Path;

use bottle::api::bottle::{SettingOrigin, SettingRow};
use bottle::model::error::Error;
use bottle::model::live::LiveSetting;
use bottle::server::config::{self, Settings};
use bottle::server::settings_table;
use bottle::store::{self, Connection, OpenError, registration, settings as stored};
use serde_json::{Value, json};

use super::user::{self, Common};

/// Prints the effective settings with their sources. Those that an operator has chosen on the page
/// are read from the database, if there is one.
pub(super) fn run(common: Common) -> Result<(), String> {
    let Common { db, json } = common;
    let figment = config::figment();
    let mut settings = Settings::from(&figment).map_err(super::invalid_settings)?;
    if let Some(db) = db {
        settings.database = db;
    }
    let mut rows = settings_table::rows(&figment, &settings);
    if settings.database.exists() {
        choose(&settings.database, &mut rows)?;
    }
    let value = rows.iter().map(to_json).collect::<Value>();
    user::print_result(json, &value, || {
        rows.iter().map(describe).collect::<Vec<String>>().join("\n")
    })
}

/// Replaces the values that nothing on this machine names by those in the database.
fn choose(database: &Path, rows: &mut [SettingRow]) -> Result<(), String> {
    let read = store::read(database, |db| Ok::<_, OpenError>(choose_from(db, rows)));
    read.map_err(|e| e.to_string())?.map_err(user::message)
}

fn choose_from(db: &Connection, rows: &mut [SettingRow]) -> Result<(), Error> {
    for row in rows.iter_mut().filter(|row| row.origin == SettingOrigin::Default) {
        let chosen = match LiveSetting::named(row.name) {
            Some(setting) => stored::get(db, setting)?.map(|value| setting.to_json(value)),
            None if row.name == "registration" => {
                registration::mode(db)?.map(|mode| mode.as_str().into())
            }
            None => None,
        };
        if let Some(value) = chosen {
            (row.value, row.origin) = (value, SettingOrigin::Page);
        }
    }
    Ok(())
}

fn to_json(row: &SettingRow) -> Value {
    let (source, origin) = row.origin.words();
    json!({
        "group": row.group,
        "name": row.name,
        "value": row.value,
        "default": row.default,
        "unit": row.unit,
        "about": row.about,
        "source": source,
        "origin": origin,
    })
}

fn describe(row: &SettingRow) -> String {
    let (source, origin) = row.origin.words();
    let value = match &row.value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let place = match origin {
        Some(origin) => origin.to_owned(),
        None => source.replace('_', " "),
    };
    format!("{} = {value}    ({place})", row.name)
}
