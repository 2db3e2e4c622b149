//! Counts of bottles by cell, at seven sizes of cell.

use rusqlite::{Connection, named_params};

use crate::model::error::Result;
use crate::model::geo::{Area, Rectangle};

/// The levels there are: a cell at level n is 360 / 2^n degrees wide and high.
pub const LEVELS: [u8; 7] = [2, 4, 6, 8, 10, 12, 14];

/// How many bottles lie in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The latitude of its middle.
    pub latitude: f64,
    /// The longitude of its middle.
    pub longitude: f64,
    /// How many.
    pub count: i64,
}

/// The width and height of a cell, in degrees.
pub fn size(level: u8) -> f64 {
    360.0 / f64::from(1_u32 << level)
}

/// How many bottles there are in all.
pub fn total(db: &Connection) -> Result<i64> {
    let sql = "SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = ?1";
    Ok(db.prepare_cached(sql)?.query_row([LEVELS[0]], |row| row.get(0))?)
}

/// The cells of `level` that the rectangle touches and that are not empty.
pub fn touched(db: &Connection, rectangle: &Rectangle, level: u8) -> Result<Vec<Cell>> {
    let mut found: Vec<Cell> = Vec::new();
    let mut before: Option<(i64, i64)> = None;
    for area in rectangle.areas() {
        let (mut west, mut east) = columns(&area, level);
        // The two areas of a rectangle over the antimeridian may meet in one cell.
        if let Some((first, last)) = before.filter(|(first, last)| west <= *last && east >= *first)
        {
            if west < first {
                east = first - 1;
            } else {
                west = last + 1;
            }
        }
        in_area(db, &area, level, (west, east), &mut found)?;
        before = Some((west, east));
    }
    Ok(found)
}

/// The first and last column that an area touches.
fn columns(area: &Area, level: u8) -> (i64, i64) {
    let last = (1_i64 << level) - 1;
    let column = |longitude: f64| (((longitude + 180.0) / size(level)) as i64).clamp(0, last);
    (column(area.west), column(area.east))
}

/// One look-up a row of cells: what lies east and west of the area costs nothing.
fn in_area(
    db: &Connection,
    area: &Area,
    level: u8,
    (west, east): (i64, i64),
    found: &mut Vec<Cell>,
) -> Result<()> {
    let size = size(level);
    let last = (1_i64 << (level - 1)) - 1;
    let row = |latitude: f64| (((latitude + 90.0) / size) as i64).clamp(0, last);
    let mut statement = db.prepare_cached(
        "WITH RECURSIVE rows (y) AS (
             VALUES (:south) UNION ALL SELECT y + 1 FROM rows WHERE y < :north
         )
         SELECT cells.y, x, count FROM rows CROSS JOIN cells
         ON level = :level AND cells.y = rows.y AND x BETWEEN :west AND :east
         WHERE count > 0",
    )?;
    let cells = statement.query_map(
        named_params! {
            ":level": level,
            ":south": row(area.south),
            ":north": row(area.north),
            ":west": west,
            ":east": east,
        },
        |cell| {
            Ok(Cell {
                latitude: (f64::from(cell.get::<_, i32>(0)?) + 0.5) * size - 90.0,
                longitude: (f64::from(cell.get::<_, i32>(1)?) + 0.5) * size - 180.0,
                count: cell.get(2)?,
            })
        },
    )?;
    for cell in cells {
        found.push(cell?);
    }
    Ok(())
}
