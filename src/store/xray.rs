//! The x-ray: the nodes of the R*-tree, and those that a search visits.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use super::bottles::position;
use super::map_cache::CacheView;
use super::nearby;
use super::place::Place;
pub use super::rtree::Bounds;
use super::rtree::{self, Entry, ROOT};
use crate::model::error::{Error, Result};
use crate::model::geo::{Position, Rectangle};

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
    let mut exact =
        db.prepare_cached("SELECT latitude, longitude FROM map_bottles WHERE place = ?1")?;
    for place in candidates {
        let position = exact.query_row([place], |row| position(row, 0)).optional()?;
        if let Some(position) = position.filter(|position| !rectangle.contains(*position)) {
            trace.rejected.push((Place(place).bottle(), position));
        }
    }
    Ok(trace)
}

/// Runs the search itself. Returns the number of bottles and the time it took.
pub fn search(
    db: &Connection,
    cache: &CacheView,
    rectangle: &Rectangle,
) -> Result<(usize, Duration)> {
    let mut count = 0;
    let started = Instant::now();
    nearby::any(db, cache, rectangle, |_| {
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
    let (mut level, root) = read(db, ROOT)?;
    let mut level_nodes = vec![(ROOT, Bounds::around(&root))];
    loop {
        let mut children = Vec::new();
        for (number, bounds) in level_nodes {
            let (_, all) = read(db, number)?;
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

/// Reads the entries of a node, and the level in its header, which only the root has.
fn read(db: &Connection, number: i64) -> Result<(u16, Vec<Entry>)> {
    let data: Vec<u8> = db
        .prepare_cached("SELECT data FROM bottles_rtree_node WHERE nodeno = ?1")?
        .query_row(params![number], |row| row.get(0))?;
    rtree::decode(&data)
        .ok_or_else(|| Error::Internal(format!("node {number} of the R*-tree is truncated")))
}
