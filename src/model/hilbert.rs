//! The Hilbert curve: an order of positions in which neighbours stay together.

use super::geo::Position;

/// The number of steps of the curve's construction: it visits 2^20 by 2^20 cells.
const ORDER: u32 = 20;

/// Returns the distance of the position's cell from the start of a Hilbert curve over the map.
///
/// See <https://en.wikipedia.org/wiki/Hilbert_curve#Applications_and_mapping_algorithms>, `xy2d`.
pub fn distance(position: Position) -> i64 {
    let cell = |degrees: f64, range: f64| {
        let last = f64::from((1_u32 << ORDER) - 1);
        (degrees / range * last) as i64
    };
    let mut x = cell(position.longitude() + 180.0, 360.0);
    let mut y = cell(position.latitude() + 90.0, 180.0);
    let mut distance = 0;
    for half in (0..ORDER).rev().map(|bit| 1_i64 << bit) {
        let (right, upper) = (i64::from(x & half > 0), i64::from(y & half > 0));
        distance += half * half * ((3 * right) ^ upper);
        // Turns the quarter so that the curve leaves it beside the next one.
        if upper == 0 {
            if right == 1 {
                x = (1 << ORDER) - 1 - x;
                y = (1 << ORDER) - 1 - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the distances of the centres of 8 by 8 cells, in units of one cell.
    fn coarse() -> Vec<(i64, (i32, i32))> {
        let mut cells = Vec::new();
        for (row, column) in (0..8).flat_map(|row| (0..8).map(move |column| (row, column))) {
            let latitude = f64::from(row) * 22.5 - 90.0 + 11.25;
            let longitude = f64::from(column) * 45.0 - 180.0 + 22.5;
            let position = Position::new(latitude, longitude).unwrap();
            cells.push((distance(position) >> (2 * (ORDER - 3)), (row, column)));
        }
        cells.sort_unstable();
        cells
    }

    #[test]
    fn the_curve_visits_each_cell_once_and_steps_to_a_neighbour() {
        let cells = coarse();
        assert!(cells.iter().map(|(distance, _)| *distance).eq(0..64));
        for pair in cells.windows(2) {
            let ((_, (row, column)), (_, (next_row, next_column))) = (pair[0], pair[1]);
            assert_eq!((row - next_row).abs() + (column - next_column).abs(), 1, "{pair:?}");
        }
    }

    #[test]
    fn the_edges_of_the_map_are_on_the_curve() {
        for (latitude, longitude) in [(-90.0, -180.0), (90.0, 180.0), (-90.0, 180.0)] {
            let distance = distance(Position::new(latitude, longitude).unwrap());
            assert!((0..1 << (2 * ORDER)).contains(&distance));
        }
    }
}
