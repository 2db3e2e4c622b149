//! Bottle's private cookie and its session, checked as any program with the file's key can.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, StatusCode, header};
use cookie::{Cookie, CookieJar, Key};
use r2d2::{Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use sha2::{Digest, Sha256};

use crate::Result;

const COOKIE: &str = "bottle_session";

/// The key of the private cookies in this file, in hexadecimal.
pub fn cookie_key(db: &Path) -> Result<String> {
    let db = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(db.query_row("SELECT value FROM meta WHERE key = 'cookie_key'", [], |row| row.get(0))?)
}

/// Authenticates requests.
pub struct Sessions {
    key: Key,
    pool: Pool<SqliteConnectionManager>,
}

impl Sessions {
    pub fn open(path: &Path) -> Result<Self> {
        let hex = cookie_key(path)?;
        let key: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16))
            .collect::<std::result::Result<_, _>>()?;
        let manager = SqliteConnectionManager::file(path)
            .with_flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_init(|db| db.pragma_update(None, "mmap_size", 1_i64 << 36));
        let pool = Pool::builder()
            .max_size(8)
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(4))
            .build(manager)?;
        Ok(Self { key: Key::derive_from(&key), pool })
    }

    /// A connection to read with.
    pub fn reader(
        &self,
    ) -> std::result::Result<PooledConnection<SqliteConnectionManager>, StatusCode> {
        self.pool.get().map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The account of the live session in the request's cookie.
    pub fn account(
        &self,
        db: &Connection,
        headers: &HeaderMap,
    ) -> std::result::Result<i64, StatusCode> {
        let token = self.token(headers).ok_or(StatusCode::UNAUTHORIZED)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        live(db, &token, now as i64)
            .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?
            .ok_or(StatusCode::UNAUTHORIZED)
    }

    /// The secret in the cookie.
    fn token(&self, headers: &HeaderMap) -> Option<String> {
        let carried = headers.get(header::COOKIE)?.to_str().ok()?;
        let sealed = Cookie::split_parse_encoded(carried)
            .filter_map(std::result::Result::ok)
            .find(|cookie| cookie.name() == COOKIE)?;
        let opened = CookieJar::new().private(&self.key).decrypt(sealed.into_owned())?;
        Some(opened.value().to_owned())
    }
}

fn live(db: &Connection, token: &str, now: i64) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT user_id FROM sessions
         WHERE token_hash = ?1 AND contract = 'bottle' AND expires_at > ?2",
    )?
    .query_row((Sha256::digest(token).as_slice(), now), |row| row.get(0))
    .optional()
}
