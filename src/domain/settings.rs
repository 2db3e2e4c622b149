//! The settings that an operator changes while the server runs.

use std::sync::Arc;

use crate::domain::accounts::{Login, Source};
use crate::domain::maintenance::schedule::night_of;
use crate::model::clock::Clock;
use crate::model::error::{Error, Problem, Result};
use crate::model::live::{LiveSetting, LiveValues};
use crate::store::action::Action;
use crate::store::audit_log::NewEntry;
use crate::store::{Connection, Store, audit_log, maintenance, sessions, settings};

/// The settings that may change, and their values. Clones share them.
#[derive(Clone)]
pub struct LiveSettings {
    store: Arc<Store>,
    clock: Clock,
    values: LiveValues,
    overridden: Arc<[LiveSetting]>,
}

impl LiveSettings {
    /// Creates the settings of `store`. `configured` returns the value of the settings file and the
    /// environment, or else the default, and true if one of the two names it; that overrides what
    /// an operator has chosen.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        configured: impl Fn(LiveSetting) -> (u32, bool),
    ) -> Self {
        let values = LiveValues::default();
        let mut overridden = Vec::new();
        for setting in LiveSetting::all() {
            let (value, is_overridden) = configured(setting);
            if is_overridden {
                overridden.push(setting);
            }
            let stored = store.read(|db| settings::get(db, setting)).unwrap_or_else(|e| {
                tracing::warn!("cannot read the stored value of {}: {e}", setting.name());
                None
            });
            values.set(setting, stored.filter(|_| !is_overridden).unwrap_or(value));
        }
        Self { store, clock, values, overridden: overridden.into() }
    }

    /// Returns the values that are in force, now and after each change.
    pub fn values(&self) -> LiveValues {
        self.values.clone()
    }

    /// Returns the place where the value of a setting was chosen.
    pub fn source(&self, setting: LiveSetting) -> Result<Source> {
        if self.overridden.contains(&setting) {
            return Ok(Source::Setting);
        }
        let stored = self.store.read(|db| settings::get(db, setting))?;
        Ok(if stored.is_some() { Source::Stored } else { Source::Default })
    }

    /// Changes the value of a setting. Returns [`Error::Overridden`] if the settings file or the
    /// environment names it.
    pub async fn set(&self, login: &Login, setting: LiveSetting, value: u32) -> Result<()> {
        if value > setting.max() {
            let range = Problem::OutOfRange(0.0, f64::from(setting.max()));
            return Err(Error::field("value", range));
        }
        let (now, is_overridden) = (self.clock.now(), self.overridden.contains(&setting));
        let hour = self.values.get(LiveSetting::BackupHour);
        let change = sessions::authorized(login.session, &self.clock, move |db, operator| {
            operator.check_operator()?;
            if is_overridden {
                return Err(Error::Overridden(setting.name()));
            }
            if setting == LiveSetting::BackupKeep {
                begin_or_end_schedule(db, value, || night_of(now.local(), hour))?;
            }
            settings::set(db, setting, value)?;
            let detail = format!("{} = {}", setting.name(), setting.to_json(value));
            let entry = NewEntry::new(Some(&operator.username), Action::SetSetting);
            audit_log::add(db, NewEntry { detail: Some(&detail), ..entry }, now)
        });
        let values = self.values.clone();
        self.store.write_then(change, move |()| values.set(setting, value)).await
    }
}

/// Lets the nights of the schedule count from now on, or forgets them.
fn begin_or_end_schedule(
    db: &Connection,
    keep: u32,
    night: impl FnOnce() -> chrono::NaiveDate,
) -> Result<()> {
    match maintenance::last_night(db)? {
        Some(_) if keep == 0 => maintenance::set_last_night(db, None),
        None if keep > 0 => maintenance::set_last_night(db, Some(night())),
        _ => Ok(()),
    }
}
