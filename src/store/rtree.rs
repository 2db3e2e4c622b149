//! The format of the R*-tree's nodes.
//!
//! SQLite keeps the nodes in the table `bottles_rtree_node`. A node is a header (the depth of the
//! tree, in the root only, and the number of entries), then for each entry an id (of a node or, in
//! a leaf, the place of a bottle) and four 32-bit floats, all big-endian. SQLite's `rtree.c`
//! documents the format in its first comment.

/// The number of the root node.
pub(super) const ROOT: i64 = 1;

const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 24;

/// A box of the R*-tree, in degrees: 32-bit floats, rounded outwards.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Bounds {
    pub south: f32,
    pub north: f32,
    pub west: f32,
    pub east: f32,
}

impl Bounds {
    /// Returns the smallest box that contains a point.
    pub(super) fn of(latitude: f64, longitude: f64) -> Self {
        let (south, north) = (round_down(latitude), round_up(latitude));
        Self { south, north, west: round_down(longitude), east: round_up(longitude) }
    }

    /// Returns the box around all entries.
    pub(super) fn around(entries: &[Entry]) -> Self {
        let empty = Self { south: 0.0, north: 0.0, west: 0.0, east: 0.0 };
        entries.iter().map(|entry| entry.bounds).reduce(Self::joined).unwrap_or(empty)
    }

    fn joined(self, other: Self) -> Self {
        Self {
            south: self.south.min(other.south),
            north: self.north.max(other.north),
            west: self.west.min(other.west),
            east: self.east.max(other.east),
        }
    }
}

fn round_down(value: f64) -> f32 {
    let rounded = value as f32;
    if f64::from(rounded) > value { rounded.next_down() } else { rounded }
}

fn round_up(value: f64) -> f32 {
    let rounded = value as f32;
    if f64::from(rounded) < value { rounded.next_up() } else { rounded }
}

/// An entry of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    /// The number of a node or, in a leaf, the place of a bottle.
    pub(super) id: i64,
    /// The box around it.
    pub(super) bounds: Bounds,
}

/// Returns the number of entries for which a node of this many bytes has room.
pub(super) fn capacity(node_bytes: usize) -> usize {
    node_bytes.saturating_sub(HEADER_BYTES) / ENTRY_BYTES
}

/// Returns the node of `node_bytes` bytes with these entries. `level` is the depth of the tree in
/// the root, and 0 in all other nodes.
pub(super) fn encode(level: u16, entries: &[Entry], node_bytes: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(node_bytes);
    data.extend(level.to_be_bytes());
    data.extend(u16::try_from(entries.len()).unwrap_or(u16::MAX).to_be_bytes());
    for Entry { id, bounds } in entries {
        data.extend(id.to_be_bytes());
        for bound in [bounds.south, bounds.north, bounds.west, bounds.east] {
            data.extend(bound.to_be_bytes());
        }
    }
    data.resize(node_bytes, 0);
    data
}

/// Returns the level in a node's header and its entries; `None` if the node is truncated.
pub(super) fn decode(data: &[u8]) -> Option<(u16, Vec<Entry>)> {
    let (header, data) = data.split_first_chunk::<HEADER_BYTES>()?;
    let level = u16::from_be_bytes([header[0], header[1]]);
    let count = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let entries: Vec<Entry> =
        data.as_chunks::<ENTRY_BYTES>().0.iter().take(count).map(entry).collect();
    (entries.len() == count).then_some((level, entries))
}

fn entry(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let mut id = [0; 8];
    id.copy_from_slice(&bytes[..8]);
    let bound =
        |at: usize| f32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let bounds = Bounds { south: bound(8), north: bound(12), west: bound(16), east: bound(20) };
    Entry { id: i64::from_be_bytes(id), bounds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_decoded_as_it_was_encoded() {
        let entries = [(1, 48.85, 2.29), (i64::MAX, -90.0, 180.0), (7, 0.0, -0.1)]
            .map(|(id, latitude, longitude)| Entry { id, bounds: Bounds::of(latitude, longitude) });
        let node = encode(3, &entries, 1228);
        assert_eq!((node.len(), capacity(1228)), (1228, 51));
        assert_eq!(decode(&node), Some((3, entries.to_vec())));
        assert_eq!(decode(&node[..50]), None);
        assert_eq!(decode(&[]), None);
    }

    #[test]
    fn a_box_contains_its_point_and_is_at_most_one_float_wide() {
        for value in [0.0, 0.1, -0.1, 90.0, -89.999_999_9, 179.123_456_7, 1e-37, -1e-37] {
            let Bounds { south, north, west, east } = Bounds::of(value, value);
            assert!(f64::from(south) <= value && value <= f64::from(north), "{value}");
            assert!(north == south || south.next_up() == north, "{value}");
            assert_eq!((west, east), (south, north));
        }
    }
}
