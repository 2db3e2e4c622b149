//! What the server computes of places, the slow way.

/// The smallest normal 32-bit float.
pub(crate) const LEAST: f64 = f32::MIN_POSITIVE as f64;

/// The length of a degree of latitude.
pub(crate) const KM_PER_DEGREE: f64 = 6371.0 * std::f64::consts::PI / 180.0;

/// The width of a visitor's narrowest cell: 9.5 km are about 10.
pub(crate) const NARROWEST_KM: f64 = 9.5;

/// The row and the first column of a visitor's cell of this size that a place lies in. Columns are
/// joined by twos, fours, ... until the cell is wide enough at its edge nearer to a pole, but no
/// further than half a turn.
pub(crate) fn visitors_cell(size: f64, place: (f64, f64)) -> (i64, i64) {
    let (row, column, _) = joined_cell(size, place);
    (row, column)
}

/// [`visitors_cell`], and the number of columns that are joined.
pub(crate) fn joined_cell(size: f64, (latitude, longitude): (f64, f64)) -> (i64, i64, i64) {
    let (rows, columns) = (180.0 / size, 360.0 / size);
    let row = ((latitude + 90.0) / size).floor().min(rows - 1.0);
    let column = ((longitude + 180.0) / size).floor().min(columns - 1.0);
    let edge = (row * size - 90.0).abs().max(((row + 1.0) * size - 90.0).abs());
    let mut joined = 1.0;
    let km = |joined: f64| joined * size * KM_PER_DEGREE * edge.to_radians().cos();
    while km(joined) < NARROWEST_KM && joined < columns / 2.0 {
        joined *= 2.0;
    }
    (row as i64, ((column / joined).floor() * joined) as i64, joined as i64)
}

/// The great-circle angle, by the law of cosines.
pub(crate) fn angle(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (a, b) = (from.0.to_radians(), to.0.to_radians());
    let turn = (to.1 - from.1).to_radians();
    (a.sin() * b.sin() + a.cos() * b.cos() * turn.cos()).clamp(-1.0, 1.0).acos()
}

/// Returns true if the point lies in the closed rectangle, computed the slow way: by comparing it with all three
/// names of its meridian.
pub(crate) fn oracle(rectangle: [f64; 4], (latitude, longitude): (f64, f64)) -> bool {
    // Values that a normal 32-bit float cannot tell from 0 are stored, and searched, as 0.
    let flush = |value: f64| if value.abs() < LEAST { 0.0 } else { value };
    let (latitude, longitude) = (flush(latitude), flush(longitude));
    let [lat, lon, lat_span, lon_span] = rectangle;
    let (lat, lon) = (flush(lat), flush(lon));
    let vertical = lat - lat_span <= latitude && latitude <= lat + lat_span;
    // The same meridian has three names here: as it stands, and a turn further west or east. The
    // turned edge is compared, because taking a turn from it loses nothing.
    let (west, east) = (lon - lon_span, lon + lon_span);
    let plain = west <= longitude && longitude <= east;
    let from_west = east >= 180.0 && longitude <= east - 360.0;
    let from_east = west <= -180.0 && longitude >= west + 360.0;
    vertical && (lon_span >= 180.0 || plain || from_west || from_east)
}
