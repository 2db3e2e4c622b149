//! The pages of the file that one search reads when nothing is cached.

use std::path::Path;

use bottle::store::nearby;
use rusqlite::{Connection, OpenFlags, Params, Statement, params};

use crate::Result;
use crate::rectangles::Rectangle;

/// Whose file and query.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Schema {
    Bottle,
    Peer,
}

/// Prints the median number of pages that a search for one of these rectangles reads.
///
/// Each search has a connection of its own that has read the schema, and nothing else, before. The
/// pages are counted by the bytes that the thread reads, so the file is not mapped.
pub fn run(path: &Path, rectangles: &Path, schema: Schema) -> Result<()> {
    let asked: Vec<Rectangle> = serde_json::from_str(&std::fs::read_to_string(rectangles)?)?;
    let mut pages =
        asked.iter().map(|asked| pages(path, asked, schema)).collect::<Result<Vec<_>>>()?;
    pages.sort_unstable();
    println!("{}", pages.get(pages.len() / 2).ok_or("the file has no rectangles")?);
    Ok(())
}

fn pages(path: &Path, asked: &Rectangle, schema: Schema) -> Result<u64> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.pragma_update(None, "mmap_size", 0)?;
    // Larger than the pages of a search, so that SQLite reads none of them twice.
    db.pragma_update(None, "cache_size", -64 * 1024)?;
    let page_size: u32 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    let before = bytes_read()?;
    match schema {
        Schema::Bottle => search_places(&db, asked)?,
        Schema::Peer => read_all(&mut db.prepare(bottle_axum::nearby::SEARCH)?, bounds(asked))?,
    }
    // The few bytes that SQLite reads at the start of a transaction vanish in the division.
    Ok((bytes_read()? - before) / u64::from(page_size))
}

/// Reads what Bottle reads: the candidates of the R*-tree, and then the bottle of each.
fn search_places(db: &Connection, asked: &Rectangle) -> Result<()> {
    let (candidates, by_place) =
        nearby::SEARCH.split_once(";\n\n").ok_or("the search has other queries now")?;
    let mut by_place = db.prepare(by_place.trim_end_matches(';'))?;
    let places: Vec<i64> = db
        .prepare(candidates)?
        .query_map(bounds(asked), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    places.iter().try_for_each(|place| read_all(&mut by_place, params![place]))
}

fn read_all(statement: &mut Statement<'_>, parameters: impl Params) -> Result<()> {
    let last = statement.column_count() - 1;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        std::hint::black_box(row.get_ref(last)?);
    }
    Ok(())
}

/// The rectangle as the parameters of the search: south, north, west, east.
fn bounds(asked: &Rectangle) -> [f64; 4] {
    [
        asked.latitude - asked.latitude_span,
        asked.latitude + asked.latitude_span,
        asked.longitude - asked.longitude_span,
        asked.longitude + asked.longitude_span,
    ]
}

/// The bytes that this thread has read from files so far.
fn bytes_read() -> Result<u64> {
    let io = std::fs::read_to_string("/proc/thread-self/io")?;
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
    Ok(line.ok_or("/proc does not count the bytes read on this system")?.parse()?)
}
