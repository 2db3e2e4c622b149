//! Places: the keys of the R*-tree and of the table `map_bottles`.

use std::ops::RangeInclusive;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// The largest id of a bottle: a place has 31 bits for it.
const MAX_ID: i64 = (1 << ID_BITS) - 1;

/// The number of bits of an id.
const ID_BITS: u32 = 31;

/// The place of a bottle: a Morton code of its position, then its id.
///
/// The view `bottle_places` computes places. A place stands for the same bottle for ever, because
/// ids are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place(pub(super) i64);

impl Place {
    /// Returns the id of the bottle.
    pub fn bottle(self) -> i64 {
        self.0 & MAX_ID
    }
}

/// Returns the places of the cell at level 14 in this row and column.
///
/// A code has the bits of latitude and longitude in turn, and such a cell has one bit of latitude
/// less than of longitude. Its bottles are therefore in two ranges.
pub(super) fn cell_ranges(row: i64, column: i64) -> [RangeInclusive<i64>; 2] {
    [0, 4].map(|south| {
        let first = spread(row * 8 + south) << 1 | spread(column * 4);
        first << ID_BITS..=((first + 15) << ID_BITS | MAX_ID)
    })
}

/// Spreads the lower 16 bits to the even bits of the result.
fn spread(bits: i64) -> i64 {
    (0..16).map(|n| (bits >> n & 1) << (2 * n)).sum()
}

/// Returns the SQL expression for the bottle's id in the column `place`.
pub(super) fn bottle_of(place: &str) -> String {
    format!("({place} & {MAX_ID})")
}

impl ToSql for Place {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for Place {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_the_first_and_the_last_cell_end_at_the_limits() {
        let [first, second] = cell_ranges(0, 0);
        assert_eq!((*first.start(), *first.end()), (0, (16 << ID_BITS) - 1));
        assert_eq!(*second.end(), *second.start() + (16 << ID_BITS) - 1);
        let [_, last] = cell_ranges(8191, 16_383);
        assert_eq!(*last.end(), i64::MAX);
    }
}
