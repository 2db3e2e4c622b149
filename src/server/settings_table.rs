//! The effective settings, each with its documentation and its source.
//!
//! The documentation is `docs/settings.md` itself, so there is no second text to keep up to date.

use rocket::figment::{Figment, Source};
use serde_json::Value;

use super::config::{self, Settings};
use crate::api::bottle::{SettingOrigin, SettingRow};
use crate::model::registration::RegistrationMode;

const DOCUMENT: &str = include_str!("../../docs/settings.md");

/// Rocket's setting that has the paths of a certificate and its key: only whether it is set is shown.
const TLS: &str = "tls";

/// Returns the settings of both tables of the document, in its order.
pub fn rows(figment: &Figment, settings: &Settings) -> Vec<SettingRow> {
    let (effective, default) = (to_json(settings), to_json(&Settings::default()));
    let own = documented("## Bottle's settings").map(|documented| {
        let (value, default) = (&effective[documented.name], &default[documented.name]);
        let path = format!("bottle.{}", documented.name);
        row("bottle", &documented, value, default, origin(figment, &path, "ROCKET_BOTTLE"))
    });
    let defaults = config::defaults();
    let rocket = documented("## Rocket's settings").map(|documented| {
        let [value, default] = [figment, &defaults].map(|figment| shown(figment, documented.name));
        let variable = format!("ROCKET_{}", documented.name.to_uppercase());
        row("rocket", &documented, &value, &default, origin(figment, documented.name, &variable))
    });
    own.chain(rocket).collect()
}

/// Returns true if the settings file, the environment or the command line names a value for a
/// setting of Bottle's.
pub(super) fn is_named(figment: &Figment, settings: &Settings, name: &str) -> bool {
    let is_default = to_json(settings)[name] == to_json(&Settings::default())[name];
    !is_default || figment.contains(&format!("bottle.{name}"))
}

fn to_json(settings: &Settings) -> Value {
    let mut json = serde_json::to_value(settings).unwrap_or_default();
    if settings.registration.is_none() {
        json["registration"] = RegistrationMode::default().as_str().into();
    }
    json
}

/// Returns the value of a setting of Rocket's that may be shown.
fn shown(figment: &Figment, name: &str) -> Value {
    let value: Value = figment.extract_inner(name).unwrap_or_default();
    if name == TLS { (!value.is_null()).into() } else { value }
}

/// A row of a table in the document.
struct Documented {
    name: &'static str,
    unit: &'static str,
    about: &'static str,
}

fn documented(title: &str) -> impl Iterator<Item = Documented> {
    let section = DOCUMENT.split_once(title).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    section.lines().filter(|line| line.starts_with("| `")).filter_map(|line| {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let (name, _default, unit) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Documented { name: name.trim_matches('`'), unit, about: cells.next()? })
    })
}

fn row(
    group: &'static str,
    documented: &Documented,
    value: &Value,
    default: &Value,
    named: Option<SettingOrigin>,
) -> SettingRow {
    let origin = match named {
        Some(origin) => origin,
        None if value == default => SettingOrigin::Default,
        None => SettingOrigin::CommandLine,
    };
    SettingRow {
        group,
        name: documented.name,
        value: value.clone(),
        default: default.clone(),
        unit: documented.unit,
        about: documented.about,
        origin,
    }
}

/// Returns the file or the environment variable that names the value at `path`.
fn origin(figment: &Figment, path: &str, variable: &str) -> Option<SettingOrigin> {
    let metadata = figment.find_metadata(path)?;
    match &metadata.source {
        Some(Source::File(file)) => Some(SettingOrigin::File(file.display().to_string())),
        _ if metadata.name.contains("environment variable") => {
            Some(SettingOrigin::Environment(variable.to_owned()))
        }
        _ => None,
    }
}
