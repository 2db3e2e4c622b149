//! The table `meta`: keys, certificate and identity, which the server creates.

use std::fmt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::open::{self, OpenError};

/// The secret keys of the database. They are stored in the file, in plain form.
pub struct Keys {
    /// The key that encrypts private cookies: 256 bits, in hexadecimal.
    pub cookie: String,
    /// The key that signs JWTs: 256 bits, in hexadecimal.
    pub jwt: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// Reads the keys. Creates them and the identity if they are missing.
pub(super) fn keys(db: &Connection) -> rusqlite::Result<Keys> {
    let keys = Keys {
        cookie: get_or_insert(db, COOKIE_KEY, new_key())?,
        jwt: get_or_insert(db, JWT_KEY, new_key())?,
    };
    get_or_insert(db, DATABASE_ID, identity_of(&keys.cookie))?;
    Ok(keys)
}

/// Reads the keys, which the primary of a standby has created; `None` if it has not started yet.
pub(super) fn existing_keys(db: &Connection) -> rusqlite::Result<Option<Keys>> {
    let keys = get(db, COOKIE_KEY)?.zip(get(db, JWT_KEY)?);
    Ok(keys.map(|(cookie, jwt)| Keys { cookie, jwt }))
}

const COOKIE_KEY: &str = "cookie_key";
const JWT_KEY: &str = "jwt_key";
const DATABASE_ID: &str = "database_id";

fn new_key() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

/// Returns the value under this name, after storing `default` if there was none. Writes only in
/// that case.
fn get_or_insert(db: &Connection, name: &str, default: String) -> rusqlite::Result<String> {
    if let Some(existing) = get(db, name)? {
        return Ok(existing);
    }
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    db.execute(sql, params![name, default])?;
    db.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get(0))
}

/// Returns the identifier that this database shares with its backups and with no other database.
/// Returns `None` before the first start.
pub fn identity(db: &Connection) -> rusqlite::Result<Option<String>> {
    match get(db, DATABASE_ID)? {
        Some(id) => Ok(Some(id)),
        None => Ok(get(db, COOKIE_KEY)?.map(|key| identity_of(&key))),
    }
}

/// Derives the identity from the first cookie key, so that backups from before there were
/// identities match too. It is stored, so that it outlives that key.
fn identity_of(cookie_key: &str) -> String {
    let digest = Sha256::digest(format!("bottle database {cookie_key}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces both keys of the database at `path` and ends all sessions, access tokens and feeds. Returns
/// the number of sessions. Fails with [`OpenError::InUse`] if a server holds the file, because it would continue
/// with the old keys.
pub fn rotate_keys(path: &Path) -> Result<usize, OpenError> {
    let (_lock, mut db) = open::open_exclusive(path)?;
    let rotate = |change: &Connection| {
        keys(change)?;
        set(change, COOKIE_KEY, &new_key())?;
        set(change, JWT_KEY, &new_key())?;
        change.execute("DELETE FROM access_tokens", [])?;
        change.execute("DELETE FROM feeds", [])?;
        change.execute("DELETE FROM sessions", [])
    };
    let rotated = db.transaction().and_then(|change| {
        let ended = rotate(&change)?;
        change.commit()?;
        Ok(ended)
    });
    rotated.map_err(|e| open::refusal(path, e))
}

/// Returns the value under this name.
pub fn get(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get(0)).optional()
}

/// Stores a value under this name, in place of an older one.
pub fn set(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET value = excluded.value";
    db.execute(sql, params![name, value]).map(drop)
}
