//! The log of what teachers and operators did, for operators.

use std::io::Write;

use crate::model::error::{Error, Result};
use crate::store::pages::PageRequest;
use crate::store::{ChunkWriter, Chunks, Store, audit_log};

pub use crate::store::action::Action;
pub use crate::store::audit_log::{AuditEntry, LogFilter};

/// Passes the entries that fit `filter` to `show`, newest first; see
/// [`crate::domain::bottles::Bottles::created`].
pub async fn list(
    store: &Store,
    filter: &LogFilter,
    page: PageRequest,
    show: impl FnMut(AuditEntry) -> Result<usize>,
) -> Result<bool> {
    store.read_long(|db| audit_log::list(db, filter, page, show)).await
}

/// Streams all entries that fit `filter`, newest first, as `format` formats each, after `head`.
pub async fn export(
    store: &Store,
    filter: LogFilter,
    head: Vec<u8>,
    format: impl Fn(AuditEntry) -> Result<Vec<u8>> + Send + 'static,
) -> Result<Chunks> {
    let query = move |db: &_, out: &mut ChunkWriter| {
        let failed = |e: std::io::Error| Error::Internal(e.to_string());
        out.write_all(&head).map_err(failed)?;
        let page = PageRequest { limit: u32::MAX, after: None };
        // The bytes are not kept, so their number does not matter.
        let show = |entry| out.write_all(&format(entry)?).map(|()| 0).map_err(failed);
        audit_log::list(db, &filter, page, show).map(drop)
    };
    store.stream(query).await
}
