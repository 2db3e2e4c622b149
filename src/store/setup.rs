//! The setup link, which makes the first operator: its hash in the table `meta`, and the file that
//! keeps the link for the person who runs the server.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use rusqlite::{Connection, params};

use super::{Store, files, meta, operators};
use crate::model::error::{Error, Result};
use crate::model::token::TokenHash;

/// The trigger `operator_added` deletes it by the same name.
const SETUP_HASH: &str = "setup_hash";

/// Stores the hash of a setup link, in place of an older one, unless there is an operator. Returns
/// whether it did.
pub fn begin(db: &Connection, link: TokenHash) -> Result<bool> {
    if operators::exist(db)? {
        return Ok(false);
    }
    meta::set(db, SETUP_HASH, &link.to_hex())?;
    Ok(true)
}

/// Returns [`Error::InvalidSetup`] unless this is the setup link and there is no operator.
pub fn check(db: &Connection, link: TokenHash) -> Result<()> {
    let is_valid = meta::get(db, SETUP_HASH)?.is_some_and(|stored| stored == link.to_hex());
    if is_valid && !operators::exist(db)? { Ok(()) } else { Err(Error::InvalidSetup) }
}

/// Uses the setup link up. Returns [`Error::InvalidSetup`] as [`check`] does.
pub fn redeem(db: &Connection, link: TokenHash) -> Result<()> {
    check(db, link)?;
    db.prepare_cached("DELETE FROM meta WHERE key = ?1")?.execute(params![SETUP_HASH])?;
    Ok(())
}

impl Store {
    /// Returns the path of the file that keeps the setup link: `bottle.db.setup`.
    pub fn setup_file(&self) -> PathBuf {
        files::with_suffix(self.path(), ".setup")
    }

    /// Writes the setup link to its file, which only its owner may read.
    ///
    /// # Errors
    /// Returns the error of the disk.
    pub fn write_setup_file(&self, link: &str) -> io::Result<()> {
        let path = self.setup_file();
        let mut file = files::create_temporary(&path)?;
        writeln!(file, "{link}")?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        files::sync_folder(&path)
    }

    /// Deletes the file of the setup link, if there is one.
    pub fn delete_setup_file(&self) {
        let path = self.setup_file();
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("cannot delete {}: {e}; its link no longer works", path.display());
            }
            _ => {}
        }
    }
}
