//! The effective settings, and changing those that may change while the server runs.

use rocket::{State, get, put};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::registration::parse_mode;
use crate::api::bottle::envelope::{Empty, Envelope, Reply, ok};
use crate::api::bottle::guard::Operator;
use crate::domain::accounts::{Accounts, Source, required};
use crate::domain::settings::LiveSettings;
use crate::http::Body;
use crate::model::error::{Error, Problem, Result};
use crate::model::live::LiveSetting;

/// The setting whose values are modes.
const REGISTRATION: &str = "registration";

/// A setting at the server's start. The server fills it in.
#[derive(Clone, Debug)]
pub struct SettingRow {
    /// `bottle`, or `rocket` for the web server's.
    pub group: &'static str,
    /// The name.
    pub name: &'static str,
    /// The value; of a secret, whether it is set.
    pub value: Value,
    /// The default value.
    pub default: Value,
    /// The unit.
    pub unit: &'static str,
    /// The documentation, in a line.
    pub about: &'static str,
    /// The place where the value was chosen.
    pub origin: SettingOrigin,
}

/// The place where the value of a setting was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingOrigin {
    /// Nowhere.
    Default,
    /// A settings file, by its path.
    File(String),
    /// An environment variable, by its name.
    Environment(String),
    /// An option of the command line.
    CommandLine,
    /// The page: an operator chose it while the server ran.
    Page,
}

impl SettingOrigin {
    /// Returns the word for the source, and the file or variable.
    pub fn words(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Default => ("default", None),
            Self::File(path) => ("file", Some(path)),
            Self::Environment(variable) => ("environment", Some(variable)),
            Self::CommandLine => ("command_line", None),
            Self::Page => ("page", None),
        }
    }
}

/// The settings at the server's start.
pub struct SettingsTable(pub Vec<SettingRow>);

impl SettingsTable {
    /// Replaces the values that an operator has chosen.
    pub fn with_live(&self, live: &LiveSettings, accounts: &Accounts) -> Result<Vec<SettingRow>> {
        let mut rows = self.0.clone();
        for row in &mut rows {
            if let Some(setting) = live_setting(row) {
                let value = setting.to_json(live.values().get(setting));
                row.choose(value, live.source(setting)?);
            } else if row.group == "bottle" && row.name == REGISTRATION {
                let status = accounts.registration()?;
                row.choose(status.mode.as_str().into(), status.source);
            }
        }
        Ok(rows)
    }
}

impl SettingRow {
    fn choose(&mut self, value: Value, source: Source) {
        self.value = value;
        match source {
            Source::Setting => {}
            Source::Stored => self.origin = SettingOrigin::Page,
            Source::Default => self.origin = SettingOrigin::Default,
        }
    }

    /// Returns true if an operator may change it now.
    pub fn can_change(&self) -> bool {
        let is_live = live_setting(self).is_some() || self.name == REGISTRATION;
        is_live && matches!(self.origin, SettingOrigin::Default | SettingOrigin::Page)
    }
}

fn live_setting(row: &SettingRow) -> Option<LiveSetting> {
    LiveSetting::named(row.name).filter(|_| row.group == "bottle")
}

/// A setting with its effective value.
#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct SettingView {
    /// `bottle`, or `rocket` for the web server's
    group: &'static str,
    name: &'static str,
    /// the value; of the certificate, whether it is set
    value: Value,
    default: Value,
    unit: &'static str,
    /// the documentation, in English
    about: &'static str,
    /// the source of the value: `default`, `file`, `environment`, `command_line` or `page`
    source: &'static str,
    /// the path of the file, or the name of the environment variable
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// true if it can be changed while the server runs
    can_change: bool,
    /// the greatest value of a number that can be changed; the least is 0
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
}

impl From<SettingRow> for SettingView {
    fn from(row: SettingRow) -> Self {
        let (source, origin) = row.origin.words();
        let max = live_setting(&row).filter(|setting| !setting.is_switch()).map(LiveSetting::max);
        Self {
            group: row.group,
            name: row.name,
            can_change: row.can_change(),
            max,
            source,
            origin: origin.map(str::to_owned),
            value: row.value,
            default: row.default,
            unit: row.unit,
            about: row.about,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(in crate::api::bottle) struct SettingsView {
    settings: Vec<SettingView>,
}

/// List the effective settings, without secrets
#[utoipa::path(get, path = "/admin/settings", operation_id = "admin_settings",
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the settings and their sources", body = Envelope<SettingsView>),
        (status = 403, description = "the account is not an operator's"),
    )
)]
#[get("/admin/settings")]
pub(in crate::api::bottle) fn list(
    _operator: Operator,
    table: &State<SettingsTable>,
    live: &State<LiveSettings>,
    accounts: &State<Accounts>,
) -> Reply<SettingsView> {
    let rows = table.with_live(live, accounts)?;
    ok("查询成功", SettingsView { settings: rows.into_iter().map(SettingView::from).collect() })
}

#[derive(Deserialize, ToSchema)]
pub(in crate::api::bottle) struct SettingRequest {
    /// a number, `true` or `false`, or a mode of registration
    #[schema(value_type = Value)]
    value: Option<Value>,
}

/// Change a setting while the server runs
#[utoipa::path(put, path = "/admin/settings/{name}",
    params(("name" = String, Path)),
    request_body = SettingRequest,
    security(("bottle_session" = [])),
    responses(
        (status = 200, description = "the setting is changed and in force", body = Envelope<Empty>),
        (status = 403, description = "the account is not an operator's"),
        (status = 404, description = "no setting of this name can be changed"),
        (status = 409, description = "the settings file or the environment sets it"),
    )
)]
#[put("/admin/settings/<name>", data = "<body>")]
pub(in crate::api::bottle) async fn set(
    operator: Operator,
    name: &str,
    body: Body<SettingRequest>,
    live: &State<LiveSettings>,
    accounts: &State<Accounts>,
) -> Reply<Empty> {
    let setting = LiveSetting::named(name);
    if setting.is_none() && name != REGISTRATION {
        return Err(Error::NoSuchSetting.into());
    }
    let value = required("value", body.0.value)?;
    match setting {
        Some(setting) => live.set(&operator.login, setting, parse(setting, &value)?).await?,
        None => {
            let mode = value.as_str().ok_or_else(wrong_type)?;
            accounts.set_registration((&operator.login).into(), parse_mode(mode)?).await?;
        }
    }
    ok("设置成功", Empty {})
}

fn parse(setting: LiveSetting, value: &Value) -> Result<u32> {
    if setting.is_switch() {
        return value.as_bool().map(u32::from).ok_or_else(wrong_type);
    }
    let out_of_range = || Error::field("value", Problem::OutOfRange(0.0, f64::from(setting.max())));
    match value {
        Value::Number(number) => {
            number.as_u64().and_then(|value| value.try_into().ok()).ok_or_else(out_of_range)
        }
        _ => Err(wrong_type()),
    }
}

fn wrong_type() -> Error {
    Error::field("value", Problem::WrongType)
}
