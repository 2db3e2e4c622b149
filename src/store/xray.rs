//! The x-ray: the nodes of the R*-tree, and those that a search visits.
//!
//! SQLite keeps the nodes in the table `bottles_rtree_node`. A node is a header (the depth of the
//! tree, in the root only, and the number of entries), then for each entry an id (of a node or, in
//! a leaf, of a bottle) and four 32-bit floats, all big-endian. SQLite's `rtree.c` documents the
//! format in its first comment.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::bottles::position;
use super::nearby;
use crate::model::error::{Error, Result};
use crate::model::geo::{Position, Rectangle};

/// The number of the root node.
const ROOT: i64 = 1;
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

/// A node, with the box that its parent stores.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node's number.
    pub number: i64,
    /// The distance from the leaves: 0 for a leaf.
    pub level: u16,
    /// The box in its parent; for the root, the box around its entries.
    pub bounds: Bounds,
    /// The number of entries.
    pub entries: usize,
}

/// The nodes and rows that a search reads.
#[derive(Debug, Default)]
pub struct Trace {
    /// The nodes that it read, from the root on.
    pub nodes: Vec<Node>,
    /// The number of candidates in the leaves.
    pub candidates: usize,
    /// The candidates outside of the rectangle by their exact coordinates.
    pub rejected: Vec<(i64, Position)>,
}

struct Entry {
    id: i64,
    bounds: Bounds,
}

/// Returns the nodes that the rectangle touches, from the root on and at most `max`. Returns false
/// with them if there are more.
pub fn nodes(db: &Connection, rectangle: &Rectangle, max: usize) -> Result<(Vec<Node>, bool)> {
    let mut nodes = Vec::new();
    let is_complete = walk(db, rectangle, |node, _| {
        nodes.push(node);
        nodes.len() < max
    })?;
    Ok((nodes, is_complete))
}

/// Returns the nodes and rows that a search of the rectangle reads.
pub fn trace(db: &Connection, rectangle: &Rectangle) -> Result<Trace> {
    let mut trace = Trace::default();
    let mut candidates = Vec::new();
    walk(db, rectangle, |node, rows| {
        trace.nodes.push(node);
        candidates.extend(rows);
        true
    })?;
    trace.candidates = candidates.len();
    let mut exact = db.prepare_cached("SELECT latitude, longitude FROM bottles WHERE id = ?1")?;
    for id in candidates {
        let position = exact.query_row([id], |row| position(row, 0)).optional()?;
        if let Some(position) = position.filter(|position| !rectangle.contains(*position)) {
            trace.rejected.push((id, position));
        }
    }
    Ok(trace)
}

/// Runs the search itself. Returns the number of bottles and the time it took.
pub fn search(db: &Connection, rectangle: &Rectangle) -> Result<(usize, Duration)> {
    let mut count = 0;
    let started = Instant::now();
    nearby::any(db, rectangle, usize::MAX >> 1, |_| {
        count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((count, started.elapsed()))
}

/// Passes each node that a search of the rectangle reads to `visit`, level by level, with the
/// candidates of a leaf, until `visit` returns false. Returns false in that case.
fn walk(
    db: &Connection,
    rectangle: &Rectangle,
    mut visit: impl FnMut(Node, Vec<i64>) -> bool,
) -> Result<bool> {
    let areas = rectangle.areas();
    let touches = |bounds: &Bounds| {
        areas.iter().any(|area| {
            f64::from(bounds.north) >= area.south
                && f64::from(bounds.south) <= area.north
                && f64::from(bounds.east) >= area.west
                && f64::from(bounds.west) <= area.east
        })
    };
    let root = read(db, ROOT)?;
    let mut level = u16::from_be_bytes([root[0], root[1]]);
    let mut level_nodes = vec![(ROOT, bounding_box(&entries(&root)))];
    loop {
        let mut children = Vec::new();
        for (number, bounds) in level_nodes {
            let all = entries(&read(db, number)?);
            let count = all.len();
            let touched: Vec<Entry> = all.into_iter().filter(|e| touches(&e.bounds)).collect();
            let rows = if level == 0 { touched.iter().map(|e| e.id).collect() } else { Vec::new() };
            if !visit(Node { number, level, bounds, entries: count }, rows) {
                return Ok(false);
            }
            children.extend(touched.into_iter().map(|entry| (entry.id, entry.bounds)));
        }
        if level == 0 || children.is_empty() {
            return Ok(true);
        }
        level -= 1;
        level_nodes = children;
    }
}

fn read(db: &Connection, number: i64) -> Result<Vec<u8>> {
    let data: Vec<u8> = db
        .prepare_cached("SELECT data FROM bottles_rtree_node WHERE nodeno = ?1")?
        .query_row(params![number], |row| row.get(0))?;
    let is_complete = data.len() >= HEADER_BYTES
        && data.len()
            >= HEADER_BYTES + usize::from(u16::from_be_bytes([data[2], data[3]])) * ENTRY_BYTES;
    if is_complete {
        Ok(data)
    } else {
        Err(Error::Internal(format!("node {number} of the R*-tree is truncated")))
    }
}

fn entries(data: &[u8]) -> Vec<Entry> {
    let count = usize::from(u16::from_be_bytes([data[2], data[3]]));
    let entry = |bytes: &[u8]| {
        let mut id = [0; 8];
        id.copy_from_slice(&bytes[..8]);
        let bound = |at: usize| {
            f32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let bounds = Bounds { south: bound(8), north: bound(12), west: bound(16), east: bound(20) };
        Entry { id: i64::from_be_bytes(id), bounds }
    };
    data[HEADER_BYTES..].chunks_exact(ENTRY_BYTES).take(count).map(entry).collect()
}

/// Returns the box around all entries.
fn bounding_box(entries: &[Entry]) -> Bounds {
    let first = entries
        .first()
        .map_or(Bounds { south: 0.0, north: 0.0, west: 0.0, east: 0.0 }, |entry| entry.bounds);
    entries.iter().fold(first, |all, Entry { bounds, .. }| Bounds {
        south: all.south.min(bounds.south),
        north: all.north.max(bounds.north),
        west: all.west.min(bounds.west),
        east: all.east.max(bounds.east),
    })
}
