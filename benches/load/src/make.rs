//! A database of any size with Bottle's own schema, a million bottles in seconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bottle::domain::accounts::{Accounts, Registration};
use bottle::domain::events::EventBus;
use bottle::model::clock::Clock;
use bottle::server::config::Settings;
use bottle::model::fields::Username;
use bottle::domain::password::Passwords;
use bottle::domain::rate_limit::{RateLimiter, Rates};
use bottle::store::{Options, Store};
use rusqlite::{Connection, params};

use crate::Result;
use crate::sea::{Random, places};

const SEED: u64 = 5;
/// 2026-01-01, in milliseconds; each bottle is thrown a second after the one before.
const FIRST_THROWN: i64 = 1_767_225_600_000;

const WORDS: [&str; 16] = [
    "tide", "lantern", "harbour", "gull", "letter", "island", "rain", "morning", "compass", "salt",
    "drift", "anchor", "pearl", "storm", "quiet", "shore",
];

/// Makes `path` with this number of bottles, all thrown by the account `ada` (password `pass`).
pub fn run(path: &Path, bottles: u32) -> Result<()> {
    if path.exists() {
        return Err(format!("{} is there already", path.display()).into());
    }
    let owner = create(path)?;
    let mut db = Connection::open(path)?;
    // No journal: after a crash, the file is simply made again.
    db.pragma_update(None, "journal_mode", "off")?;
    db.pragma_update(None, "synchronous", "off")?;
    db.pragma_update(None, "cache_size", -256 * 1024)?;
    fill(&mut db, owner, bottles)?;
    check(&db, bottles)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Has Bottle create the file and the account, and returns the id of the account.
fn create(path: &Path) -> Result<i64> {
    let settings = Settings::default();
    let options =
        Options { readers: 1, long_readers: 1, busy_timeout: Duration::from_secs(4), slow: None };
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

/// Inserts the bottles without the triggers, and then the rows that the triggers would have written.
fn fill(db: &mut Connection, owner: i64, bottles: u32) -> Result<()> {
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
    insert(&change, owner, bottles)?;
    change.execute_batch(
        "INSERT INTO bottles_rtree
         SELECT id, latitude, latitude, longitude, longitude FROM bottles ORDER BY id;
         INSERT INTO cells
         SELECT level,
                min(CAST((latitude + 90) * per_turn / 360 AS INTEGER), per_turn / 2 - 1) AS y,
                min(CAST((longitude + 180) * per_turn / 360 AS INTEGER), per_turn - 1) AS x,
                count(*)
         FROM levels CROSS JOIN bottles
         GROUP BY 1, 2, 3;",
    )?;
    for (_, sql) in &triggers {
        change.execute_batch(sql)?;
    }
    change.commit()?;
    Ok(())
}

fn insert(db: &Connection, owner: i64, bottles: u32) -> Result<()> {
    let mut random = Random::new(SEED);
    let mut statement = db.prepare(
        "INSERT INTO bottles
             (owner_id, content, formatted_address, latitude, longitude, style, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let places = places(&mut random, bottles as usize);
    for (thrown, place) in (FIRST_THROWN..).step_by(1000).zip(places) {
        let address = format!("{} Street {}", words(&mut random, 2), random.below(200) + 1);
        let content = words(&mut random, 9);
        let style = random.below(3) as i64;
        statement.execute(params![
            owner,
            content,
            address,
            place.latitude,
            place.longitude,
            style,
            thrown
        ])?;
    }
    Ok(())
}

fn words(random: &mut Random, count: usize) -> String {
    let words: Vec<&str> = (0..count).map(|_| WORDS[random.below(WORDS.len())]).collect();
    words.join(" ")
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
