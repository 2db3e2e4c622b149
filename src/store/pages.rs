//! Pages of lists, bounded in items and in bytes.

use rusqlite::{Row, Rows};

use crate::model::error::Result;

/// A request for a page of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// The maximum number of items.
    pub limit: u32,
    /// The cursor: the page begins after the item with this id.
    pub after: Option<i64>,
}

/// The size of a page's JSON, in bytes, from which no further item is added. 10,000 ordinary
/// bottles take less; 10,000 of the longest would take 240 MB.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Returns the `LIMIT` of a page's query: one row more than the page shows that there are more.
pub(super) fn row_limit(page: PageRequest) -> i64 {
    i64::from(page.limit) + 1
}

/// Passes the rows of a page to `show`, in order, until the page is full. `show` returns the bytes
/// that an item takes in the response. Returns true if there are more rows.
pub(super) fn fill<T>(
    mut rows: Rows<'_>,
    page: PageRequest,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    mut show: impl FnMut(T) -> Result<usize>,
) -> Result<bool> {
    let (mut items, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        if items == page.limit || bytes >= MAX_PAGE_BYTES {
            return Ok(true);
        }
        bytes += show(read(row)?)?;
        items += 1;
    }
    Ok(false)
}
