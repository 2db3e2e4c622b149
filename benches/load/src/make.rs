//! A database of any size with Bottle's own schema, a million bottles in seconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bottle::domain::accounts::{Accounts, Registration};
use bottle::domain::events::EventBus;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::model::clock::Clock;
use bottle::model::fields::Username;
use bottle::model::geo::Position;
use bottle::model::hilbert;
use bottle::server::config::Settings;
use bottle::store::{Options, Store};
use rusqlite::{Connection, params};

use crate::Result;
use crate::sea::{Messages, Random, message, places, words};

const SEED: u64 = 5;
/// 2026-01-01, in milliseconds; each bottle is thrown a second after the one before.
const FIRST_THROWN: i64 = 1_767_225_600_000;

/// A sea to make.
#[derive(clap::Args)]
pub struct Sea {
    bottles: u32,
    /// Throw the bottles along a Hilbert curve, instead of anywhere
    #[arg(long)]
    sorted: bool,
    /// The length of the messages
    #[arg(long, value_enum, default_value = "long")]
    messages: Messages,
}

/// Makes `path` with these bottles, all thrown by the account `ada` (password `pass`).
pub fn run(path: &Path, sea: &Sea) -> Result<()> {
    if path.exists() {
        return Err(format!("{} is there already", path.display()).into());
    }
    let owner = create(path)?;
    let mut db = open_unsafe(path)?;
    fill(&mut db, owner, sea)?;
    check(&db, sea.bottles)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Opens the file without a journal: after a crash, it is simply made again.
fn open_unsafe(path: &Path) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "off")?;
    db.pragma_update(None, "synchronous", "off")?;
    db.pragma_update(None, "cache_size", -256 * 1024)?;
    Ok(db)
}

/// Makes `path` with the accounts, sessions and bottles of `sea` in the schema that somebody would
/// write by hand: one table of bottles, and its R*-tree, both in the order of arrival.
pub fn peer(sea: &Path, path: &Path) -> Result<()> {
    let db = open_unsafe(path)?;
    db.execute("ATTACH ?1 AS sea", [sea.to_str()])?;
    db.execute_batch(
        "BEGIN;
         CREATE TABLE meta AS SELECT * FROM sea.meta;
         CREATE TABLE sessions (
             token_hash BLOB PRIMARY KEY, user_id INTEGER, contract TEXT, expires_at INTEGER
         ) WITHOUT ROWID;
         INSERT INTO sessions SELECT token_hash, user_id, contract, expires_at FROM sea.sessions;
         CREATE TABLE bottles (
             id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL, content TEXT NOT NULL,
             formatted_address TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
             style INTEGER NOT NULL, created_at INTEGER NOT NULL
         );
         INSERT INTO bottles
         SELECT id, owner_id, content, formatted_address, latitude, longitude, style, created_at
         FROM sea.bottles JOIN sea.messages ON bottle_id = id ORDER BY id;
         CREATE VIRTUAL TABLE bottles_rtree USING rtree (
             id, min_latitude, max_latitude, min_longitude, max_longitude
         );
         INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles ORDER BY id;
         COMMIT;",
    )?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Has Bottle create the file and the account, and returns the id of the account.
fn create(path: &Path) -> Result<i64> {
    let settings = Settings::default();
    let options = Options {
        readers: 1,
        long_readers: 1,
        busy_timeout: Duration::from_secs(4),
        slow: None,
        map_cache_bytes: 0,
    };
    let store = Arc::new(Store::open(path, &options)?);
    let passwords = Passwords::new(settings.password_cost(), 1);
    let clock = Clock::default();
    let rate_limiter = Arc::new(RateLimiter::new(Rates::default(), &clock));
    let (min_length, events) = (settings.min_password_length, EventBus::new(0));
    let accounts = Accounts::new(store, passwords, clock, min_length, rate_limiter, events);
    let registration = Registration {
        username: Username::parse("username", "ada")?,
        password: accounts.new_password("password", "pass")?,
        nickname: None,
        gender: None,
        email: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(accounts.register(registration))?.id)
}

/// Inserts the bottles without the triggers, and then the rows that the triggers would have written,
/// in the order in which they would have written them.
fn fill(db: &mut Connection, owner: i64, sea: &Sea) -> Result<()> {
    let change = db.transaction()?;
    let triggers: Vec<(String, String)> = change
        .prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'bottles'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, _) in &triggers {
        change.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    insert(&change, owner, sea)?;
    change.execute_batch(
        "INSERT INTO bottles_rtree
         SELECT place, latitude, latitude, longitude, longitude
         FROM bottle_places JOIN bottles ON id = bottle_id ORDER BY id;
         INSERT INTO map_bottles
             (place, owner_id, style, latitude, longitude, formatted_address)
         SELECT place, owner_id, style, latitude, longitude, formatted_address
         FROM bottle_places JOIN bottles ON id = bottle_id ORDER BY place;
         INSERT INTO cells
         SELECT level, y, x, count(*), sum(north), sum(east), sum(public_north), sum(public_east)
         FROM bottle_cells GROUP BY 1, 2, 3;",
    )?;
    for (_, sql) in &triggers {
        change.execute_batch(sql)?;
    }
    change.commit()?;
    Ok(())
}

fn insert(db: &Connection, owner: i64, sea: &Sea) -> Result<()> {
    let mut random = Random::new(SEED);
    let mut bottle = db.prepare(
        "INSERT INTO bottles (owner_id, formatted_address, latitude, longitude, style, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut letter = db.prepare("INSERT INTO messages VALUES (?1, ?2)")?;
    let mut places = places(&mut random, sea.bottles as usize);
    if sea.sorted {
        places.sort_by_cached_key(|place| {
            Position::new(place.latitude, place.longitude).map(hilbert::distance).unwrap_or(0)
        });
    }
    for (thrown, place) in (FIRST_THROWN..).step_by(1000).zip(places) {
        let address = format!("{} Street {}", words(&mut random, 2), random.below(200) + 1);
        let style = random.below(3) as i64;
        let values = params![owner, address, place.latitude, place.longitude, style, thrown];
        bottle.execute(values)?;
        letter.execute(params![db.last_insert_rowid(), message(&mut random, sea.messages)])?;
    }
    Ok(())
}

/// Checks that the sea holds the rows that Bottle's triggers would have written.
fn check(db: &Connection, bottles: u32) -> Result<()> {
    let placed: u32 = db.query_row("SELECT count(*) FROM bottles_rtree", [], |row| row.get(0))?;
    let miscounted: u32 = db.query_row(
        "SELECT count(*) FROM levels
         WHERE ?1 <> (SELECT sum(count) FROM cells WHERE cells.level = levels.level)",
        [bottles],
        |row| row.get(0),
    )?;
    match (placed == bottles, miscounted) {
        (true, 0) => Ok(()),
        _ => Err("the schema has changed: the bulk insert must follow its triggers".into()),
    }
}
