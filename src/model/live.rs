//! The settings that may change while the server runs, and their values.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A setting that an operator may change while the server runs.
///
/// These change what people see or how much they may do. What protects passwords, names files or
/// needs a restart stays in the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LiveSetting {
    PublicCounts,
    ReportsToHide,
    ThrowsPerMinute,
    RegistrationsPerMinute,
    BackupHour,
    BackupKeep,
}

/// Each setting with its name and its greatest value; those up to 1 are `true` or `false`.
const SETTINGS: [(LiveSetting, &str, u32); 6] = [
    (LiveSetting::PublicCounts, "public_counts", 1),
    (LiveSetting::ReportsToHide, "reports_to_hide", 1000),
    (LiveSetting::ThrowsPerMinute, "throws_per_minute", 1_000_000),
    (LiveSetting::RegistrationsPerMinute, "registrations_per_minute", 1_000_000),
    (LiveSetting::BackupHour, "backup_hour", 23),
    (LiveSetting::BackupKeep, "backup_keep", 1000),
];

impl LiveSetting {
    /// Returns all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        SETTINGS.iter().map(|(setting, ..)| *setting)
    }

    /// Returns the setting with this name.
    ///
    /// ```
    /// use bottle::model::live::LiveSetting;
    ///
    /// let setting = LiveSetting::named("backup_hour").unwrap();
    /// assert_eq!((setting.name(), setting.max()), ("backup_hour", 23));
    /// assert_eq!(LiveSetting::named("database"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        SETTINGS.iter().find(|(_, known, _)| *known == name).map(|(setting, ..)| *setting)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        SETTINGS[self as usize].1
    }

    /// Returns its greatest value; the least is 0.
    pub fn max(self) -> u32 {
        SETTINGS[self as usize].2
    }

    /// Returns a value as JSON, and as the settings file has it.
    pub fn to_json(self, value: u32) -> Value {
        if self.is_switch() { (value == 1).into() } else { value.into() }
    }

    /// Returns true if its values are `true` (1) and `false` (0).
    pub fn is_switch(self) -> bool {
        self.max() == 1
    }
}

/// The values that are in force. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct LiveValues(Arc<[AtomicU32; SETTINGS.len()]>);

impl LiveValues {
    /// Returns the value of a setting; 1 for `true`.
    pub fn get(&self, setting: LiveSetting) -> u32 {
        self.0[setting as usize].load(Ordering::Relaxed)
    }

    /// Sets the value of a setting.
    pub fn set(&self, setting: LiveSetting, value: u32) {
        self.0[setting as usize].store(value, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_at_its_own_place() {
        for (place, (setting, ..)) in SETTINGS.iter().enumerate() {
            assert_eq!(*setting as usize, place);
        }
    }
}
