//! Places: the keys of the R*-tree and of the table `map_bottles`.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// The largest id of a bottle: a place has 31 bits for it.
const MAX_ID: i64 = (1 << 31) - 1;

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
