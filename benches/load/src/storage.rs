//! The cost of the search alone: Bottle's own store, queried without HTTP.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bottle::domain::bottles::{Bottles, NearbyQuery};
use bottle::domain::events::EventBus;
use bottle::model::clock::Clock;
use bottle::model::geo::{Position, Rectangle};
use bottle::store::{Options, Store};
use tokio::runtime::Runtime;

use crate::Result;
use crate::rectangles;

/// Prints the searches per second that `threads` threads do together.
pub fn run(db: &Path, rectangles: &Path, threads: usize, seconds: f64) -> Result<()> {
    let options = Options {
        readers: threads as u32,
        long_readers: 1,
        busy_timeout: Duration::from_secs(4),
        slow: None,
        map_cache_bytes: 32 << 20,
    };
    let store = Arc::new(Store::open(db, &options)?);
    let bottles = Bottles::new(store, Clock::default(), EventBus::new(0));
    let runtime = Runtime::new()?;
    let asked: Vec<rectangles::Rectangle> =
        serde_json::from_str(&std::fs::read_to_string(rectangles)?)?;
    let asked = asked.iter().map(rectangle).collect::<Result<Vec<_>>>()?;

    let started = Instant::now();
    let until = started + Duration::from_secs_f64(seconds);
    let done: Result<Vec<usize>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|n| {
                scope.spawn({
                    let (runtime, bottles, asked) = (&runtime, &bottles, &asked);
                    move || search(runtime, bottles, asked, until, n)
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a thread panicked")?).collect()
    });
    let searches: usize = done?.into_iter().sum();
    println!("{}", searches as f64 / started.elapsed().as_secs_f64());
    Ok(())
}

fn rectangle(asked: &rectangles::Rectangle) -> Result<Rectangle> {
    let center = Position::new(asked.latitude, asked.longitude)?;
    Ok(Rectangle::new(center, asked.latitude_span, asked.longitude_span)?)
}

/// Searches until the time is over, starting at a different rectangle from the other threads.
fn search(
    runtime: &Runtime,
    bottles: &Bottles,
    asked: &[Rectangle],
    until: Instant,
    thread: usize,
) -> Result<usize> {
    let wanted = NearbyQuery { limit: 10_000, after: None };
    let mut done = 0;
    for rectangle in asked.iter().cycle().skip(thread * asked.len() / 2) {
        let seen = bottles.nearby(rectangle, wanted, |sighting| {
            Ok(((sighting.id, sighting.formatted_address.to_owned()), 0))
        });
        std::hint::black_box(runtime.block_on(seen)?);
        done += 1;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(done)
}
