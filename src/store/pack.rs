//! Builds the R*-tree of all bottles at once.
//!
//! A tree that grows with each bottle thrown has nodes that are two thirds full and overlap. This
//! one has full nodes of neighbours: the bottles are sorted along a Hilbert curve, and each run of
//! them becomes a leaf (Kamel and Faloutsos, *On Packing R-trees*, 1993). On a million bottles in
//! order of arrival, a search for 20 then reads 13 nodes and pages instead of 23.

use rusqlite::functions::FunctionFlags;
use rusqlite::{CachedStatement, Connection, params};

use super::bottles::position;
use super::rtree::{self, Bounds, Entry, ROOT};
use crate::model::geo::Position;
use crate::model::hilbert;

/// The SQL function of a latitude and a longitude that returns the distance along the curve.
const CURVE: &str = "hilbert_distance";

/// Fills the empty table `map_bottles` and the empty R*-tree from the table of bottles.
/// Schema 8 knows neither `on_sea` nor `open_within_m`.
pub(super) fn fill(db: &Connection, schema: i32) -> rusqlite::Result<()> {
    let (on_sea, columns) =
        if schema >= 9 { ("on_sea", ", open_within_m") } else { ("hidden_at IS NULL", "") };
    db.execute_batch(&format!(
        "INSERT INTO map_bottles
         SELECT place, owner_id, style, latitude, longitude, formatted_address{columns}
         FROM bottle_places JOIN bottles ON id = bottle_id WHERE {on_sea}
         ORDER BY place"
    ))?;
    fill_tree(db)
}

/// Builds the R*-tree anew from the table `map_bottles`, inside the transaction of `db`: other
/// connections see the old tree until the commit. Memory holds one entry per 50 bottles at most;
/// SQLite sorts in a temporary file.
pub(super) fn refill_tree(db: &Connection) -> rusqlite::Result<()> {
    // To empty the tree row by row would take longer than to build it.
    db.execute_batch(
        "UPDATE bottles_rtree_node SET data = zeroblob(length(data)) WHERE nodeno = 1;
         DELETE FROM bottles_rtree_node WHERE nodeno <> 1;
         DELETE FROM bottles_rtree_parent;
         DELETE FROM bottles_rtree_rowid;",
    )?;
    fill_tree(db)
}

/// Fills the empty R*-tree from the table `map_bottles`.
pub(super) fn fill_tree(db: &Connection) -> rusqlite::Result<()> {
    define_curve(db)?;
    let count: u32 = db.query_row("SELECT count(*) FROM map_bottles", [], |row| row.get(0))?;
    let mut tree = Tree::new(db)?;
    let mut statement = db.prepare(&format!(
        "SELECT place, latitude, longitude FROM map_bottles ORDER BY {CURVE}(latitude, longitude)"
    ))?;
    let bottles = statement.query_map([], |row| {
        let position = position(row, 1)?;
        let bounds = Bounds::of(position.latitude(), position.longitude());
        Ok(Entry { id: row.get(0)?, bounds })
    })?;
    let mut entries = tree.add_level(0, bottles, count as usize)?;
    let mut level = 1;
    while entries.len() > 1 {
        let count = entries.len();
        entries = tree.add_level(level, entries.into_iter().map(Ok), count)?;
        level += 1;
    }
    Ok(())
}

/// Defines the function [`CURVE`] unless the connection has it.
///
/// It stays defined: SQLite cannot remove or replace a function while a statement runs, and the
/// R*-tree keeps one open from its first change to the end of the transaction.
fn define_curve(db: &Connection) -> rusqlite::Result<()> {
    if db.prepare("SELECT 1 FROM pragma_function_list WHERE name = ?1")?.exists([CURVE])? {
        return Ok(());
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function(CURVE, 2, flags, |arguments| {
        let position = Position::new(arguments.get(0)?, arguments.get(1)?);
        position.map(hilbert::distance).map_err(|e| rusqlite::Error::UserFunctionError(Box::new(e)))
    })
}

/// A tree that is built level by level, from the leaves to the root.
struct Tree<'db> {
    node_bytes: usize,
    last_number: i64,
    insert_node: CachedStatement<'db>,
    insert_row: CachedStatement<'db>,
    insert_parent: CachedStatement<'db>,
}

impl<'db> Tree<'db> {
    fn new(db: &'db Connection) -> rusqlite::Result<Self> {
        let root = "SELECT length(data) FROM bottles_rtree_node WHERE nodeno = ?1";
        let node_bytes: u32 = db.query_row(root, [ROOT], |row| row.get(0))?;
        Ok(Self {
            node_bytes: node_bytes as usize,
            last_number: ROOT,
            insert_node: db.prepare_cached("REPLACE INTO bottles_rtree_node VALUES (?1, ?2)")?,
            insert_row: db.prepare_cached(
                "INSERT INTO bottles_rtree_rowid (rowid, nodeno) VALUES (?1, ?2)",
            )?,
            insert_parent: db.prepare_cached("INSERT INTO bottles_rtree_parent VALUES (?1, ?2)")?,
        })
    }

    /// Stores `count` entries in as few nodes as possible, and returns the entries of their
    /// parents. A level of one node is the root.
    fn add_level(
        &mut self,
        level: u16,
        entries: impl Iterator<Item = rusqlite::Result<Entry>>,
        count: usize,
    ) -> rusqlite::Result<Vec<Entry>> {
        let nodes = count.div_ceil(rtree::capacity(self.node_bytes).max(1)).max(1);
        let per_node = count.div_ceil(nodes).max(1);
        let mut parents = Vec::with_capacity(nodes);
        let mut entries = entries.peekable();
        while entries.peek().is_some() {
            let node: Vec<Entry> =
                entries.by_ref().take(per_node).collect::<rusqlite::Result<_>>()?;
            parents.push(self.add_node(level, &node, nodes == 1)?);
        }
        Ok(parents)
    }

    fn add_node(
        &mut self,
        level: u16,
        entries: &[Entry],
        is_root: bool,
    ) -> rusqlite::Result<Entry> {
        let number = if is_root { ROOT } else { self.last_number + 1 };
        self.last_number = self.last_number.max(number);
        let data = rtree::encode(if is_root { level } else { 0 }, entries, self.node_bytes);
        self.insert_node.execute(params![number, data])?;
        let insert_child = if level == 0 { &mut self.insert_row } else { &mut self.insert_parent };
        for entry in entries {
            insert_child.execute(params![entry.id, number])?;
        }
        Ok(Entry { id: number, bounds: Bounds::around(entries) })
    }
}
