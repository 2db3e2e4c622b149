//! Export as JSON Lines, GeoJSON or GPX, and import of the first two.

mod features;
mod geojson;
mod gpx;
mod import;
mod incoming;
mod inserter;
mod rows;

use std::io::{self, Write};

use crate::model::error::{Error, Result};
use crate::store::transfer::{self, ExportScope};
use crate::store::{ChunkWriter, Connection, OpenError, Store, users};

pub use crate::store::Chunks;
pub use features::insert_features;
pub use import::{Import, ImportResult, RejectedRows};
pub use rows::Rows;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object per line, for each account, bottle, opening, reply and block.
    JsonLines,
    /// A GeoJSON collection of bottles, for maps.
    GeoJson,
    /// A GPX document of bottles, for navigation devices and maps.
    Gpx,
}

/// The reason why an export or import failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum TransferError {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the database was changed during the export. Run the command again.")]
    Changed,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

/// Writes all rows of `db`, or those of the account called `username`, to `out`. `progress`
/// receives the rows written and the rows in all. Returns the number of rows.
pub fn export(
    db: &Connection,
    username: Option<&str>,
    format: Format,
    mut out: impl Write,
    progress: impl Fn(u64, u64),
) -> Result<u64, TransferError> {
    let scope = match username {
        None => ExportScope::All,
        Some(name) => {
            ExportScope::Account(users::id_by_name(db, name)?.ok_or(Error::UnknownAccount)?)
        }
    };
    let all = transfer::count(db, scope)?;
    let mut done = 0;
    let mut count_row = || {
        done += 1;
        progress(done, all);
    };
    match format {
        Format::JsonLines => transfer::for_each(db, scope, |record| {
            count_row();
            serde_json::to_writer(&mut out, &record)?;
            Ok::<_, TransferError>(out.write_all(b"\n")?)
        }),
        Format::GeoJson => geojson::write(db, scope, &mut out, &mut count_row),
        Format::Gpx => gpx::write(db, scope, &mut out, &mut count_row),
    }?;
    out.flush()?;
    Ok(done)
}

/// Streams the bottles of the guests of a class as a GeoJSON collection.
pub async fn export_class(store: &Store, class: i64) -> Result<Chunks> {
    let query = move |db: &Connection, out: &mut ChunkWriter| {
        geojson::write_class(db, class, out).map_err(to_store_error)
    };
    store.stream(query).await
}

fn to_store_error(error: TransferError) -> Error {
    match error {
        TransferError::Store(error) => error,
        error => Error::Internal(error.to_string()),
    }
}

/// Streams the data of `account`: its bottles as a document in GeoJSON or GPX, or else, as the items of
/// a JSON array, the rows that [`export`] writes and the account's openings of other bottles and its
/// replies there.
pub async fn export_account(store: &Store, account: i64, format: Format) -> Result<Chunks> {
    let scope = ExportScope::Account(account);
    let query = move |db: &Connection, out: &mut ChunkWriter| {
        let written = match format {
            Format::JsonLines => write_items(db, account, out),
            Format::GeoJson => geojson::write(db, scope, out, &mut || {}),
            Format::Gpx => gpx::write(db, scope, out, &mut || {}),
        };
        written.map_err(to_store_error)
    };
    store.stream(query).await
}

fn write_items(db: &Connection, account: i64, out: &mut ChunkWriter) -> Result<(), TransferError> {
    let mut separator = "";
    let mut write = |record| {
        out.write_all(separator.as_bytes())?;
        separator = ",";
        Ok::<_, TransferError>(serde_json::to_writer(&mut *out, &record)?)
    };
    transfer::for_each(db, ExportScope::Account(account), &mut write)?;
    transfer::for_each_elsewhere(db, account, &mut write)
}
