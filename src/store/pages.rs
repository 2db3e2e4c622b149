//! Parts of lists, bounded in items and in bytes.

use rusqlite::{Row, Rows};

use crate::model::error::Result;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// At most so many.
    pub limit: u32,
    /// Those that come after the one with this id.
    pub after: Option<i64>,
}

/// A page ends with the item that brings its JSON to so many bytes. Ten thousand ordinary bottles take
/// less; as many of the longest would take 240 MB.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The `LIMIT` that a page's query needs: one row more tells that there are more.
pub(super) fn row_limit(page: PageRequest) -> i64 {
    i64::from(page.limit) + 1
}

/// Shows `show` the rows of a page in their order, until the page is full; whether there are more.
/// `show` returns how many bytes an item takes in the answer.
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
