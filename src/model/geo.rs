//! Positions on the globe, and rectangles around them.

mod rectangle;

use crate::model::error::{Error, Problem, Result};

pub use rectangle::{Area, Rectangle};

/// The Earth's mean radius, in metres.
const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// A position in degrees: finite, in range, and representable in a box of the R*-tree.
///
/// ```
/// use bottle::model::geo::Position;
///
/// let pazhou = Position::new(23.09, 113.36)?;
/// assert_eq!((pazhou.latitude(), pazhou.longitude()), (23.09, 113.36));
/// assert!(Position::new(113.36, 23.09).is_err());
///
/// let quarter = Position::new(0.0, 0.0)?.angle_to(Position::new(90.0, 0.0)?);
/// assert!((quarter.to_degrees() - 90.0).abs() < 1e-9);
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    latitude: f64,
    longitude: f64,
}

impl Position {
    /// Creates a position of a latitude in [-90, 90] and a longitude in [-180, 180]. The error
    /// names the field that is out of range.
    ///
    /// Subnormal values of a 32-bit float become 0: the R*-tree stores 32-bit boxes, and SQLite
    /// cannot round such a value outwards (`rtreeValueDown` in its rtree.c multiplies by 1 ± 2^-23,
    /// which does not change a subnormal float).
    pub fn new(latitude: f64, longitude: f64) -> Result<Self> {
        Ok(Self {
            latitude: flush_subnormal(in_range("latitude", latitude, -90.0, 90.0)?),
            longitude: flush_subnormal(in_range("longitude", longitude, -180.0, 180.0)?),
        })
    }

    /// Returns the angle between two positions at the centre of the globe, in radians, by the
    /// haversine formula.
    pub fn angle_to(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let up = ((to - from) / 2.0).sin();
        let right = ((other.longitude - self.longitude).to_radians() / 2.0).sin();
        let haversine = up * up + from.cos() * to.cos() * right * right;
        2.0 * haversine.sqrt().min(1.0).asin()
    }

    /// Returns the distance between two positions on a globe of the Earth's mean radius, in metres.
    pub fn metres_to(self, other: Self) -> f64 {
        self.angle_to(other) * EARTH_RADIUS_M
    }

    /// Returns the latitude in degrees north.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Returns the longitude in degrees east.
    pub fn longitude(self) -> f64 {
        self.longitude
    }
}

fn flush_subnormal(degrees: f64) -> f64 {
    if degrees.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { degrees }
}

/// Returns the value if it is a number from `min` to `max`, which NaN is not.
fn in_range(field: &'static str, value: f64, min: f64, max: f64) -> Result<f64> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(Error::field(field, Problem::OutOfRange(min, max)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::corner(-90.0, 180.0, None)]
    #[case::too_far_north(90.00000000000001, 0.0, Some("latitude"))]
    #[case::too_far_east(0.0, 180.00000000000003, Some("longitude"))]
    #[case::swapped(113.39992, 23.059375, Some("latitude"))]
    #[case::no_number(0.0, f64::NAN, Some("longitude"))]
    #[case::infinite(f64::NEG_INFINITY, 0.0, Some("latitude"))]
    fn a_position_is_on_the_globe(
        #[case] latitude: f64,
        #[case] longitude: f64,
        #[case] wrong: Option<&str>,
    ) {
        let error = Position::new(latitude, longitude).err().map(|e| e.to_string());
        assert_eq!(error.is_some(), wrong.is_some(), "{error:?}");
        assert!(error.unwrap_or_default().contains(wrong.unwrap_or_default()));
    }

    #[test]
    fn denormal_coordinates_become_zero() {
        let min = f64::from(f32::MIN_POSITIVE);
        for value in [0.0, 1e-300, 1e-50, 1e-39, min.next_down()] {
            for value in [value, -value] {
                let position = Position::new(value, value).unwrap();
                // Compared by their bits, because 0 equals -0.
                assert_eq!(position.latitude().to_bits(), 0, "{value:e}");
                assert_eq!(position.longitude().to_bits(), 0, "{value:e}");
            }
        }
        for value in [min, -min, 90.0, -90.0] {
            let position = Position::new(value, value).unwrap();
            assert_eq!((position.latitude(), position.longitude()), (value, value));
        }
    }
}
