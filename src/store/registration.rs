//! The mode of registration, in the table `meta`.

use rusqlite::Connection;

use super::meta;
use crate::model::error::Result;
use crate::model::registration::RegistrationMode;

const REGISTRATION: &str = "registration";

/// Returns the stored mode, or `None` if none was chosen.
pub fn mode(db: &Connection) -> Result<Option<RegistrationMode>> {
    let stored = meta::get(db, REGISTRATION)?;
    // A word that nobody knows lets nobody in.
    Ok(stored.map(|word| RegistrationMode::parse(&word).unwrap_or(RegistrationMode::Closed)))
}

/// Stores the mode.
pub fn set_mode(db: &Connection, mode: RegistrationMode) -> Result<()> {
    Ok(meta::set(db, REGISTRATION, mode.as_str())?)
}
