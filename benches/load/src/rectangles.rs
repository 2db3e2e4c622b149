//! Rectangles to query, wide enough to hold about the wanted number of bottles.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::sea::{Place, Random, cities, near};

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

/// Where clients look.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Traffic {
    /// Where people are: the cities, the n-th of them with a probability of 1/n of the first
    Typical,
    /// Around any bottle, the worst case for caches
    Uniform,
}

/// Prints `count` rectangles that hold about `results` bottles each.
pub fn run(path: &Path, results: u32, count: usize, traffic: Traffic) -> Result<()> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let last: i64 = db.query_row("SELECT max(id) FROM bottles", [], |row| row.get(0))?;
    let mut random = Random::new(SEED);
    let cities = cities();
    let total: f64 = (1..=cities.len()).map(|rank| 1.0 / rank as f64).sum();
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..count * 20 {
        if chosen.len() == count {
            break;
        }
        let center = match traffic {
            Traffic::Typical => {
                let mut left = random.unit() * total;
                let rank = (1..cities.len()).find(|rank| {
                    left -= 1.0 / *rank as f64;
                    left < 0.0
                });
                near(cities[rank.unwrap_or(cities.len()) - 1], &mut random)
            }
            Traffic::Uniform => {
                let id = random.between(1.0, last as f64) as i64;
                db.prepare_cached("SELECT latitude, longitude FROM bottles WHERE id = ?1")?
                    .query_row([id], |row| {
                        Ok(Place { latitude: row.get(0)?, longitude: row.get(1)? })
                    })?
            }
        };
        chosen.extend(around(&db, center, results)?);
    }
    if chosen.len() < count {
        return Err(format!("there are no {count} rectangles of {results} bottles here").into());
    }
    println!("{}", serde_json::to_string(&chosen)?);
    Ok(())
}

/// The rectangle around a place that holds `results`, by bisection; `None` where it would reach a
/// pole or the antimeridian, or so many bottles lie at one place that it cannot be told apart.
fn around(db: &Connection, center: Place, results: u32) -> Result<Option<Rectangle>> {
    let Place { latitude, longitude } = center;
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
