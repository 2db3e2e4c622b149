//! The table `cells`: counts of bottles per cell, and the sums of their positions, at seven sizes of
//! cell.

use rusqlite::{Connection, params};

use crate::model::error::Result;
use crate::model::geo::{Area, Rectangle};

/// The levels of the grid. A cell at level n is 360 / 2^n degrees wide and high.
pub const LEVELS: [u8; 7] = [2, 4, 6, 8, 10, 12, 14];

/// The length of a degree of latitude, for the Earth's mean radius of 6371 km.
const KM_PER_DEGREE: f64 = 6371.0 * std::f64::consts::PI / 180.0;

/// The minimum width of a cell of [`Grid::Public`]. Rounded, it is 10 km.
const MIN_PUBLIC_WIDTH_KM: f64 = 9.5;

/// The number of bottles from which the log reports the progress of [`recount`].
const MIN_REPORTED: i64 = 100_000;

/// The way in which cells of a row are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// No cells are merged.
    Full,
    /// Neighbours by longitude are merged until no cell is narrower than about 10 km on the ground:
    /// the nearer a row is to a pole, the more of them.
    ///
    /// The number of merged columns is a power of 2 and depends on the row alone, and a cell of one
    /// level consists of whole cells of the next. Counts of any rectangles and levels can therefore
    /// not be subtracted from each other to get the count of a part of a cell.
    Public,
}

/// A cell that is not empty, with its count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The latitude of the centre, in degrees.
    pub latitude: f64,
    /// The longitude of the centre, in degrees.
    pub longitude: f64,
    /// The number of bottles.
    pub count: i64,
    sums: Sums,
}

/// The sums of the positions in a cell, from the south pole and from the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sums {
    north: i64,
    east: i64,
    /// The units of a turn.
    per_turn: f64,
}

impl Cell {
    /// Returns the mean latitude and longitude of the bottles, in degrees, to about a metre.
    ///
    /// Of a cell of [`Grid::Public`] it is the mean of the middles of the smallest public cells, and
    /// follows from their counts.
    pub fn centroid(&self) -> (f64, f64) {
        let Sums { north, east, per_turn } = self.sums;
        let mean = |sum: i64| sum as f64 / self.count as f64 * 360.0 / per_turn;
        let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
        (round(mean(north) - 90.0), round(mean(east) - 180.0))
    }
}

impl Grid {
    /// Returns the level of the smallest cells that this grid allows.
    pub fn finest_level(self) -> u8 {
        match self {
            Self::Full => 14,
            // About 10 km high.
            Self::Public => 12,
        }
    }

    /// Returns the first of the columns with the sums of this grid in a row of `read_row`, and their
    /// units of a turn. The view `bottle_cells` computes them.
    fn sums(self) -> (usize, f64) {
        match self {
            Self::Full => (2, f64::from(1 << 22)),
            Self::Public => (4, f64::from(1 << 13)),
        }
    }

    /// Returns the number of columns of `row` that are merged into one cell. It is at most half of
    /// them, so that a cell at a pole has a centre. That half of a disc is still as wide as a row
    /// is high.
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

/// Returns the width and height of a cell, in degrees.
pub fn size(level: u8) -> f64 {
    360.0 / f64::from(1_u32 << level)
}

/// Returns the number of bottles on the sea.
pub fn total(db: &Connection) -> Result<i64> {
    let sql = "SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = ?1";
    Ok(db.prepare_cached(sql)?.query_row([LEVELS[0]], |row| row.get(0))?)
}

/// Returns the index of the cell that contains an angle, measured from the edge of the first of
/// `count` cells. The view `bottle_cells` has the same formula.
fn index(degrees: f64, level: u8, count: i64) -> i64 {
    ((degrees / size(level)) as i64).clamp(0, count - 1)
}

/// Returns the first and last row that an area touches.
fn rows(area: &Area, level: u8) -> (i64, i64) {
    let row = |latitude: f64| index(latitude + 90.0, level, 1 << (level - 1));
    (row(area.south), row(area.north))
}

/// Returns the first and last column that an area touches, widened to whole cells of `joined`
/// columns.
fn columns(area: &Area, level: u8, joined: i64) -> (i64, i64) {
    let column = |longitude: f64| index(longitude + 180.0, level, 1 << level);
    (column(area.west) & -joined, column(area.east) | (joined - 1))
}

/// Returns the columns from `west` to `east` without those from `first` to `last`.
fn without((west, east): (i64, i64), (first, last): (i64, i64)) -> (i64, i64) {
    if east < first || west > last {
        (west, east)
    } else if west < first {
        (west, first - 1)
    } else {
        (last + 1, east)
    }
}

/// Returns the cells of `level` that the rectangle touches and that are not empty.
pub fn touched(db: &Connection, rectangle: &Rectangle, level: u8, grid: Grid) -> Result<Vec<Cell>> {
    let areas = rectangle.areas();
    let mut cells = Vec::new();
    for (index, area) in areas.iter().enumerate() {
        let (south, north) = rows(area, level);
        for row in south..=north {
            let joined = grid.joined(level, row);
            // The two areas of a rectangle across the antimeridian may touch the same merged cell.
            let earlier = areas[..index].iter().map(|area| columns(area, level, joined));
            let remaining = earlier.fold(columns(area, level, joined), without);
            read_row(db, (level, row), remaining, grid, &mut cells)?;
        }
    }
    Ok(cells)
}

/// Counts the bottles of all cells anew, and sums their positions. The log reports each level if there
/// are many bottles.
pub(super) fn recount(db: &Connection) -> rusqlite::Result<()> {
    let bottles: i64 = db.query_row("SELECT count(*) FROM bottles", [], |row| row.get(0))?;
    db.execute("DELETE FROM cells", [])?;
    for (done, level) in (1..).zip(LEVELS) {
        db.execute(
            "INSERT INTO cells
             SELECT level, y, x, count(*), sum(north), sum(east), sum(public_north), sum(public_east)
             FROM bottle_cells WHERE level = ?1 GROUP BY y, x",
            [level],
        )?;
        if bottles >= MIN_REPORTED {
            tracing::info!(
                "counting the bottles by cell: {done} of {} grids are done",
                LEVELS.len()
            );
        }
    }
    Ok(())
}

/// Reads the cells of a row from column `west` to column `east`.
fn read_row(
    db: &Connection,
    (level, row): (u8, i64),
    (west, east): (i64, i64),
    grid: Grid,
    cells: &mut Vec<Cell>,
) -> Result<()> {
    let joined = grid.joined(level, row);
    let mut statement = db.prepare_cached(
        "SELECT x, count, north, east, public_north, public_east FROM cells
         WHERE level = ?1 AND y = ?2 AND x BETWEEN ?3 AND ?4 AND count > 0
         ORDER BY x",
    )?;
    let mut columns = statement.query(params![level, row, west, east])?;
    let (sums, per_turn) = grid.sums();
    let mut last = None;
    while let Some(column) = columns.next()? {
        let (first, count) = (column.get::<_, i64>(0)? & -joined, column.get(1)?);
        let (north, east) = (column.get(sums)?, column.get(sums + 1)?);
        match cells.last_mut().filter(|_| last == Some(first)) {
            Some(cell) => {
                cell.count += count;
                cell.sums.north += north;
                cell.sums.east += east;
            }
            None => cells.push(Cell {
                latitude: (row as f64 + 0.5) * size(level) - 90.0,
                longitude: (first as f64 + joined as f64 / 2.0) * size(level) - 180.0,
                count,
                sums: Sums { north, east, per_turn },
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
