//! The metadata of a file of map tiles.

use serde_json::Value;

/// The west, south, east and north of a map, in degrees.
pub type Bounds = [f64; 4];

/// The bounds of a map of the world, in the projection of the tiles.
const WORLD: Bounds = [-180.0, -85.06, 180.0, 85.06];

/// The attribution that the license of OpenStreetMap asks for. Both schemas of vectors are made from its data.
const OPENSTREETMAP: &str =
    r#"© <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors"#;

/// The format of a map's tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Pictures.
    Png,
    /// Pictures.
    Jpeg,
    /// Pictures.
    Webp,
    /// Mapbox Vector Tiles with the layers of `protomaps-basemaps`.
    Protomaps,
    /// Mapbox Vector Tiles with the layers of OpenMapTiles.
    OpenMapTiles,
}

impl Format {
    /// Returns the format with this name in a file's metadata. That of vectors depends on the metadata's layers.
    pub(super) fn parse(name: &str, metadata: &Value) -> Result<Self, String> {
        match name {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg),
            "webp" => Ok(Self::Webp),
            "pbf" | "mvt" => Self::of_vectors(metadata),
            _ => Err(format!(
                "its tiles have the format {name}. Use a file of pictures (png, jpg, webp) or of \
                 vectors (pbf)"
            )),
        }
    }

    fn of_vectors(metadata: &Value) -> Result<Self, String> {
        let layers: Vec<&str> = metadata["vector_layers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|layer| layer["id"].as_str())
            .collect();
        if layers.contains(&"transportation") {
            Ok(Self::OpenMapTiles)
        } else if layers.contains(&"earth") && layers.contains(&"roads") {
            Ok(Self::Protomaps)
        } else {
            let named = if layers.is_empty() { "no layers".into() } else { layers.join(", ") };
            Err(format!(
                "its metadata names {named}, which is neither the schema of Protomaps (earth, \
                 roads, ...) nor that of OpenMapTiles (transportation, ...)"
            ))
        }
    }

    /// Returns true for Mapbox Vector Tiles.
    pub fn is_vector(self) -> bool {
        matches!(self, Self::Protomaps | Self::OpenMapTiles)
    }
}

/// The metadata of a file of map tiles.
#[derive(Clone, Debug)]
pub struct About {
    /// The format of its tiles.
    pub format: Format,
    /// The smallest zoom level with tiles.
    pub min_zoom: u8,
    /// The largest zoom level with tiles.
    pub max_zoom: u8,
    /// The attribution to show on the map, as HTML.
    pub attribution: String,
    /// The area that it shows.
    pub bounds: Bounds,
}

impl About {
    /// Adds the attribution of OpenStreetMap to vectors without one.
    pub(super) fn with_attribution(mut self) -> Self {
        if self.attribution.trim().is_empty() && self.format.is_vector() {
            self.attribution = OPENSTREETMAP.into();
        }
        self
    }

    /// Returns true if the bounds are an area of the world. Some programs write zeros.
    pub(super) fn has_bounds(&self) -> bool {
        let [west, south, east, north] = self.bounds;
        west < east
            && south < north
            && west >= -180.0
            && east <= 180.0
            && south >= -90.0
            && north <= 90.0
    }
}

/// The number of tiles up to which a level of the pyramid is examined.
const MAX_EXAMINED: usize = 64;
/// The highest zoom whose tiles are all examined: there are 1,024.
const MAX_FIRST_ZOOM: u8 = 5;

/// Returns the area of the tiles of a file, or the world if its tiles begin at a high zoom. Goes down the pyramid from
/// its top while few tiles exist, so it also ends soon in a map of the planet.
pub(super) fn bounds_of_tiles(
    min_zoom: u8,
    max_zoom: u8,
    exists: impl Fn(u8, u32, u32) -> bool,
) -> Bounds {
    if min_zoom > MAX_FIRST_ZOOM {
        return WORLD;
    }
    let size = 1_u32 << min_zoom;
    let mut zoom = min_zoom;
    let mut tiles: Vec<(u32, u32)> = (0..size * size)
        .map(|index| (index % size, index / size))
        .filter(|&(x, y)| exists(min_zoom, x, y))
        .collect();
    while zoom < max_zoom.min(22) && tiles.len() <= MAX_EXAMINED {
        let below: Vec<_> = tiles
            .iter()
            .flat_map(|(x, y)| {
                [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| (2 * x + i, 2 * y + j))
            })
            .filter(|&(x, y)| exists(zoom + 1, x, y))
            .collect();
        if below.is_empty() {
            break;
        }
        (zoom, tiles) = (zoom + 1, below);
    }
    area(zoom, &tiles).unwrap_or(WORLD)
}

fn area(zoom: u8, tiles: &[(u32, u32)]) -> Option<Bounds> {
    let xs = tiles.iter().map(|&(x, _)| x);
    let ys = tiles.iter().map(|&(_, y)| y);
    let size = f64::from(1_u32 << zoom);
    let longitude = |x: u32| f64::from(x) / size * 360.0 - 180.0;
    let latitude = |y: u32| {
        let angle = std::f64::consts::PI * (1.0 - 2.0 * f64::from(y) / size);
        angle.sinh().atan().to_degrees()
    };
    Some([
        longitude(xs.clone().min()?),
        latitude(ys.clone().max()? + 1),
        longitude(xs.max()? + 1),
        latitude(ys.min()?),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_are_told_apart_by_their_layers() {
        let layers = |names: &[&str]| {
            let layers: Vec<_> = names.iter().map(|name| json!({ "id": name })).collect();
            Format::parse("pbf", &json!({ "vector_layers": layers }))
        };
        assert_eq!(layers(&["water", "transportation"]), Ok(Format::OpenMapTiles));
        assert_eq!(layers(&["earth", "roads", "water"]), Ok(Format::Protomaps));
        assert!(layers(&["streets", "land"]).unwrap_err().contains("streets, land"));
        assert!(Format::parse("mvt", &Value::Null).unwrap_err().contains("no layers"));
        assert!(Format::parse("avif", &Value::Null).unwrap_err().contains("avif"));
    }

    #[test]
    fn an_area_follows_from_the_tiles() {
        // Four tiles of zoom 14 around Helsinki, and all above them.
        let exists = |zoom: u8, x: u32, y: u32| {
            [(9326, 4740), (9327, 4740), (9326, 4741), (9327, 4741)].iter().any(
                |&(column, row): &(u32, u32)| (column >> (14 - zoom), row >> (14 - zoom)) == (x, y),
            )
        };
        let [west, south, east, north] = bounds_of_tiles(0, 14, exists);
        assert!((24.916..24.918).contains(&west) && (24.96..24.962).contains(&east));
        assert!(
            (60.17..60.18).contains(&south) && (60.19..60.2).contains(&north),
            "{south} {north}"
        );
        let sum = |bounds: Bounds| bounds.iter().sum::<f64>().abs();
        assert!(sum(bounds_of_tiles(0, 22, |_, _, _| true)) < 0.1);
        assert_eq!(bounds_of_tiles(0, 4, |_, _, _| false), WORLD);
        assert_eq!(bounds_of_tiles(12, 14, |_, _, _| true), WORLD);
    }
}
