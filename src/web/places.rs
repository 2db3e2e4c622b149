//! The built-in places, as `tools/make_cities.py` and `tools/make_places.py` write them.

use std::collections::BTreeMap;
use std::str;

use serde_json::Value;

/// The files of places in `static/`.
pub(super) const CITIES: &str = "data/cities.json";
pub(super) const PIECES: &str = "data/places";

/// The zoom whose cells are the positions of a piece.
const CELL_ZOOM: u32 = 18;
const CAPITAL: u8 = 64;
const SIZES: u8 = 31;

/// A place of 1,000 people and more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// English or Latin, Chinese, and local; the last two may be empty.
    pub(super) names: [String; 3],
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    /// ISO 3166-1 alpha-2.
    pub(super) country: String,
    /// The logarithm of the population to the base 1.6, counted from 1,000 people.
    pub(super) size: u8,
    pub(super) is_capital: bool,
}

/// English, local and Chinese name, latitude, longitude, zoom, country, kind. A name that is missing is the number 0.
type Row = (String, Value, Value, f64, f64, u8, String, u8);

/// Reads the table of cities. Returns none if it is damaged.
pub(super) fn read_cities(json: &[u8]) -> Vec<Place> {
    let rows: Vec<Row> = serde_json::from_slice(json).unwrap_or_default();
    let text = |name: Value| name.as_str().unwrap_or_default().to_owned();
    let place = |(english, local, chinese, latitude, longitude, _, country, kind): Row| Place {
        names: [english, text(chinese), text(local)],
        latitude,
        longitude,
        country,
        size: kind & SIZES,
        is_capital: kind & CAPITAL != 0,
    };
    rows.into_iter().map(place).collect()
}

/// Reads the names of the pieces from their index. Returns none if it is damaged.
pub(super) fn read_index(json: &[u8]) -> Vec<String> {
    let index: BTreeMap<String, String> = serde_json::from_slice(json).unwrap_or_default();
    index.into_keys().collect()
}

/// Reads the piece of a quadkey. Returns none if it is damaged.
pub(super) fn read_piece(quadkey: &str, bytes: &[u8]) -> Option<Vec<Place>> {
    let (head, rest) = bytes.split_first_chunk()?;
    let count = usize::from(u16::from_le_bytes(*head));
    let (distances, rest) = rest.split_at_checked(4 * count)?;
    let (kinds, rest) = rest.split_at_checked(count)?;
    let (countries, text) = rest.split_at_checked(2 * count)?;
    let names: Vec<&str> = str::from_utf8(text).ok()?.split('\n').collect();
    let name = |column: usize, row: usize| names.get(column * count + row).map(ToString::to_string);

    let mut cell = first_cell(quadkey);
    let place = |row: usize| {
        let byte = |plane: usize| distances.get(plane * count + row).copied();
        let distance = u32::from_le_bytes([byte(0)?, byte(1)?, byte(2)?, byte(3)?]);
        cell += u64::from(distance);
        let (latitude, longitude) = centre(cell);
        let kind = *kinds.get(row)?;
        Some(Place {
            names: [name(0, row)?, name(1, row)?, name(2, row)?],
            latitude,
            longitude,
            country: str::from_utf8(countries.get(2 * row..2 * row + 2)?).ok()?.to_owned(),
            size: kind & SIZES,
            is_capital: kind & CAPITAL != 0,
        })
    };
    (0..count).map(place).collect()
}

/// Returns the number of the cell in the north-west corner of a quadkey's square on the Morton curve.
fn first_cell(quadkey: &str) -> u64 {
    let digits = quadkey.bytes().take(CELL_ZOOM as usize);
    let corner = digits.fold(0, |cell, digit| cell << 2 | u64::from(digit & 3));
    corner << (2 * CELL_ZOOM).saturating_sub(2 * quadkey.len() as u32)
}

/// Returns the latitude and longitude of the centre of a cell, by the inverse of Web Mercator.
fn centre(cell: u64) -> (f64, f64) {
    let coordinate = |shift: u32| {
        let bits = (0..CELL_ZOOM).map(|bit| (cell >> (2 * bit + shift) & 1) << bit);
        (bits.sum::<u64>() as f64 + 0.5) / f64::from(1_u32 << CELL_ZOOM)
    };
    let (x, y) = (coordinate(0), coordinate(1));
    let latitude = ((1.0 - 2.0 * y) * std::f64::consts::PI).sinh().atan().to_degrees();
    let round = |degrees: f64| (degrees * 1e4).round() / 1e4;
    (round(latitude), round(x * 360.0 - 180.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::embedded;

    fn plain(path: &str) -> Vec<u8> {
        embedded::find(path).unwrap().plain().unwrap().into_owned()
    }

    fn all() -> Vec<Place> {
        let pieces = read_index(&plain("data/places/index.json"));
        let read = |key: &String| read_piece(key, &plain(&format!("{PIECES}/{key}.bin"))).unwrap();
        pieces.iter().flat_map(read).chain(read_cities(&plain(CITIES))).collect()
    }

    #[test]
    fn the_places_of_the_world_are_there() {
        let places = all();
        assert_eq!(places.len(), 143_386 + 3_873);
        for (name, country, latitude, longitude, size) in [
            ("Paris", "FR", 48.853, 2.349, 16),
            ("Delhi", "IN", 28.65, 77.23, 19),
            ("Roseburg", "US", 43.2165, -123.3417, 7),
            ("Oamaru", "NZ", -45.0975, 170.9704, 6),
        ] {
            let found = places.iter().find(|place| {
                place.names[0] == name
                    && place.country == country
                    && (place.latitude - latitude).abs() < 0.01
                    && (place.longitude - longitude).abs() < 0.01
            });
            assert!(found.is_some_and(|place| place.size.abs_diff(size) <= 1), "{name}: {found:?}");
        }
        let nara = places.iter().find(|place| place.names[0] == "Ikoma").unwrap();
        assert_eq!(nara.names[1], "生驹");
    }

    /// The pieces of a view come quickly, and all of them leave room in the program.
    #[test]
    fn the_pieces_are_small() {
        let pieces = read_index(&plain("data/places/index.json"));
        let size =
            |key: &String| embedded::find(&format!("{PIECES}/{key}.bin")).unwrap().bytes.len();
        let sizes: Vec<usize> = pieces.iter().map(size).collect();
        assert!(sizes.iter().all(|size| *size <= 20_500));
        assert!(sizes.iter().sum::<usize>() <= 1_150_000);
        assert!(embedded::find("data/water.bin").unwrap().bytes.len() <= 350_000);
    }

    #[test]
    fn a_damaged_piece_is_none() {
        let whole = plain("data/places/0212.bin");
        assert!(read_piece("0212", &whole).is_some());
        for length in [0, 1, 2, 100, 5_000, whole.len() / 2] {
            assert_eq!(read_piece("0212", &whole[..length]), None, "{length}");
        }
        let mut damaged = whole;
        damaged.fill(255);
        assert_eq!(read_piece("0212", &damaged), None);
    }
}
