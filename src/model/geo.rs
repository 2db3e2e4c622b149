//! Places on the globe: a position, and the rectangle around one.

use crate::model::error::{Error, Problem, Result};

/// A point on the globe, in degrees. Always finite and in range.
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
    /// `latitude` in [-90, 90] and `longitude` in [-180, 180], or the field that is wrong.
    ///
    /// Values that a normal 32-bit float cannot tell from 0 become 0: the R*-tree stores 32-bit boxes,
    /// and SQLite cannot round such a value outwards (`rtreeValueDown` in its rtree.c multiplies by
    /// 1 ± 2^-23, which moves no subnormal float).
    pub fn new(latitude: f64, longitude: f64) -> Result<Self> {
        Ok(Self {
            latitude: flush_subnormal(within("latitude", latitude, -90.0, 90.0)?),
            longitude: flush_subnormal(within("longitude", longitude, -180.0, 180.0)?),
        })
    }

    /// The angle between two positions, as seen from the middle of the globe, in radians.
    pub fn angle_to(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let up = ((to - from) / 2.0).sin();
        let right = ((other.longitude - self.longitude).to_radians() / 2.0).sin();
        let haversine = up * up + from.cos() * to.cos() * right * right;
        2.0 * haversine.sqrt().min(1.0).asin()
    }

    /// Degrees north.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    pub fn longitude(self) -> f64 {
        self.longitude
    }
}

fn flush_subnormal(degrees: f64) -> f64 {
    if degrees.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { degrees }
}

/// The field's value, if it is a number from `least` to `most` (which no NaN is).
fn within(field: &'static str, value: f64, least: f64, most: f64) -> Result<f64> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::field(field, Problem::OutOfRange(least, most)))
    }
}

/// A closed rectangle of latitudes and longitudes around a centre.
///
/// ```
/// use bottle::model::geo::{Position, Rectangle};
///
/// // Two degrees to each side of the antimeridian.
/// let fiji = Rectangle::new(Position::new(-17.0, 180.0)?, 3.0, 2.0)?;
/// assert!(fiji.holds(Position::new(-20.0, -178.0)?));
/// assert!(!fiji.holds(Position::new(-20.0, -177.9)?));
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    center: Position,
    latitude_span: f64,
    longitude_span: f64,
}

/// A closed range of latitudes and longitudes that does not cross the antimeridian.
///
/// ```
/// use bottle::model::geo::{Area, Position, Rectangle};
///
/// let fiji = Rectangle::new(Position::new(-17.0, 180.0)?, 3.0, 2.0)?;
/// assert_eq!(
///     fiji.areas(),
///     [
///         Area { south: -20.0, north: -14.0, west: 178.0, east: 180.0 },
///         Area { south: -20.0, north: -14.0, west: -180.0, east: -178.0 },
///     ]
/// );
/// # Ok::<(), bottle::model::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The least latitude.
    pub south: f64,
    /// The greatest latitude.
    pub north: f64,
    /// The least longitude.
    pub west: f64,
    /// The greatest longitude.
    pub east: f64,
}

impl Area {
    /// Whether the position lies in the area, its edges included.
    pub fn holds(&self, position: Position) -> bool {
        (self.south..=self.north).contains(&position.latitude)
            && (self.west..=self.east).contains(&position.longitude)
    }
}

impl Rectangle {
    /// The rectangle that reaches `latitude_span` north and south of `center` and `longitude_span`
    /// east and west of it. The spans are in degrees, finite and not negative.
    pub fn new(center: Position, latitude_span: f64, longitude_span: f64) -> Result<Self> {
        Ok(Self {
            center,
            latitude_span: within("latitude_span", latitude_span, 0.0, f64::MAX)?,
            longitude_span: within("longitude_span", longitude_span, 0.0, f64::MAX)?,
        })
    }

    /// The middle.
    pub fn center(&self) -> Position {
        self.center
    }

    /// Half the height, in degrees, as it was asked for.
    pub fn latitude_span(&self) -> f64 {
        self.latitude_span
    }

    /// Half the width, in degrees, as it was asked for.
    pub fn longitude_span(&self) -> f64 {
        self.longitude_span
    }

    /// About how many square cells of `size` degrees the rectangle touches.
    pub fn cells_of(&self, size: f64) -> f64 {
        let rows = 2.0 * self.latitude_span.min(90.0) / size + 1.0;
        let columns = 2.0 * self.longitude_span.min(180.0) / size + 1.0;
        rows * columns
    }

    /// Whether a square cell of `size` degrees around this middle lies wholly inside.
    pub fn holds_cell(&self, latitude: f64, longitude: f64, size: f64) -> bool {
        let east = (longitude - self.center.longitude).abs();
        let across = east.min(360.0 - east) + size / 2.0;
        let along = (latitude - self.center.latitude).abs() + size / 2.0;
        along <= self.latitude_span
            && (across <= self.longitude_span || self.longitude_span >= 180.0)
    }

    /// The part of this rectangle that holds all that is within `angle` (in radians) of its centre,
    /// and somewhat more.
    pub fn within_angle(&self, angle: f64) -> Self {
        let up = angle.to_degrees() * (1.0 + 1e-9);
        // Over a pole every longitude is near.
        let over_a_pole = self.center.latitude.abs() + up >= 90.0;
        let across = (angle.sin() / self.center.latitude.to_radians().cos()).asin().to_degrees();
        let across = if over_a_pole { 180.0 } else { across * (1.0 + 1e-9) };
        Self {
            center: self.center,
            latitude_span: self.latitude_span.min(up),
            longitude_span: self.longitude_span.min(across),
        }
    }

    /// The one or two areas that together are this rectangle: clamped at the poles, going on at the
    /// other side of the antimeridian, whose two names (-180 and 180) are one line.
    ///
    /// The edges are exact: an edge past the antimeridian lies in [180, 360], where taking 360 from
    /// it loses nothing.
    pub fn areas(&self) -> Vec<Area> {
        let south = (self.center.latitude - self.latitude_span).max(-90.0);
        let north = (self.center.latitude + self.latitude_span).min(90.0);
        let west = self.center.longitude - self.longitude_span;
        let east = self.center.longitude + self.longitude_span;
        let area = |west, east| Area { south, north, west, east };

        if self.longitude_span >= 180.0 {
            vec![area(-180.0, 180.0)]
        } else if east >= 180.0 {
            vec![area(west, 180.0), area(-180.0, east - 360.0)]
        } else if west <= -180.0 {
            vec![area(-180.0, east), area(west + 360.0, 180.0)]
        } else {
            vec![area(west, east)]
        }
    }

    /// Whether the position lies in the rectangle, its edges included.
    pub fn holds(&self, position: Position) -> bool {
        self.areas().iter().any(|area| area.holds(position))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Position, Rectangle};

    const POSITIONS: [(f64, f64); 7] = [
        (0.0, 0.0),
        (10.0, 180.0),
        (10.0, -180.0),
        (90.0, 50.0),
        (-90.0, 0.0),
        (1.0, 179.5),
        (1.0, -179.5),
    ];

    #[rstest]
    #[case::point([0.0, 0.0, 0.0, 0.0], &[0])]
    #[case::near_the_point([0.0, 1e-9, 0.0, 0.0], &[])]
    #[case::edge([1.0, 1.0, 1.0, 1.0], &[0])]
    #[case::within_the_edge([1.0, 1.0, 0.9999999999999999, 1.0], &[])]
    #[case::the_antimeridian_has_two_names([10.0, 180.0, 0.0, 0.0], &[1, 2])]
    #[case::and_the_other_one([10.0, -180.0, 0.0, 0.0], &[1, 2])]
    #[case::touching_it_from_the_west([10.0, 179.0, 0.0, 1.0], &[1, 2])]
    #[case::over_it([1.0, 179.9, 0.0, 0.6], &[5, 6])]
    #[case::over_it_from_the_other_side([1.0, -179.9, 0.0, 0.6], &[5, 6])]
    #[case::not_so_far([1.0, 179.9, 0.0, 0.5], &[5])]
    #[case::north_pole([89.0, 50.0, 5.0, 1.0], &[3])]
    #[case::south_pole([-89.5, 0.0, 90.0, 0.0], &[0, 4])]
    #[case::every_longitude([10.0, 0.0, 0.0, 180.0], &[1, 2])]
    #[case::more_than_every_longitude([10.0, 77.0, 0.0, 1000.0], &[1, 2])]
    #[case::whole_world([0.0, 0.0, 90.0, 180.0], &[0, 1, 2, 3, 4, 5, 6])]
    #[case::more_than_the_world([45.0, -120.0, 1e300, 1e300], &[0, 1, 2, 3, 4, 5, 6])]
    fn a_rectangle_is_closed_and_goes_over_the_antimeridian(
        #[case] rectangle: [f64; 4],
        #[case] expected: &[usize],
    ) {
        let [latitude, longitude, latitude_span, longitude_span] = rectangle;
        let center = Position::new(latitude, longitude).unwrap();
        let rectangle = Rectangle::new(center, latitude_span, longitude_span).unwrap();
        let positions = POSITIONS.iter().enumerate();
        let inside = positions
            .filter(|(_, (latitude, longitude))| {
                rectangle.holds(Position::new(*latitude, *longitude).unwrap())
            })
            .map(|(n, _)| n);
        assert_eq!(inside.collect::<Vec<_>>(), expected);
    }

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

    #[rstest]
    #[case(-1.0, 0.0)]
    #[case(0.0, -f64::MIN_POSITIVE)]
    #[case(f64::INFINITY, 0.0)]
    #[case(0.0, f64::NAN)]
    fn a_span_is_finite_and_not_negative(#[case] latitude_span: f64, #[case] longitude_span: f64) {
        let center = Position::new(0.0, 0.0).unwrap();
        assert!(Rectangle::new(center, latitude_span, longitude_span).is_err());
    }

    #[test]
    fn a_value_that_the_index_cannot_hold_is_zero() {
        for tiny in [1e-50, -1e-50, 5e-324, 1e-45, -1.17e-38, -0.0] {
            let position = Position::new(tiny, tiny).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(position.latitude().to_bits(), 0.0_f64.to_bits(), "{tiny}");
            assert_eq!(position.longitude().to_bits(), 0.0_f64.to_bits(), "{tiny}");
        }
        for kept in [1.18e-38, -1.18e-38, 1e-20] {
            let position = Position::new(kept, kept).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((position.latitude(), position.longitude()), (kept, kept));
        }
    }
}
