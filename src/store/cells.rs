//! Counts of bottles by cell, at seven sizes of cell.

use rusqlite::{Connection, params};

use crate::model::error::Result;
use crate::model::geo::{Area, Rectangle};

/// The levels there are: a cell at level n is 360 / 2^n degrees wide and high.
pub const LEVELS: [u8; 7] = [2, 4, 6, 8, 10, 12, 14];

/// A degree of latitude, on a globe with a radius of 6371 km.
const KM_PER_DEGREE: f64 = 6371.0 * std::f64::consts::PI / 180.0;

/// The least width of a cell of [`Grid::Public`]. Rounded, that is 10 km.
const MIN_PUBLIC_WIDTH_KM: f64 = 9.5;

/// Which cells of a row are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// None: each cell is counted by itself.
    Full,
    /// Neighbours by longitude, the more the nearer a row is to a pole, so that no cell is narrower than
    /// about 10 km on the ground.
    ///
    /// The number of columns that are joined is a power of 2 and depends on the row alone, and a cell of
    /// one level consists of whole cells of the next. So no counts can be subtracted from each other,
    /// whatever rectangles and levels they are of, to get the count of a part of a cell.
    Public,
}

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

impl Grid {
    /// The level of its smallest cells.
    pub fn finest_level(self) -> u8 {
        match self {
            Self::Full => 14,
            // About 10 km high.
            Self::Public => 12,
        }
    }

    /// How many columns of `row` are one cell: at most half of them, so that a cell at a pole has a
    /// middle. That half of a disc is still as wide as a row is high.
    fn joined(self, level: u8, row: i64) -> i64 {
        if self == Self::Full {
            return 1;
        }
        let south = row as f64 * size(level) - 90.0;
        let poleward_edge = south.abs().max((south + size(level)).abs());
        let width_km = size(level) * KM_PER_DEGREE * poleward_edge.to_radians().cos();
        (0..level - 1)
            .map(|n| 1_i64 << n)
            .find(|joined| *joined as f64 * width_km >= MIN_PUBLIC_WIDTH_KM)
            .unwrap_or(1 << (level - 1))
    }
}

/// The width and height of a cell, in degrees.
pub fn size(level: u8) -> f64 {
    360.0 / f64::from(1_u32 << level)
}

/// Returns the number of bottles on the sea.
pub fn total(db: &Connection) -> Result<i64> {
    let sql = "SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = ?1";
    Ok(db.prepare_cached(sql)?.query_row([LEVELS[0]], |row| row.get(0))?)
}

/// The cell, of `count` in a row or column, in which an angle lies that is counted from the first one's
/// edge. The view `bottle_cells` computes the same.
fn index(degrees: f64, level: u8, count: i64) -> i64 {
    ((degrees / size(level)) as i64).clamp(0, count - 1)
}

/// The first and last row that an area touches.
fn rows(area: &Area, level: u8) -> (i64, i64) {
    let row = |latitude: f64| index(latitude + 90.0, level, 1 << (level - 1));
    (row(area.south), row(area.north))
}

/// The first and last column that an area touches, where `joined` columns are one cell.
fn columns(area: &Area, level: u8, joined: i64) -> (i64, i64) {
    let column = |longitude: f64| index(longitude + 180.0, level, 1 << level);
    (column(area.west) & -joined, column(area.east) | (joined - 1))
}

/// The columns from `west` to `east` without those that were counted before.
fn without((west, east): (i64, i64), (first, last): (i64, i64)) -> (i64, i64) {
    if east < first || west > last {
        (west, east)
    } else if west < first {
        (west, first - 1)
    } else {
        (last + 1, east)
    }
}

/// The cells of `level` that the rectangle touches and that are not empty.
pub fn touched(db: &Connection, rectangle: &Rectangle, level: u8, grid: Grid) -> Result<Vec<Cell>> {
    let areas = rectangle.areas();
    let mut found = Vec::new();
    for (nth, area) in areas.iter().enumerate() {
        let (south, north) = rows(area, level);
        for row in south..=north {
            let joined = grid.joined(level, row);
            // The two areas of a rectangle over the antimeridian may meet in one cell.
            let new = areas[..nth].iter().fold(columns(area, level, joined), |new, before| {
                without(new, columns(before, level, joined))
            });
            in_row(db, (level, row), new, joined, &mut found)?;
        }
    }
    Ok(found)
}

/// Reads the cells of a row between two columns.
fn in_row(
    db: &Connection,
    (level, row): (u8, i64),
    (west, east): (i64, i64),
    joined: i64,
    found: &mut Vec<Cell>,
) -> Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT x, count FROM cells
         WHERE level = ?1 AND y = ?2 AND x BETWEEN ?3 AND ?4 AND count > 0
         ORDER BY x",
    )?;
    let mut columns = statement.query(params![level, row, west, east])?;
    let mut last = None;
    while let Some(column) = columns.next()? {
        let (first, count) = (column.get::<_, i64>(0)? & -joined, column.get(1)?);
        match found.last_mut().filter(|_| last == Some(first)) {
            Some(cell) => cell.count += count,
            None => found.push(Cell {
                latitude: (row as f64 + 0.5) * size(level) - 90.0,
                longitude: (first as f64 + joined as f64 / 2.0) * size(level) - 180.0,
                count,
            }),
        }
        last = Some(first);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public_levels() -> impl Iterator<Item = u8> {
        LEVELS.into_iter().filter(|level| *level <= Grid::Public.finest_level())
    }

    fn all_rows(level: u8) -> std::ops::Range<i64> {
        0..1 << (level - 1)
    }

    #[test]
    fn public_cells_are_about_ten_kilometres_wide_at_least() {
        for level in public_levels() {
            for row in all_rows(level) {
                let joined = Grid::Public.joined(level, row);
                let edges =
                    [row, row + 1].map(|row| (row as f64 * size(level) - 90.0).to_radians());
                let narrower = edges.map(f64::cos).into_iter().fold(1.0, f64::min);
                let km = joined as f64 * size(level) * KM_PER_DEGREE * narrower;
                let at_a_pole = row == 0 || row == all_rows(level).end - 1;
                assert!(km >= 9.5 || at_a_pole && joined == 1 << (level - 1), "{level} {row}");
                // No wider than need be.
                assert!(joined == 1 || km < 19.0, "{level} {row}");
                assert_eq!(joined, Grid::Public.joined(level, all_rows(level).end - 1 - row));
            }
        }
    }

    #[test]
    fn public_cells_consist_of_whole_finer_ones() {
        for (coarse, fine) in public_levels().zip(public_levels().skip(1)) {
            for row in all_rows(fine) {
                let finer = Grid::Public.joined(fine, row);
                let coarser = Grid::Public.joined(coarse, row >> (fine - coarse));
                // Both are powers of 2, and counted from the same edge.
                assert!(finer <= coarser << (fine - coarse), "level {fine}, row {row}");
            }
        }
    }
}
