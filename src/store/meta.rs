//! What the server makes for itself and keeps: its keys, a certificate.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};

/// Keys that live as long as the file. Whoever has the file has them.
pub struct Keys {
    /// Encrypts private cookies: 256 bits, in hexadecimal.
    pub cookie: String,
    /// Signs JWTs: 256 bits, in hexadecimal.
    pub jwt: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// The file's keys, made now if it has none.
pub(super) fn keys(db: &Connection) -> rusqlite::Result<Keys> {
    Ok(Keys { cookie: key(db, "cookie_key")?, jwt: key(db, "jwt_key")? })
}

fn key(db: &Connection, name: &str) -> rusqlite::Result<String> {
    let fresh = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![name, fresh],
    )?;
    db.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get(0))
}

/// What is kept under this name.
pub fn value(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [name], |row| row.get(0)).optional()
}

/// Keeps a value in the place of what was kept under this name.
pub fn keep(db: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET value = excluded.value";
    db.execute(sql, params![name, value]).map(drop)
}
