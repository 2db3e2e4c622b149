//! Bottles as the map shows them: closed, without their message.

use rusqlite::Row;

use super::bottles::{Bottle, position};
use super::place::Place;
use crate::model::fields::Style;
use crate::model::geo::Position;

/// A bottle as the map shows it, without its message.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct MapBottle {
    pub id: i64,
    pub owner: i64,
    pub style: Style,
    pub position: Position,
    pub formatted_address: String,
    /// The distance in metres within which it can be opened; `None` for any.
    pub open_within_m: Option<u32>,
}

/// A [`MapBottle`] whose address borrows SQLite's row.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct MapBottleRef<'row> {
    pub id: i64,
    pub owner: i64,
    pub style: Style,
    pub position: Position,
    pub formatted_address: &'row str,
    pub open_within_m: Option<u32>,
}

impl MapBottle {
    /// Returns the map's view of `bottle`, which the account `owner` threw.
    pub fn of(bottle: &Bottle, owner: i64) -> Self {
        Self {
            id: bottle.id,
            owner,
            style: bottle.style,
            position: bottle.position,
            formatted_address: bottle.formatted_address.clone(),
            open_within_m: bottle.open_within_m,
        }
    }

    /// Borrows the bottle.
    pub fn as_ref(&self) -> MapBottleRef<'_> {
        let Self { id, owner, style, position, formatted_address, open_within_m } = self;
        MapBottleRef {
            id: *id,
            owner: *owner,
            style: *style,
            position: *position,
            formatted_address,
            open_within_m: *open_within_m,
        }
    }
}

impl From<MapBottleRef<'_>> for MapBottle {
    fn from(bottle: MapBottleRef<'_>) -> Self {
        let MapBottleRef { id, owner, style, position, formatted_address, open_within_m } = bottle;
        let formatted_address = formatted_address.to_owned();
        Self { id, owner, style, position, formatted_address, open_within_m }
    }
}

/// The columns of the table `bottles` that [`map_bottle`] reads, in its order.
pub(super) const COLUMNS: &str =
    "bottles.id, owner_id, style, latitude, longitude, formatted_address, open_within_m";

/// The columns of the table `map_bottles` that [`map_bottle`] reads, in its order.
pub(super) const PLACE_COLUMNS: &str =
    "place, owner_id, style, latitude, longitude, formatted_address, open_within_m";

/// The number of [`COLUMNS`].
pub(super) const COLUMN_COUNT: usize = 7;

/// Reads a [`MapBottleRef`] from [`COLUMNS`] or [`PLACE_COLUMNS`]. An id is the end of a place.
pub(super) fn map_bottle<'row>(row: &'row Row<'_>) -> rusqlite::Result<MapBottleRef<'row>> {
    Ok(MapBottleRef {
        id: row.get::<_, Place>(0)?.bottle(),
        owner: row.get(1)?,
        style: row.get(2)?,
        position: position(row, 3)?,
        formatted_address: row.get_ref(5)?.as_str()?,
        open_within_m: row.get(6)?,
    })
}
