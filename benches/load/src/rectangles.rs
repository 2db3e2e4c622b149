//! Rectangles to query: around bottles of the sea, wide enough to hold about the wanted number.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::sea::Random;

const SEED: u64 = 20;
/// How far from the wanted number a rectangle may be.
const TOLERANCE: f64 = 0.1;

/// The parameters of a `nearby` request, and the number of bottles it finds.
#[derive(Serialize, Deserialize)]
pub struct Rectangle {
    pub latitude: f64,
    pub longitude: f64,
    pub latitude_span: f64,
    pub longitude_span: f64,
    found: u32,
}

/// Prints `count` rectangles that hold about `results` bottles each.
pub fn run(path: &Path, results: u32, count: usize) -> Result<()> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let last: i64 = db.query_row("SELECT max(id) FROM bottles", [], |row| row.get(0))?;
    let mut random = Random::new(SEED);
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..count * 20 {
        if chosen.len() == count {
            break;
        }
        let id = random.between(1.0, last as f64) as i64;
        chosen.extend(around(&db, id, results)?);
    }
    if chosen.len() < count {
        return Err(format!("there are no {count} rectangles of {results} bottles here").into());
    }
    println!("{}", serde_json::to_string(&chosen)?);
    Ok(())
}

/// The rectangle around a bottle that holds `results`, by bisection; `None` where it would reach a
/// pole or the antimeridian, or so many bottles lie at one place that it cannot be told apart.
fn around(db: &Connection, id: i64, results: u32) -> Result<Option<Rectangle>> {
    let (latitude, longitude): (f64, f64) = db
        .prepare_cached("SELECT latitude, longitude FROM bottles WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let widest = (180.0 - longitude.abs()).min(90.0 - latitude.abs()) - 0.1;
    let (mut least, mut most) = (0.0, 0.001);
    while count(db, latitude, longitude, most)? < results {
        (least, most) = (most, most * 2.0);
        if most > widest {
            return Ok(None);
        }
    }
    for _ in 0..30 {
        let span = ((least + most) / 2.0 * 1e6_f64).round() / 1e6;
        let found = count(db, latitude, longitude, span)?;
        if f64::from(found.abs_diff(results)) <= f64::from(results) * TOLERANCE {
            let (latitude_span, longitude_span) = (span, span);
            return Ok(Some(Rectangle {
                latitude,
                longitude,
                latitude_span,
                longitude_span,
                found,
            }));
        }
        if found < results {
            least = span;
        } else {
            most = span;
        }
    }
    Ok(None)
}

fn count(db: &Connection, latitude: f64, longitude: f64, span: f64) -> Result<u32> {
    Ok(db
        .prepare_cached(
            "SELECT count(*) FROM bottles_rtree
             WHERE max_latitude >= ?1 AND min_latitude <= ?2
               AND max_longitude >= ?3 AND min_longitude <= ?4",
        )?
        .query_row(
            params![latitude - span, latitude + span, longitude - span, longitude + span],
            |row| row.get(0),
        )?)
}
