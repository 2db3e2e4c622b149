//! The rectangle around a position, which may cross the antimeridian.

use super::{Position, in_range};
use crate::model::error::Result;

/// A closed rectangle of latitudes and longitudes around a centre.
///
/// ```
/// use bottle::model::geo::{Position, Rectangle};
///
/// // Two degrees to each side of the antimeridian.
/// let fiji = Rectangle::new(Position::new(-17.0, 180.0)?, 3.0, 2.0)?;
/// assert!(fiji.contains(Position::new(-20.0, -178.0)?));
/// assert!(!fiji.contains(Position::new(-20.0, -177.9)?));
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
    /// The smallest latitude.
    pub south: f64,
    /// The largest latitude.
    pub north: f64,
    /// The smallest longitude.
    pub west: f64,
    /// The largest longitude.
    pub east: f64,
}

impl Area {
    /// Returns true if the position is in the area or on its edge.
    pub fn contains(&self, position: Position) -> bool {
        (self.south..=self.north).contains(&position.latitude)
            && (self.west..=self.east).contains(&position.longitude)
    }
}

impl Rectangle {
    /// Creates the rectangle that extends `latitude_span` north and south of `center` and
    /// `longitude_span` east and west of it. Spans are in degrees, finite and not negative; the
    /// error names the wrong field.
    pub fn new(center: Position, latitude_span: f64, longitude_span: f64) -> Result<Self> {
        Ok(Self {
            center,
            latitude_span: in_range("latitude_span", latitude_span, 0.0, f64::MAX)?,
            longitude_span: in_range("longitude_span", longitude_span, 0.0, f64::MAX)?,
        })
    }

    /// Returns the centre.
    pub fn center(&self) -> Position {
        self.center
    }

    /// Returns half the height in degrees, as requested.
    pub fn latitude_span(&self) -> f64 {
        self.latitude_span
    }

    /// Returns half the width in degrees, as requested.
    pub fn longitude_span(&self) -> f64 {
        self.longitude_span
    }

    /// Estimates the number of square cells of `size` degrees that the rectangle touches.
    pub fn estimated_cells(&self, size: f64) -> f64 {
        let rows = 2.0 * self.latitude_span.min(90.0) / size + 1.0;
        let columns = 2.0 * self.longitude_span.min(180.0) / size + 1.0;
        rows * columns
    }

    /// Returns true if the square cell of `size` degrees around this centre lies completely inside.
    pub fn contains_cell(&self, latitude: f64, longitude: f64, size: f64) -> bool {
        let east = (longitude - self.center.longitude).abs();
        let across = east.min(360.0 - east) + size / 2.0;
        let along = (latitude - self.center.latitude).abs() + size / 2.0;
        along <= self.latitude_span
            && (across <= self.longitude_span || self.longitude_span >= 180.0)
    }

    /// Returns the part of this rectangle that contains all positions within `angle` (in radians)
    /// of its centre, and slightly more, to cover rounding.
    pub fn within_angle(&self, angle: f64) -> Self {
        let up = angle.to_degrees() * (1.0 + 1e-9);
        // Near a pole every longitude is within the angle.
        let over_a_pole = self.center.latitude.abs() + up >= 90.0;
        let across = (angle.sin() / self.center.latitude.to_radians().cos()).asin().to_degrees();
        let across = if over_a_pole { 180.0 } else { across * (1.0 + 1e-9) };
        Self {
            center: self.center,
            latitude_span: self.latitude_span.min(up),
            longitude_span: self.longitude_span.min(across),
        }
    }

    /// Returns the one or two areas of this rectangle: cut off at the poles, and split at the
    /// antimeridian, whose longitudes -180 and 180 are one line.
    ///
    /// The edges are exact: an edge past the antimeridian lies in [180, 360], where the subtraction
    /// of 360 is exact (Sterbenz lemma).
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

    /// Returns true if the position is in the rectangle or on its edge.
    pub fn contains(&self, position: Position) -> bool {
        self.areas().iter().any(|area| area.contains(position))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

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
                rectangle.contains(Position::new(*latitude, *longitude).unwrap())
            })
            .map(|(n, _)| n);
        assert_eq!(inside.collect::<Vec<_>>(), expected);
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
}
