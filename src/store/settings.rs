//! The settings that an operator has changed, in the table `meta`.

use rusqlite::Connection;

use super::meta;
use crate::model::error::Result;
use crate::model::live::LiveSetting;

/// Returns the stored value; `None` if there is none, or none that this version allows.
pub fn get(db: &Connection, setting: LiveSetting) -> Result<Option<u32>> {
    let stored = meta::get(db, setting.name())?.and_then(|text| text.parse().ok());
    Ok(stored.filter(|value| *value <= setting.max()))
}

/// Stores a value.
pub fn set(db: &Connection, setting: LiveSetting, value: u32) -> Result<()> {
    Ok(meta::set(db, setting.name(), &value.to_string())?)
}
